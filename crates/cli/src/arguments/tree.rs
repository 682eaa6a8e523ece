//! The commands, with their help in both languages.
//!
//! clap's own words are English only, so everything that it would say itself is said here: usage
//! lines, headings, the help flag, and errors (`refuse.rs`).

use aperto_explain::Language;
use aperto_sim::scenes::Scene;
use clap::{Arg, ArgAction, Command};

use super::bench;
use super::flags::{self, Say};
use super::integrity;
use super::secure;
use super::told;
use super::tools;
use super::transfer;
use super::{chat, modes};

/// The shells that completions exist for.
pub(crate) const SHELLS: [&str; 5] = ["bash", "zsh", "fish", "powershell", "elvish"];

/// The whole command line.
pub(crate) fn command(language: Language) -> Command {
    let say = Say(language);
    let root = Command::new("aperto")
        .about(say.one(
            "Run a TCP or UDP connection and see every segment and why it was sent.",
            "Rode uma conexão TCP ou UDP e veja cada segmento e por que ele foi enviado.",
        ))
        .override_usage(say.one("aperto [FLAGS]\n  aperto COMMAND [FLAGS]", "aperto [OPÇÕES]\n  aperto COMANDO [OPÇÕES]"))
        .subcommand_help_heading(say.one("Commands", "Comandos"))
        .after_help(say.one(
            "examples:\n  aperto --drop 4\n  aperto demo bulk --size 20k --loss 10% --seed 7\n  aperto server 7000        \
             and in another terminal:  aperto client 127.0.0.1 7000\n\n\
             A run that is over is drawn as a ladder; server and client, and less than 76 columns, are told in lines.\n\
             --view, APERTO_VIEW, ./aperto.toml and ~/.config/aperto/config.toml decide otherwise, in this order.\n\
             ASCII where the locale names no UTF-8; no colour without a terminal or with NO_COLOR.",
            "exemplos:\n  aperto --drop 4\n  aperto demo bulk --size 20k --loss 10% --seed 7\n  aperto servidor 7000      \
             e em outro terminal:  aperto cliente 127.0.0.1 7000\n\n\
             Uma execução terminada vira diagrama; servidor e cliente, e menos de 76 colunas, vão em linhas.\n\
             --view, APERTO_VIEW, ./aperto.toml e ~/.config/aperto/config.toml decidem outra coisa, nesta ordem.\n\
             ASCII onde a localidade não diz UTF-8; sem cores fora de um terminal ou com NO_COLOR.",
        ))
        .args(flags::scene(say))
        .args(modes::simulated(say))
        .args(flags::tcp(say))
        .args(flags::channel(say))
        .args(flags::picks(say))
        .args(flags::view(say))
        .args(flags::record(say))
        .arg(
            Arg::new("version")
                .long("version")
                .short('V')
                .action(ArgAction::SetTrue)
                .help(say.one("show the version", "mostra a versão"))
                .help_heading(say.one("Program", "Programa")),
        )
        .subcommands([
            demo(say),
            server(say),
            client(say),
            compare(say),
            bench::command(say),
            show(say),
        ])
        .subcommands(tools::commands(say))
        .subcommand(secure::command(say))
        .subcommands([completions(say), man(say), help(say)]);
    finish(root, say)
}

/// Adds to a command, and to those below it, what all have.
fn finish(command: Command, say: Say) -> Command {
    let template = match say.0 {
        Language::English => "{about-with-newline}\nUsage:\n  {usage}\n\n{all-args}{after-help}\n",
        Language::Portuguese => "{about-with-newline}\nUso:\n  {usage}\n\n{all-args}{after-help}\n",
    };
    command
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .disable_version_flag(true)
        .args_override_self(false)
        .help_template(template)
        .max_term_width(100)
        .args(flags::everywhere(say))
        .mut_subcommands(|below| finish(below, say))
}

fn demo(say: Say) -> Command {
    Command::new("demo")
        .alias("demonstracao")
        .alias("demonstração")
        .about(say.one(
            "show a scene; without a name, list them [demonstracao]",
            "mostra uma cena; sem nome, lista todas [demonstracao]",
        ))
        .override_usage(say.one("aperto demo [SCENE] [FLAGS]", "aperto demonstracao [CENA] [OPÇÕES]"))
        .arg(
            positional("scene", say.one("SCENE", "CENA"), say, say.one("which scene", "qual cena"))
                .value_parser(clap::builder::PossibleValuesParser::new(Scene::ALL.map(Scene::name)))
                .hide_possible_values(true),
        )
        .args(flags::scene(say))
        .args(modes::simulated(say))
        .args(flags::tcp(say))
        .args(flags::channel(say))
        .args(flags::picks(say))
        .args(flags::view(say))
        .args(flags::record(say))
}

fn server(say: Say) -> Command {
    Command::new("server")
        .alias("servidor")
        .about(say.one("wait for clients [servidor]", "espera clientes [servidor]"))
        .override_usage(say.one("aperto server [PORT] [FLAGS]", "aperto servidor [PORTA] [OPÇÕES]"))
        .arg(positional(
            "listen",
            say.one("PORT|HOST:PORT", "PORTA|HOST:PORTA"),
            say,
            say.one("where to listen (127.0.0.1:7000)", "onde escutar (127.0.0.1:7000)"),
        ))
        .args(flags::server(say))
        .args(transfer::server_flags(say))
        .args(chat::server(say))
        .arg(told::flag(say))
        .args(flags::wire(say))
        .args(modes::live(say))
        .args(secure::flags(say))
        .args(flags::tcp(say))
        .args(flags::channel(say))
        .args(flags::picks(say))
        .args(flags::live_view(say))
        .args(flags::record(say))
}

fn client(say: Say) -> Command {
    Command::new("client")
        .alias("cliente")
        .about(say.one("connect to a server [cliente]", "conecta a um servidor [cliente]"))
        .override_usage(say.one("aperto client HOST [PORT] [FLAGS]", "aperto cliente HOST [PORTA] [OPÇÕES]"))
        .arg(
            positional(
                "host",
                "HOST",
                say,
                say.one(
                    "name or address, HOST:PORT, or aperto://HOST:PORT/#KEY",
                    "nome ou endereço, HOST:PORTA, ou aperto://HOST:PORTA/#CHAVE",
                ),
            )
            .required(true),
        )
        .arg(positional(
            "port",
            say.one("PORT", "PORTA"),
            say,
            say.one("which port (7000)", "qual porta (7000)"),
        ))
        .args(flags::client(say))
        .args(transfer::client_flags(say))
        .args(chat::client(say))
        .arg(told::flag(say))
        .args(flags::wire(say))
        .args(modes::live(say))
        .args(secure::flags(say))
        .args(flags::tcp(say))
        .args(flags::channel(say))
        .args(flags::picks(say))
        .args(flags::live_view(say))
        .args(flags::record(say))
}

fn compare(say: Say) -> Command {
    let own = |arg: Arg| arg.help_heading(say.one("Compare", "Comparar")).action(ArgAction::Set);
    Command::new("compare")
        .alias("comparar")
        .about(say.one(
            "the same message and channel through several protocols [comparar]",
            "a mesma mensagem e o mesmo canal por vários protocolos [comparar]",
        ))
        .override_usage(say.one(
            "aperto compare PROTOCOL... [FLAGS]\n  aperto compare --integrity none,digest,tls,aead [FLAGS]",
            "aperto comparar PROTOCOLO... [OPÇÕES]\n  aperto comparar --integrity none,digest,tls,aead [OPÇÕES]",
        ))
        .arg(
            positional("protocols", say.one("PROTOCOL", "PROTOCOLO"), say, "udp tcp saw gbn sr")
                .num_args(1..)
                .required_unless_present("integrity")
                .action(ArgAction::Append)
                .value_parser(clap::builder::PossibleValuesParser::new(flags::PROTOCOLS))
                .hide_possible_values(true),
        )
        .arg(own(Arg::new("message")
            .short('m')
            .long("message")
            .value_name("TEXT")
            .help(say.one("what is said", "o que se diz"))))
        .arg(own(Arg::new("payload")
            .long("payload")
            .value_name("N")
            .help(say.one("bytes in a packet (4)", "bytes por pacote (4)"))))
        .arg(own(Arg::new("window")
            .long("window")
            .value_name("N")
            .help(say.one("packets at once (4)", "pacotes por vez (4)"))))
        .args(modes::compared(say))
        .args(integrity::args(say))
        .args(flags::channel(say))
        .args(flags::picks(say))
        .args(flags::view(say))
}

fn show(say: Say) -> Command {
    Command::new("show")
        .alias("mostrar")
        .about(say.one("draw a recording [mostrar]", "desenha uma gravação [mostrar]"))
        .override_usage(say.one("aperto show FILE [FLAGS]", "aperto mostrar ARQUIVO [OPÇÕES]"))
        .arg(
            positional(
                "file",
                say.one("FILE", "ARQUIVO"),
                say,
                say.one(
                    ".pcapng, .pcap or .aperto; - is stdin",
                    ".pcapng, .pcap ou .aperto; - é a entrada padrão",
                ),
            )
            .required(true),
        )
        .arg(
            Arg::new("stream")
                .long("stream")
                .value_name("N")
                .help(say.one("only this connection, from 0", "só esta conexão, a partir de 0"))
                .help_heading(say.one("See", "Ver")),
        )
        .args(flags::view(say))
        .args(flags::record(say))
}

fn completions(say: Say) -> Command {
    Command::new("completions")
        .about(say.one("completions for a shell", "completamento para um shell"))
        .override_usage(say.one("aperto completions SHELL", "aperto completions SHELL"))
        .arg(
            positional("shell", "SHELL", say, "bash, zsh, fish, powershell, elvish")
                .required(true)
                .value_parser(clap::builder::PossibleValuesParser::new(SHELLS))
                .hide_possible_values(true),
        )
}

fn man(say: Say) -> Command {
    Command::new("man")
        .about(say.one("the manual page, as roff", "a página de manual, em roff"))
        .override_usage(say.one("aperto man | man -l -", "aperto man | man -l -"))
}

fn help(say: Say) -> Command {
    Command::new("help")
        .alias("ajuda")
        .about(say.one(
            "help of a command; --all for everything [ajuda]",
            "ajuda de um comando; --all para tudo [ajuda]",
        ))
        .override_usage(say.one("aperto help [COMMAND] [--all]", "aperto ajuda [COMANDO] [--all]"))
        .arg(positional(
            "command",
            say.one("COMMAND", "COMANDO"),
            say,
            say.one("which command", "qual comando"),
        ))
        .arg(
            Arg::new("all")
                .long("all")
                .action(ArgAction::SetTrue)
                .help(say.one("every command and every flag", "todos os comandos e todas as opções"))
                .help_heading(say.one("Program", "Programa")),
        )
}

fn positional(name: &'static str, shown: &'static str, say: Say, help: &'static str) -> Arg {
    Arg::new(name).value_name(shown).help(help).help_heading(say.one("Arguments", "Argumentos"))
}
