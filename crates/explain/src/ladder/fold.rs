//! Which rows are shown: repetitions and silences folded, or only the repair of a loss.

use alloc::vec::Vec;

use aperto_time::{Duration, Instant};
use aperto_trace::{Direction, Trace};

use super::{ArrowEnd, Aside, Drawn, Extent, Kind, Made, PacketRow, Piece, RepeatedRow, Row, View};
use crate::text::{Word, word};

/// Repetitions are folded from so many rows on.
const FOLDED_FROM: usize = 4;
/// A silence shorter than this is never folded.
const SHORTEST_SILENCE: Duration = Duration::from_millis(500);
/// A ladder with more packets says how many it has where it leaves rows out.
const SAYS_HOW_MANY: usize = 12;

/// When a row is.
pub(super) fn time_of(row: &Row) -> Option<Instant> {
    match row {
        Row::Packet(row) => row.sent.or(row.received),
        Row::Arrival(row) => Some(row.at),
        Row::States { at, .. } | Row::Timer { at, .. } | Row::Call { at, .. } => Some(*at),
        Row::Repeated(row) => row.first.sent.or(row.first.received),
        Row::Silence(_) | Row::Elided { .. } => None,
    }
}

/// When a row ends: a folded one ends later than it begins.
fn end_of(row: &Row) -> Option<Instant> {
    match row {
        Row::Repeated(row) => row.last.sent.or(row.last.received),
        other => time_of(other),
    }
}

/// Leaves out what need not be shown.
pub(super) fn fold(rows: Vec<Row>, kind: Kind, trace: &Trace, view: &View) -> Vec<Row> {
    let rows = match view.extent {
        Extent::All => return rows,
        Extent::Folded => repetitions(rows),
        Extent::Recovery => recovery(rows, kind, view),
    };
    silences(once(rows), trace)
}

/// A sentence that the same side's row before it has said already is not said again.
fn once(mut rows: Vec<Row>) -> Vec<Row> {
    let mut said: [Option<Aside>; 2] = [None, None];
    for row in &mut rows {
        let row = match row {
            Row::Packet(row) => row,
            Row::Repeated(row) => &mut row.first,
            _ => continue,
        };
        let Some(said) = said.get_mut(usize::from(row.direction == Direction::Down)) else { continue };
        let first = row.asides.first().map(|aside| Aside { congestion: None, ..aside.clone() });
        if first.is_some() && first == *said {
            row.asides.remove(0);
        } else {
            *said = first;
        }
    }
    rows
}

fn can_fold(row: &PacketRow) -> bool {
    let plain = |piece: &Piece| match piece {
        Piece::Mark(mark) => {
            mark.rsplit_once(' ').is_some_and(|(_, count)| count.parse::<u32>().is_ok_and(|count| count > 3))
        }
        Piece::Text(_) | Piece::Options(_) => true,
    };
    row.end == ArrowEnd::Arrives
        && row.drawn == Drawn::Whole
        && row.made == Made::BySender
        && row.label.iter().all(plain)
        && row.asides.len() <= 1
}

fn alike(one: &PacketRow, other: &PacketRow) -> bool {
    one.direction == other.direction && one.likeness == other.likeness && one.cells == other.cells
}

fn repetitions(rows: Vec<Row>) -> Vec<Row> {
    let mut out = Vec::with_capacity(rows.len());
    let mut run: Vec<PacketRow> = Vec::new();
    for row in rows {
        match row {
            Row::Packet(row) if can_fold(&row) => {
                if run.first().is_some_and(|first| !alike(first, &row)) {
                    end_run(&mut run, &mut out);
                }
                run.push(row);
            }
            other => {
                end_run(&mut run, &mut out);
                out.push(other);
            }
        }
    }
    end_run(&mut run, &mut out);
    out
}

fn end_run(run: &mut Vec<PacketRow>, out: &mut Vec<Row>) {
    let count = run.len();
    if count >= FOLDED_FROM
        && let (Some(first), Some(last)) = (run.first(), run.last())
    {
        out.push(Row::Repeated(RepeatedRow { first: first.clone(), last: last.clone(), count }));
        run.clear();
    } else {
        out.extend(run.drain(..).map(Row::Packet));
    }
}

fn silences(rows: Vec<Row>, trace: &Trace) -> Vec<Row> {
    let rtt = trace.header.link.as_ref().map_or(Duration::ZERO, aperto_trace::Link::rtt);
    let shortest = SHORTEST_SILENCE.max(rtt.saturating_mul(5));
    let mut out: Vec<Row> = Vec::with_capacity(rows.len());
    let mut before: Option<Instant> = None;
    for row in rows {
        let explains_itself = matches!(row, Row::Timer { .. });
        if let (Some(before), Some(now)) = (before, time_of(&row))
            && now.since(before) >= shortest
            && !explains_itself
        {
            out.push(Row::Silence(now.since(before)));
        }
        before = end_of(&row).or(before);
        out.push(row);
    }
    out
}

/// From shortly before the first loss until one row after the first repair.
fn recovery(rows: Vec<Row>, kind: Kind, view: &View) -> Vec<Row> {
    let goes_wrong = |row: &Row| match row {
        Row::Packet(row) => {
            matches!(row.end, ArrowEnd::Lost(_) | ArrowEnd::Corrupt) || row.made == Made::ByChannel
        }
        Row::Arrival(_) => true,
        _ => false,
    };
    let Some(wrong) = rows.iter().position(goes_wrong) else { return repetitions(rows) };
    let resent = word(view.language, Word::Resent);
    let is_repair = |row: &Row| match row {
        Row::Packet(row) => {
            row.label.iter().any(|piece| matches!(piece, Piece::Mark(mark) if mark.starts_with(resent)))
        }
        _ => false,
    };
    let before = match kind {
        Kind::Tcp => 1,
        Kind::Udp | Kind::Textbook | Kind::Other => 5,
    };
    let start = wrong.saturating_sub(before);
    let repair = rows.iter().skip(wrong).position(is_repair).map_or(wrong, |after| wrong + after);
    let total = rows.iter().filter(|row| matches!(row, Row::Packet(_))).count();
    let end = (repair + 2).min(rows.len());
    let elided = end < rows.len() && kind != Kind::Udp;
    let duplicate = word(view.language, Word::Duplicate);
    let is_told = |row: &Row| match row {
        // What has been explained once is not shown again on the way to the repair.
        Row::Packet(row) => {
            kind == Kind::Textbook
                && row.asides.is_empty()
                && row.label.iter().any(|piece| matches!(piece, Piece::Mark(mark) if mark == duplicate))
        }
        _ => false,
    };
    let mut out: Vec<Row> = Vec::new();
    for (place, mut row) in rows.into_iter().enumerate().take(end).skip(start) {
        if is_told(&row) {
            continue;
        }
        if let Row::Packet(row) = &mut row
            && place < wrong
        {
            row.asides.clear();
        }
        if place < wrong && matches!(row, Row::States { .. }) {
            continue;
        }
        out.push(row);
    }
    if elided {
        out.push(Row::Elided { of: (total > SAYS_HOW_MANY).then_some(total) });
    }
    out
}
