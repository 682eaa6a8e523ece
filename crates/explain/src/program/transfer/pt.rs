//! What file transfer says, in Portuguese.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use aperto_app::transfer::{BadManifest, BadName, Failure, Path, Refusal, Stranger, Trouble};

use super::{Side, TransferFault, TransferSaying, files, is_about_a_name, size};
use crate::Language;
use crate::program::{FileTrouble, Notice};
use crate::quantity::duration;

const LANGUAGE: Language = Language::Portuguese;
const AGAIN: &str = "o que chegou fica guardado: o mesmo comando de novo continua dali";

pub(super) fn fault(fault: &TransferFault) -> Notice {
    match fault {
        TransferFault::Name { path, why } => {
            Notice::new(format!("o nome {path} não pode ser enviado: {}", bad(*why)))
                .line("renomeie: o nome deve ser o mesmo em Linux, macOS e Windows")
        }
        TransferFault::Unsendable { path, why } => {
            Notice::new(format!("{path} não pode ser enviado: {}", manifest(why)))
                .line("renomeie ou tire o que está dito aqui, ou envie uma pasta menor")
        }
        TransferFault::Folder { folder, why } => {
            Notice::new(format!("não dá para receber em {folder}: {}", trouble_of_file(why)))
                .line(format!("crie a pasta antes:  mkdir {folder}"))
        }
        TransferFault::GaveUp { tries, remote } => {
            Notice::new(format!("a conexão com {remote} caiu; {tries} tentativas em vão")).line(AGAIN)
        }
        TransferFault::Failed { side, remote, why } => failed(*side, &format!("{remote}"), why),
    }
}

fn failed(side: Side, remote: &str, why: &Failure) -> Notice {
    match why {
        Failure::Stranger(who) => {
            let notice =
                Notice::new(format!("{remote} não fala a transferência de arquivos: {}", stranger(*who)))
                    .line("um servidor para arquivos:  aperto servidor PORTA --receive PASTA");
            match who {
                Stranger::Text | Stranger::Tls => {
                    notice.line("uma das pontas usa --secure? então as duas devem usar")
                }
                Stranger::Http | Stranger::Ssh | Stranger::Aperto | Stranger::Unknown => notice,
            }
        }
        Failure::Version(version) => {
            Notice::new(format!("{remote} fala uma versão desconhecida da transferência ({version})"))
                .line("use o mesmo aperto nas duas pontas")
        }
        Failure::Protocol => Notice::new(format!("{remote} quebrou as regras da transferência"))
            .line("nada do que enviou ganhou nome"),
        Failure::SameRole => match side {
            Side::Sends => Notice::new(format!("{remote} também envia arquivos; ninguém recebe"))
                .line("inicie o servidor com --receive PASTA, ou este cliente com --fetch PASTA"),
            Side::Receives => Notice::new(format!("{remote} também recebe arquivos; ninguém envia"))
                .line("inicie o servidor com --offer CAMINHO, ou este cliente com --send CAMINHO"),
        },
        Failure::Manifest(why) => Notice::new(format!("o que {remote} envia é recusado: {}", manifest(why)))
            .line("nada foi escrito"),
        Failure::Exists(path) => {
            Notice::new(format!("{path} já existe, e é outro arquivo (ou pasta, ou link)"))
                .line("nada mudou; --overwrite em quem recebe substitui arquivos")
        }
        Failure::NoRoom { needs, free, floor } => Notice::new(format!(
            "falta espaço: são precisos {}, há {} livres, e {} devem ficar livres",
            size(LANGUAGE, *needs),
            size(LANGUAGE, *free),
            size(LANGUAGE, *floor)
        ))
        .line("libere espaço, ou permita que fique menos livre:  --keep-free 0"),
        Failure::Busy(path) => Notice::new(format!("outra pessoa está escrevendo {path} agora"))
            .line("espere que termine, depois o mesmo comando de novo"),
        Failure::Disk(path, why) => {
            Notice::new(format!("{path} não pode ser escrito: {}", trouble(*why))).line(AGAIN)
        }
        Failure::Changed(path) => Notice::new(format!("{path} mudou enquanto era enviado: o hash é outro"))
            .line("não ganhou nome; o mesmo comando de novo envia como está agora"),
        Failure::Unreadable(path) => Notice::new(format!("{path} não pode mais ser lido"))
            .line("foi movido ou apagado? o mesmo comando de novo continua com o que há"),
        Failure::TooSlow => {
            Notice::new(format!("{remote} demorou demais: um quadro não terminou, ou nunca veio")).line(AGAIN)
        }
        Failure::Silent => Notice::new(format!("{remote} ficou calado por tempo demais")).line(AGAIN),
        Failure::Broken => {
            Notice::new(format!("a conexão com {remote} terminou antes da transferência")).line(AGAIN)
        }
        Failure::Refused(why, path) => refused(side, remote, *why, path.as_ref()),
        Failure::Superseded => Notice::new("a mesma transferência continua por uma conexão mais nova")
            .line("nada se perdeu: veja a mais nova"),
        Failure::Cancelled => Notice::new("interrompido").line(AGAIN),
    }
}

fn refused(side: Side, remote: &str, why: Refusal, path: Option<&Path>) -> Notice {
    let name = path.map_or_else(|| "isso".into(), |path| format!("{path}"));
    let text: String = match why {
        Refusal::Protocol => "diz que esta ponta quebrou as regras (outra versão?)".into(),
        Refusal::SameRole => "as duas pontas enviam, ou as duas recebem".into(),
        Refusal::Manifest => "o que esta ponta tem é demais, ou não é o que foi anunciado".into(),
        Refusal::Name => format!("não aceita o nome {name}"),
        Refusal::Collision => format!("{name} é outro nome com outras maiúsculas"),
        Refusal::Exists => format!("{name} já existe lá, e é outro arquivo"),
        Refusal::NoRoom => "não há espaço".into(),
        Refusal::Busy => format!("outra pessoa está escrevendo {name} lá"),
        Refusal::Disk => format!("{name} não pode ser escrito lá"),
        Refusal::Changed => format!("{name} mudou enquanto era enviado"),
        Refusal::Unreadable => format!("{name} não pode mais ser lido lá"),
        Refusal::TooSlow => "esta ponta demorou demais".into(),
        Refusal::Superseded => "a mesma transferência continua por uma conexão mais nova".into(),
        Refusal::Cancelled => "alguém a encerrou lá".into(),
    };
    let next = match (why, side) {
        (Refusal::Exists, Side::Sends) => "inicie o servidor com --overwrite, ou envie outro nome",
        (Refusal::SameRole, _) => "uma ponta envia (--send, --offer), a outra recebe (--receive, --fetch)",
        (Refusal::NoRoom, _) => "libere espaço lá, ou inicie com menos a manter livre:  --keep-free 0",
        (why, _) if is_about_a_name(why) => "renomeie, depois o mesmo comando de novo",
        _ => AGAIN,
    };
    Notice::new(format!("{remote} recusou: {text}")).line(next)
}

const fn bad(why: BadName) -> &'static str {
    match why {
        BadName::Empty => "é vazio, ou começa na raiz",
        BadName::TooLong => "tem mais de 200 bytes",
        BadName::Climbs => "sai da pasta",
        BadName::Hidden => "começa com ponto",
        BadName::Separator => "contém / ou \\ ou :",
        BadName::Unprintable => "contém um caractere que não aparece",
        BadName::NotUnicode => "não é texto Unicode",
        BadName::Device => "no Windows é um dispositivo",
        BadName::Edge => "começa com espaço, ou termina com espaço ou ponto",
        BadName::TooDeep => "tem mais de 16 pastas de profundidade",
    }
}

fn manifest(why: &BadManifest) -> String {
    match why {
        BadManifest::Malformed => "a lista de arquivos está danificada".into(),
        BadManifest::Count => "nada, ou mais de 100.000 arquivos".into(),
        BadManifest::TooLarge { .. } => "maior do que qualquer sistema pode guardar".into(),
        BadManifest::Name { name, why, .. } => format!("o nome \"{name}\": {}", bad(*why)),
        BadManifest::Collision { path, with, .. } => {
            format!("{path} e {with} são um só onde maiúsculas não contam")
        }
    }
}

const fn stranger(who: Stranger) -> &'static str {
    match who {
        Stranger::Http => "fala HTTP",
        Stranger::Tls => "fala TLS",
        Stranger::Ssh => "fala SSH",
        Stranger::Aperto => "fala outro protocolo do aperto",
        Stranger::Text => "fala texto",
        Stranger::Unknown => "o que diz é desconhecido aqui",
    }
}

const fn trouble(why: Trouble) -> &'static str {
    match why {
        Trouble::Missing => "a pasta sumiu",
        Trouble::Exists => "algo já tem esse nome",
        Trouble::NotPlain => "há ali um link, ou algo que não é arquivo",
        Trouble::Denied => "sem permissão",
        Trouble::Full => "o disco está cheio",
        Trouble::Busy => "outra pessoa o está usando",
        Trouble::TooLarge => "grande demais para este sistema de arquivos",
        Trouble::ReadOnly => "este sistema de arquivos é só para leitura",
        Trouble::Other => "o sistema recusou",
    }
}

fn trouble_of_file(why: &FileTrouble) -> String {
    match why {
        FileTrouble::Missing => "essa pasta não existe".into(),
        FileTrouble::Denied => "sem permissão".into(),
        FileTrouble::Folder => "é uma pasta".into(),
        FileTrouble::TooLarge(most) => format!("maior que {most} MiB"),
        FileTrouble::Full => "o disco está cheio".into(),
        FileTrouble::Other(what) => format!("o sistema diz: {what}"),
    }
}

pub(super) fn saying(saying: &TransferSaying) -> Vec<String> {
    let line = match saying {
        TransferSaying::Receiving { folder } => {
            format!("os arquivos que chegarem são escritos em {folder}")
        }
        TransferSaying::Offering { name, files: count, octets } => {
            format!("oferece {name}: {}, {}", files(LANGUAGE, *count), size(LANGUAGE, *octets))
        }
        TransferSaying::LeftOut { hidden, links, first } => {
            format!("fica de fora: {hidden} ocultos, {links} links ou coisas que não são arquivos ({first})")
        }
        TransferSaying::Begun { label, side, name, files: count, octets } => {
            let does = match side {
                Side::Sends => "envia",
                Side::Receives => "recebe",
            };
            format!("{label}{does} {name}: {}, {}", files(LANGUAGE, *count), size(LANGUAGE, *octets))
        }
        TransferSaying::Resumed { label, path, octets, of } => format!(
            "{label}{path}: {} de {} já estavam aqui e estão certos; continua dali",
            size(LANGUAGE, *octets),
            size(LANGUAGE, *of)
        ),
        TransferSaying::Again { label, path, chunk } => {
            format!("{label}pedaço {chunk} de {path} danificado, pedido de novo")
        }
        TransferSaying::File { label, side, path, octets, blake3, was_there } => {
            let how = match (side, was_there) {
                (_, true) => "já estava aqui",
                (Side::Sends, false) => "enviado",
                (Side::Receives, false) => "recebido",
            };
            return vec![format!("{label}{how} {path}  {octets} bytes"), format!("  blake3 {blake3}")];
        }
        TransferSaying::MoreFiles { label, files: count } => {
            format!("{label}e mais {}, todos verificados", files(LANGUAGE, *count))
        }
        TransferSaying::Finished { label, side, files: count, octets, again, after } => {
            let whole = match side {
                Side::Sends => "chegou inteiro",
                Side::Receives => "inteiro, todos os hashes certos",
            };
            let again = match again {
                0 => String::new(),
                1 => ", 1 pedaço pedido de novo".into(),
                _ => format!(", {again} pedaços pedidos de novo"),
            };
            let (count, octets) = (files(LANGUAGE, *count), size(LANGUAGE, *octets));
            format!("{label}{count}, {octets}: {whole}{again}, em {}", duration(LANGUAGE, *after))
        }
        TransferSaying::Failed { label, headline } => format!("{label}não terminou: {headline}"),
        TransferSaying::Reconnecting { after, attempt, of } => {
            format!("conexão caiu; tentativa {attempt} de {of} em {}", duration(LANGUAGE, *after))
        }
        TransferSaying::Kept { side: Side::Receives } => AGAIN.into(),
        TransferSaying::Kept { side: Side::Sends } => {
            "o que chegou fica guardado lá: o mesmo comando de novo continua dali".into()
        }
    };
    vec![line]
}
