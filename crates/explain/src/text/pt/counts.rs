//! Counts, in Portuguese.

use alloc::format;
use alloc::string::String;

use crate::quantity::bytes;
use crate::text::{Counted, Told};

fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

pub(crate) fn counted(counted: &Counted<'_>) -> String {
    match *counted {
        Counted::Segments(n) => plural(n, "segmento", "segmentos"),
        Counted::Lost(n) => plural(n, "perdido", "perdidos"),
        Counted::Resent(n) => plural(n, "reenvio", "reenvios"),
        Counted::Delivered(n) => plural(n, "byte entregue", "bytes entregues"),
        Counted::Sent(n) => plural(n, "byte enviado", "bytes enviados"),
        Counted::Datagrams { arrived, sent, octets, of } => {
            format!("{arrived} de {}, {octets} de {}", plural(sent, "datagrama", "datagramas"), bytes(of))
        }
        Counted::Textbook { sends, packets, resent } => format!(
            "{} para {} ({})",
            plural(sends, "envio de dados", "envios de dados"),
            plural(packets, "pacote", "pacotes"),
            plural(resent, "reenvio", "reenvios")
        ),
        Counted::ServerRead(text) => format!("o servidor leu: \"{text}\""),
        Counted::ShowsAll(rows) => format!("(--all mostra as {rows} linhas)"),
        Counted::DataSegments(n) => plural(n, "segmento de dados", "segmentos de dados"),
        Counted::ByTimer(n) => format!("{n} pelo timer (RTO)"),
        Counted::ByDuplicateAcks(n) => format!("{n} por três ACKs repetidos"),
        Counted::Connections(n) => plural(n, "conexão", "conexões"),
    }
}

pub(crate) fn told(told: &Told<'_>) -> String {
    match *told {
        Told::Open { segments, own_port, server_port } => {
            let segments = plural(segments, "segmento", "segmentos");
            format!("{segments} · sua porta {own_port} · porta do servidor {server_port}")
        }
        Told::OpenWith { remote, connections, own_port } => {
            let connections = plural(connections, "conexão", "conexões");
            format!("aberta com {remote} · {connections} · a porta do servidor continua {own_port}")
        }
        Told::Later(waited) => format!("{waited} depois, nada a enviar"),
    }
}
