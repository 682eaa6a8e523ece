//! What the program says beside the segments, in Portuguese as it is written in Brazil.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::{Ended, Impaired, Saying, Wish};
use crate::Language;
use crate::quantity::{bytes, duration, milliseconds};

pub(super) fn saying(saying: &Saying) -> Vec<String> {
    around(saying).or_else(|| conversation(saying)).unwrap_or_else(|| results(saying))
}

/// Where it waits and who comes.
fn around(saying: &Saying) -> Option<Vec<String>> {
    let line = match saying {
        Saying::Listening { at } => format!("LISTEN  {at} · só esta máquina (outras máquinas: use --lan)"),
        Saying::ListeningLan { at, addresses } if addresses.is_empty() => {
            format!("LISTEN  {at} · outras máquinas podem conectar")
        }
        Saying::ListeningLan { at, addresses } => {
            format!("LISTEN  {at} · outras máquinas podem conectar: {}", addresses.join(", "))
        }
        Saying::ListeningTun { at, device } => {
            return Some(vec![
                format!("LISTEN  {at} · por {device}, qualquer programa desta máquina"),
                format!("a seguir em outro terminal:  curl http://{at}    ou  nc {} {}", at.ip(), at.port()),
            ]);
        }
        Saying::NextClient { host, port, flags } => {
            format!("a seguir em outro terminal:  aperto cliente {host} {port}{flags}")
        }
        Saying::Opened { label, peer, connections, port } => {
            format!(
                "{label} aberta com {peer} · {} · a porta do servidor continua {port}",
                count(*connections)
            )
        }
        Saying::Ended { label, how, received, sent, connections } => format!(
            "{label} {} · {received} bytes de entrada, {sent} de saída · {}",
            ended(*how),
            count(*connections)
        ),
        Saying::TooMany { peer, limit } => {
            format!("recusado {peer}: o limite é de {limit} ao mesmo tempo (--max-conns)")
        }
        Saying::Foreign { from, octets } => {
            format!("[IGNORADO]  {} de {from} que não são segmento nosso", bytes(*octets))
        }
        Saying::LikelyOpened => "            provável: SYN; SYN,ACK; ACK (o sistema não os mostra)".into(),
        Saying::LikelyClosed => "            provável: FIN,ACK e ACK de cada lado".into(),
        Saying::OsText { label, sent, octets, text } => {
            let what = if *sent { "[ENVIADO]  " } else { "[RECEBIDO] " };
            format!("{label}{what} {}{text}", bytes(*octets))
        }
        Saying::OnlyUnusual => "…  daqui em diante só o que é incomum (tudo: --view lines)".into(),
        Saying::Interrupted => "interrompido".into(),
        _ => return None,
    };
    Some(vec![line])
}

/// What a client and whoever types is told.
fn conversation(saying: &Saying) -> Option<Vec<String>> {
    let line = match saying {
        Saying::HandshakeComplete { segments, own_port, server_port } => format!(
            "[HANDSHAKE COMPLETO] {segments} segmentos · sua porta {own_port} · porta do servidor {server_port}"
        ),
        Saying::Connected { own_port, server_port } => {
            format!("[CONECTADO] sua porta {own_port} · porta do servidor {server_port}")
        }
        Saying::Type => "Escreva e tecle Enter. \"sair\" encerra, \"/ajuda\" mostra o resto.".into(),
        Saying::ConnectionClosed { segments, lost, resent, sent } => {
            let lost = if *lost == 1 { "1 perdido".to_string() } else { format!("{lost} perdidos") };
            let resent = if *resent == 1 { "1 reenvio".to_string() } else { format!("{resent} reenvios") };
            format!("[CONEXÃO ENCERRADA] {segments} segmentos, {lost}, {resent} · {sent} bytes enviados")
        }
        Saying::Closed { how, received, sent } => {
            format!("[CONEXÃO {}] {sent} bytes enviados, {received} recebidos", ended(*how).to_uppercase())
        }
        Saying::Keep { client } => {
            let command = if *client { "cliente" } else { "servidor" };
            format!("Guardar?   aperto {command} ... -w conversa.pcapng")
        }
        Saying::Receipt { octets } => format!("recebi {}", bytes(*octets)),
        Saying::Wished { wish, segments } => wished(*wish, *segments),
        Saying::Calm => "            o canal não faz mais nada com os segmentos".into(),
        Saying::NoSuchSegment { number } => format!("            não existe #{number}, ou faz tempo demais"),
        Saying::NotOurs { number } => {
            format!("            #{number} veio do outro lado; o porquê só ele sabe")
        }
        Saying::UnknownSlash { line } => format!("            {line} não é comando; /ajuda mostra todos"),
        Saying::NoChannel => "            com --wire os o canal não é nosso".into(),
        Saying::Help => {
            return Some(
                [
                    "            sair                 encerra (ou quit, exit, Ctrl-D); \\sair diz a palavra",
                    "            /perder [N]          descarta o próximo segmento, ou N deles (/drop)",
                    "            /atrasar 300ms       atrasa-o (/delay)",
                    "            /corromper /duplicar danifica-o, duplica-o (/corrupt, /dup)",
                    "            /normal              deixa tudo em paz de novo",
                    "            /why N               por que #N foi enviado? (/porque)",
                    "            /estado              como está a conexão? (/state)",
                ]
                .map(String::from)
                .to_vec(),
            );
        }
        _ => return None,
    };
    Some(vec![line])
}

fn wished(wish: Wish, segments: u32) -> String {
    let one = segments == 1;
    let which = if one {
        "o próximo segmento que você enviar".to_string()
    } else {
        format!("os próximos {segments} segmentos que você enviar")
    };
    let what = match (wish, one) {
        (Wish::Lose, true) => "será descartado pelo canal".to_string(),
        (Wish::Lose, false) => "serão descartados pelo canal".to_string(),
        (Wish::HoldBack(by), true) => format!("chegará {} atrasado", duration(Language::Portuguese, by)),
        (Wish::HoldBack(by), false) => format!("chegarão {} atrasados", duration(Language::Portuguese, by)),
        (Wish::Damage, true) => "será danificado pelo canal".to_string(),
        (Wish::Damage, false) => "serão danificados pelo canal".to_string(),
        (Wish::Double, true) => "chegará duas vezes".to_string(),
        (Wish::Double, false) => "chegarão duas vezes".to_string(),
    };
    format!("            {which} {what}")
}

/// What came of it.
fn results(saying: &Saying) -> Vec<String> {
    let line = match saying {
        Saying::Hash { label, octets, sha256 } => {
            return vec![format!("{label}leu {}", bytes(*octets)), format!("sha256 {sha256}")];
        }
        Saying::SavedAs { label, file, octets, sha256 } => {
            return vec![format!("{label}gravou {file} · {}", bytes(*octets)), format!("sha256 {sha256}")];
        }
        Saying::SentFile { file, octets, sha256 } => {
            return vec![format!("enviou {file} · {}", bytes(*octets)), format!("sha256 {sha256}")];
        }
        Saying::Wrote { file, sent, arrived, comments } => {
            let comments = if *comments { " · o comentário de cada pacote diz o porquê" } else { "" };
            format!("gravou {file} · {sent} enviados, {arrived} chegaram{comments}")
        }
        Saying::OpenWith { file } => {
            format!("abrir   wireshark {file}        crie uma coluna com o campo frame.comment")
        }
        Saying::Live => "ao vivo aperto servidor 7000 -w - | wireshark -k -i -".into(),
        Saying::NoDatagramAnswer { after } => format!(
            "sem resposta em {}; o UDP não promete nenhuma, nem sabe se algo chegou   RFC 768",
            duration(Language::Portuguese, *after)
        ),
        Saying::Delivered { octets, whole, segments, lost, resent } => {
            let hash = if *whole { "hash igual" } else { "não tudo" };
            let lost = if *lost == 1 { "1 perdido".to_string() } else { format!("{lost} perdidos") };
            let resent = if *resent == 1 { "1 reenvio".to_string() } else { format!("{resent} reenvios") };
            format!("{octets} bytes entregues, {hash} · {segments} segmentos de dados, {lost}, {resent}")
        }
        Saying::Recovery { by_timer, by_acks, seed } => {
            format!("{by_timer} por timer (RTO), {by_acks} por três ACKs repetidos · sorte: --seed {seed}")
        }
        Saying::Repeat { command } => format!("repetir: {command}"),
        Saying::Compared { octets, packets, rtt, timer, lost } => {
            let lost = match lost {
                Impaired::Nothing => "nada perdido".to_string(),
                Impaired::OnePacket(number) => format!("perdido: o {number}º pacote"),
                Impaired::Flags(flags) => flags.clone(),
            };
            let (rtt, timer) = (duration(Language::Portuguese, *rtt), duration(Language::Portuguese, *timer));
            format!("{octets} bytes em {packets} pacotes · RTT {rtt} · timer {timer} · {lost}")
        }
        Saying::TcpBesides { opening, initial_window, window } => {
            let opening = duration(Language::Portuguese, *opening);
            format!(
                "* mais {opening} de abertura; janela inicial de {initial_window} segmentos, não {window}"
            )
        }
        Saying::UdpRead { text } => format!("UDP leu: \"{text}\"       diagramas: --view ladder"),
        Saying::Diagrams => "diagramas: --view ladder".into(),
        Saying::SelectiveRepeatWould { sends, lasted } => {
            format!("SR faria {sends} em {}", milliseconds(Language::Portuguese, *lasted))
        }
        _ => String::new(),
    };
    vec![line]
}

fn count(connections: u64) -> String {
    if connections == 1 { "1 conexão".into() } else { format!("{connections} conexões") }
}

const fn ended(how: Ended) -> &'static str {
    match how {
        Ended::Closed => "encerrada",
        Ended::Reset => "derrubada",
        Ended::Silent => "silenciosa",
        Ended::Unreachable => "inalcançável",
        Ended::Aborted => "abandonada",
    }
}
