//! The table of a server's connections by their four numbers, and why the client's port changes.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

use crate::Language;
use crate::rule::{Citation, Rule};
use crate::wording::{cut, pad, spread, wrap};

/// How many columns a line takes at most.
const COLUMNS: usize = 80;

/// A connection of a server's.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "a row of the table below")]
pub struct FourTuple {
    pub label: String,
    pub local: SocketAddr,
    pub remote: SocketAddr,
    pub state: String,
    pub received: u64,
    pub sent: u64,
}

/// The table, and under it what differs between its rows and why.
#[must_use]
pub fn table(language: Language, rows: &[FourTuple]) -> Vec<String> {
    let english = language == Language::English;
    let heads = if english {
        ["", "server", "client", "state", "read", "written"]
    } else {
        ["", "servidor", "cliente", "estado", "lidos", "escritos"]
    };
    let mut lines = Vec::from([row(heads)]);
    for one in rows {
        let (local, remote) = (format!("{}", one.local), format!("{}", one.remote));
        let (received, sent) = (format!("{}", one.received), format!("{}", one.sent));
        lines.push(row([&one.label, &local, &remote, &one.state, &received, &sent]));
    }
    let Some(first) = rows.first() else {
        return Vec::from([String::from(if english {
            "no connection yet"
        } else {
            "nenhuma conexão ainda"
        })]);
    };
    lines.extend(why(language, first.local.port()));
    lines
}

/// Why the server's port stays and the client's changes.
#[must_use]
pub fn why(language: Language, port: u16) -> Vec<String> {
    let sentences = match language {
        Language::English => [
            (
                format!("the server's port stays {port}: it is the one that clients must know"),
                Rule::tcp("3.9.1"),
            ),
            (
                "the client's port changes: its system takes a free one for each connection".into(),
                Rule::Rfc(6056, "2.2"),
            ),
            (
                "two addresses and two ports tell connections apart; one of the four is enough".into(),
                Rule::tcp("3.4.1"),
            ),
        ],
        Language::Portuguese => [
            (
                format!("a porta do servidor continua {port}: é a que os clientes precisam saber"),
                Rule::tcp("3.9.1"),
            ),
            (
                "a porta do cliente muda: o sistema dele pega uma livre para cada conexão".into(),
                Rule::Rfc(6056, "2.2"),
            ),
            (
                "dois endereços e duas portas distinguem as conexões; basta um dos quatro mudar".into(),
                Rule::tcp("3.4.1"),
            ),
        ],
    };
    let mut lines = Vec::new();
    for (text, rule) in sentences {
        let mut parts = wrap(&text, COLUMNS);
        let last = parts.pop().unwrap_or_default();
        lines.extend(parts);
        lines.extend(spread(&last, &rule.cite(Citation::Whole), COLUMNS));
    }
    lines
}

fn row(cells: [&str; 6]) -> String {
    let mut line = String::new();
    for (cell, column) in cells.into_iter().zip([0, 5, 27, 49, 63, 71]) {
        if column > 0 {
            pad(&mut line, column - 1);
            line.push(' ');
        }
        line.push_str(cell);
    }
    cut(line.trim_end(), COLUMNS)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::wording::width;

    #[test]
    fn three_clients_of_one_port_are_three_rows() {
        let one = |label: &str, port| FourTuple {
            label: label.to_string(),
            local: SocketAddr::from(([127, 0, 0, 1], 7000)),
            remote: SocketAddr::from(([127, 0, 0, 1], port)),
            state: "ESTABLISHED".to_string(),
            received: 13,
            sent: 15,
        };
        let lines = table(Language::English, &[one("c1", 52814), one("c2", 52816)]);
        assert_eq!(
            lines[..3],
            [
                "     server                client                state         read    written",
                "c1   127.0.0.1:7000        127.0.0.1:52814       ESTABLISHED   13      15",
                "c2   127.0.0.1:7000        127.0.0.1:52816       ESTABLISHED   13      15",
            ]
        );
        for language in Language::ALL {
            let told = table(language, &[one("c1", 1)]);
            assert!(told.iter().all(|line| width(line) <= COLUMNS), "{told:?}");
            assert!(told.join(" ").contains("RFC 6056 §2.2"));
            assert_eq!(table(language, &[]).len(), 1);
        }
    }
}
