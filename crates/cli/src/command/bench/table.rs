//! The results of `bench` as a table for people, for spreadsheets and for programs.
//!
//! CSV and JSON have whole numbers with the unit in their name; what there is not is empty there and
//! `null` here. A text that a spreadsheet would take for a formula is given an apostrophe.

use std::fmt::Write as _;
use std::time::Duration;

use aperto_explain::Language;
use aperto_explain::program::bench::{about, fits, heads};
use aperto_explain::quantity;
use aperto_explain::wording::width;
use aperto_sim::quantity::Probability;
use aperto_sim::recipe::Protocol;

use super::Row;
use crate::arguments::bench::Bench;
use crate::looks::Looks;

/// The columns of CSV and JSON, in order.
const COLUMNS: [&str; 24] = [
    "protocol",
    "window_packets",
    "delay_ns",
    "loss_ppm",
    "reorder_ppm",
    "packets",
    "payload_octets",
    "timer_ns",
    "seed",
    "runs",
    "complete_runs",
    "sends",
    "resends",
    "acks",
    "delivered_octets",
    "expected_octets",
    "wire_octets",
    "overhead_ppm",
    "completion_mean_ns",
    "completion_least_ns",
    "completion_most_ns",
    "goodput_bps",
    "theory_packet_ns",
    "theory_goodput_bps",
];

/// What the formula promises, in delivered bits a second.
pub(super) fn theory_goodput(job: &Bench, row: &Row) -> Option<u64> {
    aperto_sim::bench::bits_per_second(u64::from(job.load.payload), row.theory?)
}

/// The window, where the protocol has one of ours.
pub(super) fn window(row: &Row) -> Option<u16> {
    match row.cell.protocol {
        Protocol::Tcp | Protocol::Udp => None,
        Protocol::StopAndWait => Some(1),
        Protocol::GoBackN | Protocol::SelectiveRepeat => Some(row.cell.window),
    }
}

/// The numbers of a row, in the order of the columns after the first.
fn numbers(job: &Bench, row: &Row) -> [Option<u64>; 23] {
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).ok();
    let millionths = |share: Probability| Some(u64::from(share.millionths()));
    let [mean, least, most] = row.time.map_or([None; 3], |times| times.map(nanos));
    [
        window(row).map(u64::from),
        nanos(row.cell.delay),
        millionths(row.cell.loss),
        millionths(row.cell.reordering),
        Some(u64::from(job.load.packets)),
        Some(u64::from(job.load.payload)),
        row.cell.protocol.textbook().and_then(|_| nanos(row.timer)),
        Some(job.seed),
        Some(u64::from(job.runs)),
        Some(u64::from(row.complete)),
        Some(row.sum.sends),
        Some(row.sum.resends),
        Some(row.sum.acks),
        Some(row.sum.delivered),
        Some(row.sum.of),
        Some(row.sum.wire_octets),
        row.sum.overhead_millionths(),
        mean,
        least,
        most,
        row.goodput,
        row.theory.and_then(nanos),
        theory_goodput(job, row),
    ]
}

/// For a spreadsheet: RFC 4180, a head line, lines end with CR LF.
pub(super) fn csv(job: &Bench, rows: &[Row]) -> String {
    let mut text = COLUMNS.join(",");
    text.push_str(",tag\r\n");
    let tag = cell(job.tag.as_deref().unwrap_or_default());
    for row in rows {
        text.push_str(row.cell.protocol.name());
        for number in numbers(job, row) {
            text.push(',');
            if let Some(number) = number {
                let _ = write!(text, "{number}");
            }
        }
        text.push(',');
        text.push_str(&tag);
        text.push_str("\r\n");
    }
    text
}

/// A text as a cell: no formula, and quoted where it must be.
fn cell(text: &str) -> String {
    let formula = text.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r', '|', '%']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// For programs.
pub(super) fn json(job: &Bench, rows: &[Row]) -> String {
    let mut text = format!("{{\"v\":1,\"type\":\"bench\",\"command\":{}", string(&job.repeat));
    if let Some(tag) = &job.tag {
        let _ = write!(text, ",\"tag\":{}", string(tag));
    }
    text.push_str(",\"cells\":[");
    for (place, row) in rows.iter().enumerate() {
        text.push_str(if place == 0 { "\n" } else { ",\n" });
        let _ = write!(text, "{{\"{}\":\"{}\"", COLUMNS[0], row.cell.protocol.name());
        for (name, number) in COLUMNS.iter().skip(1).zip(numbers(job, row)) {
            match number {
                Some(number) => {
                    let _ = write!(text, ",\"{name}\":{number}");
                }
                None => {
                    let _ = write!(text, ",\"{name}\":null");
                }
            }
        }
        text.push('}');
    }
    text.push_str("\n]}\n");
    text
}

/// A text in JSON.
fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            letter if u32::from(letter) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

/// For people, at most 80 columns.
pub(super) fn lines(job: &Bench, rows: &[Row], looks: &Looks) -> Vec<String> {
    let language = looks.language;
    let mut lines = about(language, job.load.packets, job.load.payload, job.runs, rows.len());
    lines.push(String::new());
    let mut table: Vec<[String; 10]> = vec![heads(language).map(String::from)];
    for row in rows {
        let time = |time: Duration| quantity::duration(language, rounded(time));
        let share = |share: Probability| format!("{share}");
        let spoken = |bits: u64| match language {
            Language::English => rate(bits),
            Language::Portuguese => rate(bits).replace('.', ","),
        };
        let missing = "--".to_owned();
        table.push([
            row.cell.protocol.name().to_owned(),
            window(row).map_or_else(|| missing.clone(), |window| window.to_string()),
            time(row.cell.delay),
            share(row.cell.loss),
            share(row.cell.reordering),
            row.time.map_or_else(|| missing.clone(), |[mean, ..]| time(mean)),
            row.goodput.map_or_else(|| missing.clone(), spoken),
            theory_goodput(job, row).map_or_else(|| missing.clone(), spoken),
            (row.sum.resends / u64::from(job.runs.max(1))).to_string(),
            row.sum.overhead_millionths().map_or_else(|| missing.clone(), |ppm| format!("{}%", ppm / 10_000)),
        ]);
    }
    let widths: Vec<usize> =
        (0..10).map(|column| table.iter().map(|cells| width(&cells[column])).max().unwrap_or(0)).collect();
    for cells in &table {
        let mut line = String::new();
        for (column, (text, room)) in cells.iter().zip(&widths).enumerate() {
            let space = " ".repeat(room - width(text));
            if column == 0 {
                line.push_str(text);
                line.push_str(&space);
            } else {
                line.push_str("  ");
                line.push_str(&space);
                line.push_str(text);
            }
        }
        lines.push(line.trim_end().to_owned());
    }
    lines.push(String::new());
    lines.extend(fits(language));
    if !looks.quiet {
        lines.push(format!("{}: {}", looks.say("repeat", "repetir"), job.repeat));
    }
    lines
}

/// Three digits are enough to read.
fn rounded(time: Duration) -> Duration {
    let nanos = time.as_nanos();
    let digits = nanos.checked_ilog10().unwrap_or(0);
    let unit = 10_u128.pow(digits.saturating_sub(2));
    let nanos = (nanos + unit / 2) / unit * unit;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// `1.28 Mbit`, `640 kbit`: in a second.
fn rate(bits: u64) -> String {
    let (unit, name) = match bits {
        0..1_000 => (1, "bit"),
        1_000..1_000_000 => (1_000, "kbit"),
        _ => (1_000_000, "Mbit"),
    };
    let hundredths = bits * 100 / unit;
    match hundredths {
        0..1_000 if unit > 1 => format!("{}.{:02} {name}", hundredths / 100, hundredths % 100),
        1_000..10_000 if unit > 1 => format!("{}.{} {name}", hundredths / 100, hundredths % 100 / 10),
        _ => format!("{} {name}", hundredths / 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What spreadsheets run: `=`, `+`, `-`, `@`, and what hides them.
    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1"] {
            assert!(cell(text).trim_start_matches('"').starts_with('\''), "{text:?}");
        }
        assert_eq!(cell("turma B, RA 1"), "\"turma B, RA 1\"");
        assert_eq!(cell("a \"b\""), "\"a \"\"b\"\"\"");
        assert_eq!(cell("Ana"), "Ana");
    }

    #[test]
    fn numbers_are_rounded_to_three_digits() {
        assert_eq!(rate(999), "999 bit");
        assert_eq!(rate(1_284_999), "1.28 Mbit");
        assert_eq!(rate(40_960), "40.9 kbit");
        assert_eq!(rounded(Duration::from_nanos(1_234_567)), Duration::from_nanos(1_230_000));
        assert_eq!(rounded(Duration::ZERO), Duration::ZERO);
    }
}
