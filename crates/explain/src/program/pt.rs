//! What the program says of itself, in Portuguese as it is written in Brazil.

use alloc::format;
use alloc::string::String;

use super::en::{as_percent, next_port};
use super::{
    BadConfig, BadPick, BadQuantity, Fault, FileTrouble, LooksLike, NoEffect, Notice, Quantity, RefusedBy,
    list,
};
use crate::Language;
use crate::quantity::{bytes, duration};
use crate::rule::Rule;

/// The fault in words.
pub(super) fn fault(fault: &Fault) -> Notice {
    usage(fault).or_else(|| network(fault)).unwrap_or_else(|| file(fault))
}

/// Wrong usage; none for any other fault.
fn usage(fault: &Fault) -> Option<Notice> {
    let notice = match fault {
        Fault::UnknownCommand { word, nearest } => {
            with_nearest(Notice::new(format!("não existe o comando {word}")), nearest.as_deref())
                .line("todos os comandos:  aperto help --all")
        }
        Fault::UnknownFlag { flag, nearest } => {
            with_nearest(Notice::new(format!("não existe a opção {flag} aqui")), nearest.as_deref())
                .line("todas as opções:  aperto help --all")
        }
        Fault::UnexpectedWord { word } => {
            Notice::new(format!("uma palavra a mais: {word}")).line("texto com espaços vai entre \"aspas\"")
        }
        Fault::MissingValue { flag } => Notice::new(format!("falta o valor de {flag}")),
        Fault::UnexpectedValue { flag } => Notice::new(format!("{flag} não leva valor")),
        Fault::MissingArguments { names, command } => {
            Notice::new(format!("falta: {}", names.join(" "))).line(format!("veja  {command} --help"))
        }
        Fault::NotAChoice { flag, value, choices, nearest } => {
            with_nearest(Notice::new(format!("{flag} não pode ser {value}")), nearest.as_deref())
                .line(format!("escolha {}", list(choices, "ou")))
        }
        Fault::Conflict { first, second } => {
            Notice::new(format!("{first} e {second} se excluem")).line("deixe só um deles")
        }
        Fault::Repeated { flag } => Notice::new(format!("{flag} só pode aparecer uma vez")),
        Fault::NoEffect { flag, because } => {
            Notice::new(format!("{flag} não faria nada aqui")).line(no_effect(*because))
        }
        Fault::BadNumber { flag, value, from, to } => Notice::new(format!("{flag} não pode ser {value}"))
            .line(format!("escreva um número de {from} a {to}")),
        Fault::BadQuantity { flag, value, quantity, why } => bad_quantity(flag, value, *quantity, *why),
        Fault::BadPick { flag, value, why } => bad_pick(flag, value, why),
        Fault::BadAddress { value } => Notice::new(format!("{value} não é um endereço nem uma porta"))
            .line("exemplos:  7000   127.0.0.1:7000   [::1]:7000   as portas vão de 1 a 65535"),
        Fault::NotUnicode { value } => Notice::new(format!("não é texto Unicode: {value}")),
        Fault::BadIsn { value } => Notice::new(format!("--isn não pode ser {value}"))
            .line("escreva o do cliente e o do servidor:  --isn 1234,1567   ou:  --isn random"),
        Fault::UnknownFormat { file } => Notice::new(format!("o nome {file} não diz o formato"))
            .line("termine com .pcapng, .pcap ou .aperto; - é a saída padrão, em pcapng"),
        Fault::NeedsLan { address, port } => {
            Notice::new(format!("{address} é alcançável por outras máquinas; isso exige --lan"))
                .line(format!("escreva  aperto servidor {address}:{port} --lan"))
        }
        Fault::BadConfig { file, line, key, why } => {
            let what = match why {
                BadConfig::UnknownKey => format!("{file}, linha {line}: não existe a configuração {key}"),
                BadConfig::BadValue => format!("{file}, linha {line}: {key} não pode ser isso"),
                BadConfig::Syntax => format!("{file}, linha {line}: não é TOML"),
            };
            Notice::new(what).line("configurações: lang, view, seq, time, why, width, color, ascii, pager")
        }
        _ => return None,
    };
    Some(notice)
}

/// The network and the machine; none for any other fault.
fn network(fault: &Fault) -> Option<Notice> {
    let notice = match fault {
        Fault::UnknownHost { name } => Notice::new(format!("ninguém conhece uma máquina chamada {name}"))
            .line("escreva o endereço dela:  aperto cliente 192.168.0.15 7000"),
        Fault::Refused { remote, by, same_machine } => refused(*remote, *by, *same_machine),
        Fault::ResetByPeer { remote } => Notice::new(format!("{remote} derrubou a conexão"))
            .ruled("um RST diz: não conheço essa conexão, ou desisto dela", Rule::tcp("3.5.2")),
        Fault::NoAnswer { remote, after } => {
            Notice::new(format!("{remote} não respondeu em {}", duration(Language::Portuguese, *after)))
                .ruled("o SYN foi reenviado várias vezes: ninguém recusou, ele sumiu", Rule::tcp("3.8.3"))
                .line("um firewall, um endereço errado, ou uma máquina desligada")
        }
        Fault::TimeIsUp { after } => {
            Notice::new(format!("não terminou em {} (--timeout)", duration(Language::Portuguese, *after)))
        }
        Fault::SilentPeer { remote } => Notice::new(format!("{remote} parou de responder"))
            .ruled("o que foi enviado nunca foi reconhecido, mesmo reenviado", Rule::tcp("3.8.3")),
        Fault::Unreachable { remote } => Notice::new(format!("não há caminho até {remote}"))
            .line("foi a rede que respondeu; o endereço está certo, o cabo ligado?"),
        Fault::PortTaken { port, holder } => {
            let headline = match holder {
                Some((name, pid)) => format!("a porta {port} já está em uso por \"{name}\" (pid {pid})"),
                None => format!("a porta {port} já está em uso"),
            };
            Notice::new(headline).line(format!(
                "use outra:  aperto servidor {}        ou encerre aquele programa",
                next_port(*port)
            ))
        }
        Fault::AddressNotOurs { address } => {
            Notice::new(format!("{address} não é um endereço desta máquina"))
                .line("escute em todos:  aperto servidor 7000 --lan")
        }
        Fault::NeedsTunRights { command } => {
            Notice::new("criar um dispositivo TUN exige direitos de administrador")
                .line(format!("sudo {command}"))
                .line("ou sem direito nenhum:  --wire udp, entre dois aperto")
        }
        Fault::NoTunDevice => Notice::new("esta máquina não tem dispositivo TUN")
            .line("Linux:  sudo modprobe tun        ou sem ele:  --wire udp, entre dois aperto"),
        Fault::NeedsPortRights { port } => {
            Notice::new(format!("escutar na porta {port} exige direitos de administrador"))
                .line("de 1024 em diante são livres para todos:  aperto servidor 7000")
        }
        Fault::KernelOwnsAddress { address, interface } => {
            Notice::new(format!("{address} já é do kernel ({interface}), que responderia por ele"))
                .line("nosso TCP precisa de um endereço só dele; escolha outro com --address")
        }
        Fault::System { what } => Notice::new(format!("o sistema diz: {what}")),
        Fault::ForeignPeer { from, octets } => {
            Notice::new(format!("{from} não fala isto: {} que não são segmento", bytes(*octets)))
                .line("é outro programa? --wire os fala com qualquer um; --wire udp, só com aperto")
        }
        _ => return None,
    };
    Some(notice)
}

/// Files and results.
fn file(fault: &Fault) -> Notice {
    match fault {
        Fault::CannotRead { file, why } => Notice::new(format!("não consigo ler {file}: {}", trouble(why))),
        Fault::CannotWrite { file, why } => {
            Notice::new(format!("não consigo escrever {file}: {}", trouble(why)))
        }
        Fault::NotACapture { file, looks_like } => {
            let headline = match looks_like {
                LooksLike::Empty => format!("{file} está vazio"),
                other => format!("{file} não é uma captura (começa como {})", looks(*other)),
            };
            Notice::new(headline).line("esperado: .pcapng, .pcap ou .aperto")
        }
        Fault::Broken { file, at, packets } => {
            Notice::new(format!("{file} está cortado ou danificado no octeto {at}"))
                .line(format!("os {packets} pacotes antes disso estão acima"))
        }
        Fault::BadRecording { file, line, why } => {
            Notice::new(format!("{file}, linha {line}, não é o que aperto escreve")).line(why.clone())
        }
        Fault::NotDelivered { delivered, of } => {
            Notice::new(format!("{delivered} de {of} bytes foram entregues, e a conexão diz isso"))
        }
        Fault::Endless { packets } => Notice::new(format!("parei depois de {packets} pacotes: não termina"))
            .line("o canal é tão ruim que nada passa?"),
        other => Notice::new(other.code()),
    }
}

pub(super) fn trouble(why: &FileTrouble) -> String {
    match why {
        FileTrouble::Missing => "não existe".into(),
        FileTrouble::Denied => "não é permitido".into(),
        FileTrouble::Folder => "é uma pasta".into(),
        FileTrouble::TooLarge(most) => format!("o máximo é {most} MiB"),
        FileTrouble::Full => "o disco está cheio".into(),
        FileTrouble::Other(what) => what.clone(),
    }
}

fn with_nearest(notice: Notice, nearest: Option<&str>) -> Notice {
    match nearest {
        Some(word) => notice.line(format!("você quis dizer  {word}")),
        None => notice,
    }
}

fn refused(remote: core::net::SocketAddr, by: RefusedBy, same_machine: bool) -> Notice {
    let notice = Notice::new(format!("conexão recusada por {remote}"));
    let notice = match by {
        RefusedBy::Reset => notice.ruled("ninguém escuta ali: a resposta ao SYN foi RST", Rule::tcp("3.5.2")),
        RefusedBy::PortUnreachable => notice.ruled(
            "ninguém escuta ali: voltou \"port unreachable\" (porta inalcançável)",
            Rule::Rfc(1122, "4.1.3.1"),
        ),
        RefusedBy::System => {
            notice.ruled("ninguém escuta ali (provável: a resposta foi RST)", Rule::tcp("3.5.2"))
        }
    };
    let port = remote.port();
    if same_machine {
        notice.line(format!("inicie o servidor antes, em outro terminal:   aperto servidor {port}"))
    } else {
        notice.line(format!("inicie o servidor lá antes:   aperto servidor {port} --lan"))
    }
}

fn no_effect(because: NoEffect) -> String {
    match because {
        NoEffect::NoChannelOfOurs => {
            "com --wire os quem envia é o sistema; nosso é o canal de sim, udp e tun".into()
        }
        NoEffect::OnlyTcp => "só o TCP tem isso".into(),
        NoEffect::OnlyTextbook => "só saw, gbn e sr têm isso".into(),
        NoEffect::OnlyScene(scene) => format!("só esta cena tem isso:  aperto demo {scene}"),
        NoEffect::NoPackets => "os sockets do sistema não mostram seus pacotes; use --wire udp ou tun".into(),
        NoEffect::OnlyServer => "só um servidor tem isso".into(),
        NoEffect::OnlyRecorded => "só uma gravação tem isso".into(),
        NoEffect::OnlySimulated => "só a rede simulada tem isso".into(),
        NoEffect::OnlyBare => "só o comando sem cena tem isso:  aperto -m TEXTO --proto udp".into(),
        NoEffect::Needs(flag) => format!("precisa de {flag}"),
    }
}

fn bad_quantity(flag: &str, value: &str, quantity: Quantity, why: BadQuantity) -> Notice {
    let example = match quantity {
        Quantity::Duration => "20ms, 1.5s ou 300us",
        Quantity::Rate => "1mbit, 56kbit ou 1.5gbit",
        Quantity::Share => "10% ou 0.1%",
        Quantity::Size => "1000, 20k ou 1m",
    };
    let number = value.rsplit(':').next().unwrap_or(value);
    match (why, quantity) {
        (BadQuantity::NoUnit, Quantity::Share) => {
            let percent = as_percent(number);
            Notice::new(format!("{flag} {value} está sem unidade: {percent} ou {number}%?"))
                .line(format!("escreva  {flag} {percent}  ou  {flag} {number}%"))
        }
        (BadQuantity::NoUnit, Quantity::Duration) => {
            Notice::new(format!("{flag} {value} está sem unidade: milissegundos ou segundos?"))
                .line(format!("escreva  {flag} {number}ms  ou  {flag} {number}s"))
        }
        (BadQuantity::NoUnit, _) => Notice::new(format!("{flag} {value} está sem unidade"))
            .line(format!("escreva por exemplo  {flag} {number}kbit  ou  {flag} {number}mbit")),
        (why, _) => {
            let what = match why {
                BadQuantity::NoUnit | BadQuantity::UnknownUnit => "tem uma unidade desconhecida",
                BadQuantity::NotANumber => "não é um número com unidade",
                BadQuantity::Negative => "é negativo",
                BadQuantity::TooFine => "tem algarismos demais",
                BadQuantity::TooLarge => "é grande demais",
                BadQuantity::Zero => "nunca enviaria nada",
            };
            Notice::new(format!("{flag} {value} {what}")).line(format!("escreva por exemplo {example}"))
        }
    }
}

fn bad_pick(flag: &str, value: &str, why: &BadPick) -> Notice {
    let what = match why {
        BadPick::UnknownKind => "não nomeia um segmento",
        BadPick::NotANumber => "não tem número onde deveria",
        BadPick::Zero => "conta a partir de 0; os segmentos contam a partir de 1",
        BadPick::Backwards => "anda para trás",
        BadPick::NoTime => "não diz por quanto tempo",
        BadPick::ATime => "diz por quanto tempo; só --delay pode",
    };
    let example = match why {
        BadPick::NoTime => "escreva por exemplo  --delay data:2=300ms".into(),
        _ => format!("escreva por exemplo  {flag} 4   {flag} 2,5-7   {flag} data:3   {flag} synack"),
    };
    Notice::new(format!("{flag} {value} {what}")).line(example)
}

fn looks(like: LooksLike) -> &'static str {
    match like {
        LooksLike::Empty => "nada",
        LooksLike::Zip => "um arquivo zip",
        LooksLike::Pdf => "um PDF",
        LooksLike::Picture => "uma imagem",
        LooksLike::Gzip => "um arquivo gzip",
        LooksLike::Program => "um programa",
        LooksLike::Text => "texto",
        LooksLike::Unknown => "nada conhecido",
    }
}
