//! What `check` says of claims: whether each holds, by which packets one sees it, and the rule.

mod en;
mod pt;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use aperto_time::Duration;
use aperto_trace::check::{Claim, Counted, Fault, Verdict, What};
use aperto_trace::{Number, check};

use crate::Language;
use crate::quantity::milliseconds;
use crate::rule::{Citation, Rule};
use crate::wording::{cut, pad, tame, width, wrap};

/// How many columns a line takes at most.
const COLUMNS: usize = 80;
/// Where the evidence of a short claim stands.
const EVIDENCE: usize = 53;
/// Where it stands if there is more to say.
const MORE: usize = 32;
/// Where a claim stands.
const CLAIM: usize = 6;

/// A line of claims that is not understood.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct WrongClaim {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: Fault,
    /// The word that was perhaps meant.
    pub nearest: Option<String>,
}

/// What is wrong with a line, in words.
#[must_use]
pub fn wrong(language: Language, wrong: &WrongClaim) -> String {
    let (line, text) = match language {
        Language::English => ("line", en::fault(&wrong.what)),
        Language::Portuguese => ("linha", pt::fault(&wrong.what)),
    };
    let mut text = format!("{line} {}: {text}", wrong.line);
    if let Some(nearest) = &wrong.nearest {
        let meant = match language {
            Language::English => "did you mean",
            Language::Portuguese => "você quis dizer",
        };
        text.push_str(&format!("; {meant}  {nearest}"));
    }
    tame(&text)
}

/// The words with which a claim can begin, or that were expected: where the nearest is looked for.
#[must_use]
pub fn candidates(fault: &Fault) -> Vec<String> {
    match fault {
        Fault::UnknownClaim { .. } => {
            let all = check::words::TABLE.iter();
            all.flat_map(|(_, english, portuguese, _)| [(*english).into(), (*portuguese).into()]).collect()
        }
        Fault::Expected { words, .. } => words.iter().map(|word| (*word).to_string()).collect(),
        _ => Vec::new(),
    }
}

/// A claim and what became of it: one line, or as many as it needs.
#[must_use]
pub fn verdict(language: Language, claim: &Claim, verdict: &Verdict) -> Vec<String> {
    let word = match (verdict.holds, language) {
        (true, _) => "ok",
        (false, Language::English) => "FAIL",
        (false, Language::Portuguese) => "FALHA",
    };
    let mut line = String::from(word);
    pad(&mut line, CLAIM);
    line.push_str(&cut(&tame(&claim.text), COLUMNS - CLAIM));
    let mut evidence = evidence(language, claim, verdict);
    if !verdict.holds
        && let Some(rule) = rule(&claim.what)
    {
        evidence.push_str(&format!(" · {}", rule.cite(Citation::Whole)));
    }
    if evidence.is_empty() {
        return Vec::from([line]);
    }
    let used = width(&line);
    if verdict.holds && used < EVIDENCE - 1 && width(&evidence) <= COLUMNS - EVIDENCE {
        pad(&mut line, EVIDENCE);
        line.push_str(&evidence);
        return Vec::from([line]);
    }
    let (column, first) = if used < MORE - 1 { (MORE, Some(line)) } else { (MORE, None) };
    let mut lines: Vec<String> = Vec::new();
    if first.is_none() {
        let mut alone = String::from(word);
        pad(&mut alone, CLAIM);
        alone.push_str(&cut(&tame(&claim.text), COLUMNS - CLAIM));
        lines.push(alone);
    }
    let mut begin = first.unwrap_or_default();
    for part in wrap(&evidence, COLUMNS - column) {
        pad(&mut begin, column);
        begin.push_str(part.trim_end());
        lines.push(core::mem::take(&mut begin));
    }
    lines
}

/// How many failed, with the code at the right.
#[must_use]
pub fn summary(language: Language, failed: u64, all: u64) -> String {
    let mut line = match (language, failed) {
        (Language::English, 0) => return format!("{all} of {all} ok"),
        (Language::Portuguese, 0) => return format!("{all} de {all} ok"),
        (Language::English, _) => format!("{failed} of {all} failed"),
        (Language::Portuguese, 1) => format!("1 de {all} falhou"),
        (Language::Portuguese, _) => format!("{failed} de {all} falharam"),
    };
    let code = match language {
        Language::English => "(exit 1)",
        Language::Portuguese => "(saída 1)",
    };
    pad(&mut line, COLUMNS - width(code));
    line.push_str(code);
    line
}

fn evidence(language: Language, claim: &Claim, verdict: &Verdict) -> String {
    match language {
        Language::English => en::evidence(claim, verdict),
        Language::Portuguese => pt::evidence(claim, verdict),
    }
}

/// The rule behind a claim, for whoever meets it broken.
const fn rule(what: &What) -> Option<Rule> {
    Some(match what {
        What::Handshake(_) => Rule::tcp("3.5"),
        What::ClosedFirst(_) | What::CloseSegments(_) => Rule::tcp("3.6"),
        What::State(..) => Rule::tcp("3.3.2"),
        What::Isn { .. } => Rule::tcp("3.4.1"),
        What::Port(..) => Rule::tcp("3.1"),
        What::Delivered { .. } | What::Count(Counted::Octets(_), _) => Rule::tcp("2.2"),
        What::Count(Counted::Retransmissions, _) => Rule::Rfc(6298, "5"),
        What::Count(Counted::ZeroWindows, _) => Rule::tcp("3.8.6"),
        What::Count(Counted::Resets, _) => Rule::tcp("3.5.2"),
        What::Count(Counted::Flags(_), _) => Rule::tcp("3.1"),
        What::Answer { .. } | What::OtherTraffic | What::Count(..) | What::Duration(_) => return None,
    })
}

/// `#8, #9, #10`; with dots where there are more than are named.
fn numbers(packets: &[Number], of: u64) -> String {
    let mut text: Vec<String> = packets.iter().map(ToString::to_string).collect();
    if of > packets.len() as u64 && !packets.is_empty() {
        text.push("…".into());
    }
    text.join(", ")
}

/// `#4 -> #6, 0.10 ms`.
fn answered(language: Language, packets: &[Number], took: Duration) -> String {
    let ends: Vec<String> = packets.iter().map(ToString::to_string).collect();
    format!("{}, {}", ends.join(" -> "), time(language, took))
}

/// A time; below ten milliseconds with two decimals.
fn time(language: Language, time: Duration) -> String {
    if time >= Duration::from_millis(10) {
        return milliseconds(language, time);
    }
    let hundredths = (time.as_micros() + 5) / 10;
    let point = if language == Language::English { '.' } else { ',' };
    format!("{}{point}{:02} ms", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests;
