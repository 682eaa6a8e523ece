//! What `bench` says: the table's heads, the figures' titles and axes, and what they leave out.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::Language;

/// `1 run`, `5 execuções`.
fn runs_in_words(language: Language, runs: u32) -> String {
    match (language, runs) {
        (Language::English, 1) => "1 run".into(),
        (Language::English, _) => format!("{runs} runs"),
        (Language::Portuguese, 1) => "1 execução".into(),
        (Language::Portuguese, _) => format!("{runs} execuções"),
    }
}

/// The heads of the table.
#[must_use]
pub const fn heads(language: Language) -> [&'static str; 10] {
    match language {
        Language::English => {
            ["proto", "win", "delay", "loss", "reord", "all in", "goodput/s", "theory/s", "resent", "extra"]
        }
        Language::Portuguese => {
            ["proto", "jan", "atraso", "perda", "reord", "tudo em", "útil/s", "teoria/s", "reenv", "extra"]
        }
    }
}

/// What was measured.
#[must_use]
pub fn about(language: Language, packets: u32, payload: u16, runs: u32, cells: usize) -> Vec<String> {
    let runs = runs_in_words(language, runs);
    vec![match language {
        Language::English => {
            format!("{cells} cells · {packets} packets of {payload} bytes, at least 1 ms apart · {runs} each")
        }
        Language::Portuguese => format!(
            "{cells} células · {packets} pacotes de {payload} bytes, a 1 ms ou mais um do outro · {runs}"
        ),
    }]
}

/// What the columns mean.
#[must_use]
pub fn fits(language: Language) -> Vec<String> {
    match language {
        Language::English => vec![
            "delay: one way · loss, reord: each way · extra: bytes on the wire that are no".into(),
            "delivered text · theory: for gbn and sr without reordering; sr's is the most".into(),
            "that is possible · simulated: the same numbers on every machine".into(),
        ],
        Language::Portuguese => vec![
            "atraso: só ida · perda, reord: em cada sentido · extra: bytes no fio que não são".into(),
            "texto entregue · teoria: de gbn e sr sem reordenação; a de sr é o máximo".into(),
            "possível · simulado: os mesmos números em toda máquina".into(),
        ],
    }
}

/// A file was written.
#[must_use]
pub fn wrote(language: Language, file: &str) -> String {
    match language {
        Language::English => format!("wrote {file}"),
        Language::Portuguese => format!("gravou {file}"),
    }
}

/// What a figure has on its axes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Axis {
    /// One way.
    Delay,
    /// Each way.
    Loss,
    /// Each way.
    Reordering,
    /// Packets.
    Window,
    /// Delivered text in a second.
    Goodput,
    /// How often a packet left.
    Sends,
}

/// What stands beside an axis.
#[must_use]
pub const fn axis(language: Language, axis: Axis) -> &'static str {
    match (language, axis) {
        (Language::English, Axis::Delay) => "delay, one way (ms)",
        (Language::Portuguese, Axis::Delay) => "atraso, só ida (ms)",
        (Language::English, Axis::Loss) => "loss, each way (%)",
        (Language::Portuguese, Axis::Loss) => "perda, em cada sentido (%)",
        (Language::English, Axis::Reordering) => "reordering, each way (%)",
        (Language::Portuguese, Axis::Reordering) => "reordenação, em cada sentido (%)",
        (Language::English, Axis::Window) => "window (packets)",
        (Language::Portuguese, Axis::Window) => "janela (pacotes)",
        (Language::English, Axis::Goodput) => "goodput (bit/s)",
        (Language::Portuguese, Axis::Goodput) => "vazão útil (bit/s)",
        (Language::English, Axis::Sends) => "times a packet is sent",
        (Language::Portuguese, Axis::Sends) => "envios por pacote",
    }
}

/// The title of a figure.
#[must_use]
pub fn title(language: Language, of: Axis, over: Axis) -> String {
    let (of, over) = match language {
        Language::English => (
            if of == Axis::Sends { "Times a packet is sent" } else { "Goodput" },
            match over {
                Axis::Delay => "delay",
                Axis::Loss => "loss",
                Axis::Reordering => "reordering",
                Axis::Window | Axis::Goodput | Axis::Sends => "the window",
            },
        ),
        Language::Portuguese => (
            if of == Axis::Sends { "Envios por pacote" } else { "Vazão útil" },
            match over {
                Axis::Delay => "do atraso",
                Axis::Loss => "da perda",
                Axis::Reordering => "da reordenação",
                Axis::Window | Axis::Goodput | Axis::Sends => "da janela",
            },
        ),
    };
    match language {
        Language::English => format!("{of} against {over}"),
        Language::Portuguese => format!("{of} em função {over}"),
    }
}

/// The value of a dimension over a panel: `delay 50 ms`.
#[must_use]
pub fn fixed(language: Language, dimension: Axis, value: &str) -> String {
    match (language, dimension) {
        (Language::English, Axis::Delay) => format!("delay {value}"),
        (Language::Portuguese, Axis::Delay) => format!("atraso {value}"),
        (Language::English, Axis::Loss) => format!("loss {value}"),
        (Language::Portuguese, Axis::Loss) => format!("perda {value}"),
        (Language::English, Axis::Reordering) => format!("reordering {value}"),
        (Language::Portuguese, Axis::Reordering) => format!("reordenação {value}"),
        (Language::English, _) => format!("window {value}"),
        (Language::Portuguese, _) => format!("janela {value}"),
    }
}

/// A name in the legend: what is measured, and what the formula says.
#[must_use]
pub fn series(language: Language, protocol: &str, is_theory: bool) -> String {
    match (language, is_theory) {
        (Language::English, false) => format!("{protocol}, measured"),
        (Language::Portuguese, false) => format!("{protocol}, medido"),
        (Language::English, true) => format!("{protocol}, theory"),
        (Language::Portuguese, true) => format!("{protocol}, teoria"),
    }
}

/// What a reader of a figure should know.
#[must_use]
pub fn caption(language: Language, packets: u32, payload: u16, runs: u32, seed: u64) -> Vec<String> {
    let runs = runs_in_words(language, runs);
    match language {
        Language::English => vec![
            format!(
                "{packets} packets of {payload} bytes, at least 1 ms apart; {runs}, luck from seed {seed}; simulated."
            ),
            "Theory: no reordering, loss of packets and ACKs; Selective Repeat's goodput is an upper bound.".into(),
        ],
        Language::Portuguese => vec![
            format!(
                "{packets} pacotes de {payload} bytes, a 1 ms ou mais um do outro; {runs}, sorte da semente {seed}; simulado."
            ),
            "Teoria: sem reordenação, com perda de pacotes e de ACKs; a vazão de Selective Repeat é um limite superior.".into(),
        ],
    }
}
