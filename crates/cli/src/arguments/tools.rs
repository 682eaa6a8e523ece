//! The commands that work on recordings and on this machine: their help, and what was asked of them.

use clap::{Arg, ArgMatches, Command};

use super::flags::{self, Say};
use super::read::{self, Record};

/// Run a recording again.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) file: String,
}

/// The recordings of two ends as one.
#[derive(Debug)]
pub(crate) struct Merge {
    pub(crate) one: String,
    pub(crate) other: String,
    pub(crate) record: Record,
}

/// Claims about a recording.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) file: String,
    pub(crate) rules: String,
}

/// The commands.
pub(crate) fn commands(say: Say) -> [Command; 5] {
    [check(say), merge(say), replay(say), super::states::command(say), super::doctor::command(say)]
}

fn replay(say: Say) -> Command {
    Command::new("replay")
        .alias("repetir")
        .about(say.one(
            "run a .aperto recording again; is it the same? [repetir]",
            "roda de novo uma gravação .aperto; é igual? [repetir]",
        ))
        .override_usage(say.one("aperto replay FILE.aperto", "aperto repetir ARQUIVO.aperto"))
        .arg(file(
            say,
            "file",
            say.one("a recording of a simulated run", "gravação de uma execução simulada"),
        ))
        .args(view_only(say))
}

/// What was asked of `replay`.
pub(crate) fn read_replay(matches: &ArgMatches) -> Replay {
    Replay { file: word(matches, "file") }
}

fn check(say: Say) -> Command {
    Command::new("check")
        .alias("conferir")
        .about(say.one(
            "are these claims about a recording true? [conferir]",
            "estas afirmações sobre uma gravação são verdade? [conferir]",
        ))
        .override_usage(say.one("aperto check FILE RULES", "aperto conferir ARQUIVO REGRAS"))
        .arg(file(
            say,
            "file",
            say.one(
                "any capture or recording; - is stdin",
                "qualquer captura ou gravação; - é a entrada padrão",
            ),
        ))
        .arg(
            file(
                say,
                "rules",
                say.one("a text file, one claim a line", "arquivo de texto, uma afirmação por linha"),
            )
            .value_name(say.one("RULES", "REGRAS")),
        )
        .args(view_only(say))
        .after_help(say.one(CLAIMS, CLAIMS_PT))
}

const CLAIMS: &str = r#"claims, one a line; # begins a remark:
  handshake in 1..3                 SYN, SYN-ACK and ACK are among #1 to #3
  echo "hi" by server within 10ms   the server says what the client said
  answer "hi" with "HI" by server   and may take any time without within
  delivered "hi" to server          it arrived, however it was cut
  closed-first-by client            whose FIN came first
  close-segments 4                  FIN, ACK, FIN, ACK; 3 if two share one
  no other-traffic                  nothing but this connection
  retransmissions <= 2              also: lost, copies, packets, streams,
                                    zero-windows, resets
  count SYN,ACK = 1                 segments with these flags
  octets by client = 11             text sent, each octet once
  port 7000                         the server's; client-port: the client's
  isn 1234,1567                     initial sequence numbers
  state reached TIME-WAIT by client
  duration < 5s                     from the first packet to the last
  stream 1                          from here on: the second connection
  not CLAIM                         the opposite
numbers: 3   = 3   <= 3   >= 3   < 3   > 3   1..3"#;

const CLAIMS_PT: &str = r#"afirmações, uma por linha; # começa um comentário (as palavras em inglês também valem):
  aperto-de-mao em 1..3             SYN, SYN-ACK e ACK estão entre #1 e #3
  eco "oi" por servidor dentro-de 10ms
  resposta "oi" com "OI" por servidor
  entregue "oi" a servidor          chegou, não importa como foi cortado
  fechou-primeiro cliente           de quem veio o primeiro FIN
  segmentos-do-fechamento 4         FIN, ACK, FIN, ACK; 3 se dois dividem um
  sem outro-trafego                 nada além desta conexão
  reenvios <= 2                     também: perdidos, copias, pacotes, fluxos,
                                    janelas-zero, reinicios
  conta SYN,ACK = 1                 segmentos com estes bits
  octetos por cliente = 11          texto enviado, cada octeto uma vez
  porta 7000                        a do servidor; porta-do-cliente: a outra
  isn 1234,1567                     números de sequência iniciais
  estado alcancado TIME-WAIT por cliente
  duracao < 5s                      do primeiro pacote ao último
  fluxo 1                           daqui em diante: a segunda conexão
  nao AFIRMACAO                     o contrário
números: 3   = 3   <= 3   >= 3   < 3   > 3   1..3"#;

/// What was asked of `check`.
pub(crate) fn read_check(matches: &ArgMatches) -> Check {
    Check { file: word(matches, "file"), rules: word(matches, "rules") }
}

fn merge(say: Say) -> Command {
    Command::new("merge")
        .alias("juntar")
        .about(say.one(
            "the client's and the server's recording as one [juntar]",
            "a gravação do cliente e a do servidor numa só [juntar]",
        ))
        .override_usage(say.one("aperto merge A B [FLAGS]", "aperto juntar A B [OPÇÕES]"))
        .arg(file(say, "one", say.one("what one end recorded", "o que uma ponta gravou")))
        .arg(file(say, "other", say.one("what the other end recorded", "o que a outra ponta gravou")))
        .args(flags::view(say))
        .args(flags::record(say))
}

/// What was asked of `merge`.
pub(crate) fn read_merge(matches: &ArgMatches) -> Merge {
    Merge { one: word(matches, "one"), other: word(matches, "other"), record: read::record(matches) }
}

fn file(say: Say, name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .value_name(say.one("FILE", "ARQUIVO"))
        .help(help)
        .help_heading(say.one("Arguments", "Argumentos"))
        .required(true)
}

/// `--view` and `--ascii`, where there is nothing else to see.
fn view_only(say: Say) -> Vec<Arg> {
    flags::view(say).into_iter().filter(|arg| ["view", "ascii"].contains(&arg.get_id().as_str())).collect()
}

fn word(matches: &ArgMatches, name: &str) -> String {
    matches.get_one::<String>(name).cloned().unwrap_or_default()
}
