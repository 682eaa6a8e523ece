//! From rows to lines.
//!
//! 80 columns: number, time, left column (12), arrow (41), right column (12). 120 columns: number, two
//! times, left column, arrow (58), right column (28). Other widths give to the arrow or take from it.
//! What does not fit on an arrow goes to a line below it, and no line is wider than the page.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use aperto_time::Instant;
use aperto_trace::Direction;

use super::{
    ArrivalRow, ArrowEnd, Aside, Drawn, Glyphs, Hue, Ladder, Line, Made, NARROWEST, PacketRow, Piece,
    RepeatedRow, Row, View, Why, fold,
};
use crate::context::Side;
use crate::quantity;
use crate::text::{self, Counted, Word};
use crate::wording::{cut, pad, tame, to_ascii, width};

/// Up to so many rows, reasons are whole sentences if nobody says otherwise.
const SENTENCES_UP_TO: usize = 40;
const LEFT_COLUMNS: usize = 12;

/// Where things stand on a page.
#[derive(Clone, Copy, Debug)]
struct Geometry {
    /// Where the first time ends.
    sent: usize,
    /// Where the left column begins.
    left: usize,
    arrow: usize,
    arrow_columns: usize,
    right: usize,
    right_columns: usize,
    width: usize,
}

impl Geometry {
    fn new(ladder: &Ladder, view: &View) -> Self {
        let width = view.width.max(NARROWEST);
        let times = ladder.rows.iter().filter_map(fold::time_of).map(|at| ladder.times.told(at).len());
        let time = times.max().unwrap_or(1);
        let numbers = ladder.rows.iter().filter_map(|row| match row {
            Row::Packet(row) => Some(row.number),
            Row::Repeated(row) => Some(row.last.number),
            _ => None,
        });
        let number = numbers.max().map_or(1, |number| number.0.to_string().len()).max(3);
        let column = if view.is_wide() { 8 } else { 9 };
        let sent = (3 + column).max(number + 1 + time);
        let left = if view.is_wide() { sent + column.max(time + 1) + 1 } else { sent + 1 };
        let arrow = left + LEFT_COLUMNS + 1;
        let right_columns = if view.is_wide() { 28 } else { LEFT_COLUMNS };
        let arrow_columns = width.saturating_sub(arrow + 1 + right_columns).max(12);
        let right = arrow + arrow_columns + 1;
        Self { sent, left, arrow, arrow_columns, right, right_columns: width.saturating_sub(right), width }
    }
}

/// The whole page.
pub(super) fn page(ladder: &Ladder, view: &View) -> Vec<Line> {
    let geometry = Geometry::new(ladder, view);
    let pen = Pen { ladder, view, geometry, full: full_sentences(ladder, view) };
    let mut lines: Vec<Line> = ladder.header.iter().map(|line| Line::of(cut(line, geometry.width))).collect();
    lines.push(pen.heads());
    for row in &ladder.rows {
        pen.row(row, &mut lines);
    }
    lines.extend(ladder.footer.iter().map(|line| Line::of(cut(line, geometry.width))));
    for line in &mut lines {
        for span in &mut line.spans {
            span.text = tame(&span.text);
        }
        if view.glyphs == Glyphs::Ascii {
            for span in &mut line.spans {
                span.text = to_ascii(&span.text);
            }
            // Three points for an ellipsis may be two too many.
            line.truncate(geometry.width);
        }
        line.trim();
    }
    lines
}

fn full_sentences(ladder: &Ladder, view: &View) -> bool {
    match view.why {
        Why::Full => true,
        Why::Auto => ladder.rows.len() <= SENTENCES_UP_TO,
        Why::Short | Why::None => false,
    }
}

struct Pen<'a> {
    ladder: &'a Ladder,
    view: &'a View,
    geometry: Geometry,
    full: bool,
}

impl Pen<'_> {
    fn heads(&self) -> Line {
        let wide = self.view.is_wide();
        let mut text = String::from("  #");
        if wide {
            let sent = if self.view.language == crate::Language::English { "sent" } else { "saiu" };
            let received = if self.view.language == crate::Language::English { "rcvd" } else { "chegou" };
            text = format!("{text}{sent:>w$}", w = self.geometry.sent - 3);
            let end = self.geometry.left - 1;
            text = format!("{text}{received:>w$}", w = end - self.geometry.sent);
        } else {
            text = format!("{text}{:>w$}", self.ladder.times.head(), w = self.geometry.sent - 3);
        }
        let [left, right] = &self.ladder.heads;
        pad(&mut text, self.geometry.left);
        text.push_str(left);
        let room = self.geometry.width.saturating_sub(width(right));
        pad(&mut text, self.geometry.right.min(room));
        text.push_str(right);
        Line::of(cut(&text, self.geometry.width))
    }

    fn row(&self, row: &Row, lines: &mut Vec<Line>) {
        match row {
            Row::Packet(row) => self.packet(row, lines),
            Row::Arrival(row) => self.arrival(row, lines),
            Row::Repeated(row) => self.repeated(row, lines),
            Row::States { at, cells } => {
                let mut line = self.start("", &self.time(Some(*at)), None, cells);
                self.right(&mut line, cells);
                lines.push(line);
            }
            Row::Timer { at, says, .. } => {
                let name = text::word(self.view.language, Word::Timer);
                let head = format!("{} {name}   ", self.view.glyphs.clock());
                lines.push(self.told(*at, &head, says));
            }
            Row::Call { at, side, says } => lines.push(self.called(*at, *side, says)),
            Row::Silence(lasts) => {
                let lasts = quantity::milliseconds(self.view.language, *lasts);
                lines.push(Line::painted(Hue::Aside, format!("  ~  {lasts}  ~")));
            }
            Row::Elided { of } => {
                let mut text = format!("  {}", self.view.glyphs.ellipsis());
                if let Some(of) = of {
                    text.push_str("   ");
                    text.push_str(&text::counted(self.view.language, &Counted::ShowsAll(*of)));
                }
                lines.push(Line::of(text));
            }
        }
    }

    /// A timer or a call: its time ends one column further right than that of packets.
    fn told(&self, at: Instant, head: &str, says: &crate::Wording) -> Line {
        let mut text = format!("{:>w$} ", self.time(Some(at)), w = self.geometry.sent + 1);
        text.push_str(head);
        let room = self.geometry.width.saturating_sub(width(&text));
        text.push_str(&says.within(room));
        Line::painted(Hue::Aside, text)
    }

    /// A call stands on the side of whoever calls.
    fn called(&self, at: Instant, side: Option<Side>, says: &crate::Wording) -> Line {
        if side != Some(Side::Server) {
            return self.told(at, "", says);
        }
        let mut text = format!("{:>w$} ", self.time(Some(at)), w = self.geometry.sent + 1);
        let says = says.within(self.geometry.width.saturating_sub(width(&text)));
        let column = self.geometry.width.saturating_sub(width(&says)).max(width(&text));
        pad(&mut text, column);
        text.push_str(&says);
        Line::painted(Hue::Aside, text)
    }

    fn time(&self, at: Option<Instant>) -> String {
        at.map_or_else(|| "-".to_string(), |at| self.ladder.times.told(at))
    }

    /// Number, times and left column.
    fn start(&self, number: &str, sent: &str, received: Option<&str>, cells: &[Option<String>; 2]) -> Line {
        let mut text = format!("{number:>3}");
        let room = self.geometry.sent.saturating_sub(width(&text));
        text = format!("{text}{sent:>room$}");
        if let Some(received) = received {
            let room = (self.geometry.left - 1).saturating_sub(width(&text));
            text = format!("{text}{received:>room$}");
        }
        let mut line = Line::of(text);
        line.pad(self.geometry.left);
        if let Some(cell) = &cells[0] {
            line.push(None, cut(cell, LEFT_COLUMNS + 1));
        }
        line
    }

    fn right(&self, line: &mut Line, cells: &[Option<String>; 2]) {
        let Some(cell) = &cells[1] else { return };
        let room = self.geometry.right_columns;
        // A word that is one column too wide takes the column between.
        let start = self.geometry.right - usize::from(width(cell) > room);
        if line.columns() > start {
            return;
        }
        line.pad(start);
        line.push(None, cut(cell, self.geometry.width - start));
    }

    fn packet(&self, row: &PacketRow, lines: &mut Vec<Line>) {
        let number = match row.made {
            Made::BySender => row.number.0.to_string(),
            Made::ByChannel => String::new(),
        };
        let wide = self.view.is_wide();
        let (sent, received) = if wide {
            (self.time(row.sent), Some(self.time(row.received)))
        } else {
            (self.time(row.sent.or(row.received)), None)
        };
        let mut line = self.start(&number, &sent, received.as_deref(), &row.cells);
        line.pad(self.geometry.arrow.min(line.columns().max(self.geometry.arrow)));
        let room = match &row.cells[1] {
            Some(cell) => {
                self.geometry.arrow_columns + 1 - usize::from(width(cell) > self.geometry.right_columns) - 1
            }
            None => self.geometry.width - self.geometry.arrow,
        };
        let (drawn, below) = arrow_lines(row, self.geometry.arrow_columns, room, self.view.glyphs);
        line.push(Some(hue(row)), drawn);
        self.right(&mut line, &row.cells);
        let rules = !self.full && self.view.why != Why::None;
        if rules && let Some(rule) = row.asides.first().and_then(|aside| aside.rule) {
            let rule = rule.cite(self.ladder.citation);
            let start = self.geometry.width.saturating_sub(width(&rule));
            if line.columns() + 2 <= start {
                line.pad(start);
                line.push(Some(Hue::Aside), rule);
            }
        }
        lines.push(line);
        for more in below {
            let mut line = Line::default();
            line.pad(self.geometry.arrow);
            line.push(Some(hue(row)), cut(&more, self.geometry.width - self.geometry.arrow));
            lines.push(line);
        }
        if self.full {
            for aside in &row.asides {
                self.aside(aside, lines);
            }
        }
    }

    fn repeated(&self, row: &RepeatedRow, lines: &mut Vec<Line>) {
        let range = format!("{}-{}", row.first.number.0, row.last.number.0);
        let wide = self.view.is_wide();
        let (sent, received) = if wide {
            (self.times(row, |row| row.sent), Some(self.times(row, |row| row.received)))
        } else {
            (self.times(row, |row| row.sent.or(row.received)), None)
        };
        let mut line = self.start(&range, &sent, received.as_deref(), &row.first.cells);
        line.pad(self.geometry.arrow);
        let mut folded = row.first.clone();
        folded.label.insert(0, Piece::Text(format!("{} ×", row.count)));
        for (mine, last) in folded.label.iter_mut().skip(1).zip(&row.last.label) {
            if let (Piece::Text(mine), Piece::Text(last)) = (mine, last)
                && mine != last
                && let Some((_, value)) = last.split_once('=')
            {
                mine.push_str(" … ");
                mine.push_str(value);
            }
        }
        let room = match &row.first.cells[1] {
            Some(_) => self.geometry.arrow_columns,
            None => self.geometry.width - self.geometry.arrow,
        };
        let (drawn, below) = arrow_lines(&folded, self.geometry.arrow_columns, room, self.view.glyphs);
        line.push(Some(hue(&folded)), drawn);
        self.right(&mut line, &row.first.cells);
        lines.push(line);
        for more in below {
            let mut line = Line::default();
            line.pad(self.geometry.arrow);
            line.push(Some(hue(&folded)), cut(&more, self.geometry.width - self.geometry.arrow));
            lines.push(line);
        }
        if self.full {
            for aside in &row.first.asides {
                self.aside(aside, lines);
            }
        }
    }

    /// The times of a folded row: from the first to the last, if there is room for both.
    fn times(&self, row: &RepeatedRow, of: impl Fn(&PacketRow) -> Option<Instant>) -> String {
        let (first, last) = (self.time(of(&row.first)), self.time(of(&row.last)));
        let range = format!("{first}-{last}");
        if first == last || width(&range) > 8 { first } else { range }
    }

    fn arrival(&self, row: &ArrivalRow, lines: &mut Vec<Line>) {
        let wide = self.view.is_wide();
        let at = self.time(Some(row.at));
        let mut line = if wide {
            self.start("", "", Some(&at), &row.cells)
        } else {
            self.start("", &at, None, &row.cells)
        };
        line.pad(self.geometry.arrow);
        let glyphs = self.view.glyphs;
        let columns = self.geometry.arrow_columns;
        let mut text = String::new();
        let half = format!("({})", row.number.0);
        match row.direction {
            Direction::Up => {
                let arrow =
                    format!("{}{half}{}{}", glyphs.dotted().repeat(2), glyphs.shaft(), glyphs.right());
                pad(&mut text, columns.saturating_sub(width(&arrow)));
                text.push_str(&arrow);
            }
            Direction::Down => {
                text = format!("{}{}{half}{}", glyphs.left(), glyphs.shaft(), glyphs.dotted().repeat(2));
            }
        }
        line.push(Some(hue_of(row.direction)), text);
        self.right(&mut line, &row.cells);
        lines.push(line);
    }

    fn aside(&self, aside: &Aside, lines: &mut Vec<Line>) {
        let head = format!("    {}: ", text::word(self.view.language, aside.about));
        let columns = self.geometry.width;
        let room = columns.saturating_sub(width(&head));
        let shows = |text: &&String| {
            let lossless = self.view.glyphs == Glyphs::Unicode || is_plain(text);
            lossless && width(text) <= room
        };
        let says = match aside.says.variants().iter().find(shows) {
            Some(text) => text.clone(),
            None => aside.says.within(room),
        };
        let rule = aside.rule.map(|rule| rule.cite(self.ladder.citation)).unwrap_or_default();
        let rule = if self.view.glyphs == Glyphs::Ascii { to_ascii(&rule) } else { rule };
        let tail = match aside.congestion.filter(|_| self.view.is_wide()) {
            Some(congestion) => {
                let threshold = match congestion.ssthresh {
                    u32::MAX => "inf".to_string(),
                    octets => octets.to_string(),
                };
                let (cwnd, flight) = (congestion.cwnd, congestion.flight);
                format!("cwnd {cwnd:>5} ssthresh {threshold:>4} flight {flight:>5} · {rule}")
            }
            None => rule,
        };
        let left = format!("{head}{says}");
        let mut parts = crate::wording::spread(&left, &tail, columns).into_iter();
        let Some(first) = parts.next() else { return };
        let mut line = Line::of(left.clone());
        if width(&first) > width(&left) {
            line.pad(columns.saturating_sub(width(&tail)));
            line.push(Some(Hue::Aside), tail.clone());
        }
        lines.push(line);
        lines.extend(parts.map(|text| Line::painted(Hue::Aside, cut(&text, columns))));
    }
}

/// Whether ASCII can show a sentence without losing a quotation: `"Olá"` would not be what was written.
fn is_plain(text: &str) -> bool {
    match text.split_once('"').and_then(|(_, rest)| rest.rsplit_once('"')) {
        Some((quotation, _)) => quotation.is_ascii(),
        None => true,
    }
}

const fn hue_of(direction: Direction) -> Hue {
    match direction {
        Direction::Up => Hue::Client,
        Direction::Down => Hue::Server,
    }
}

fn hue(row: &PacketRow) -> Hue {
    match row.end {
        ArrowEnd::Lost(_) | ArrowEnd::Corrupt => Hue::Loss,
        ArrowEnd::Arrives | ArrowEnd::Resets => {
            let resent = |piece: &Piece| matches!(piece, Piece::Mark(mark) if mark.ends_with(')'));
            if row.label.iter().any(resent) { Hue::Resent } else { hue_of(row.direction) }
        }
    }
}

/// The arrow of a packet in so many columns, for a view that sets its own page; what does not fit on it
/// is left out.
#[must_use]
pub fn arrow(row: &PacketRow, columns: usize, glyphs: Glyphs) -> String {
    let drawn = arrow_lines(row, columns, columns, glyphs).0;
    let drawn = if glyphs == Glyphs::Ascii { to_ascii(&drawn) } else { drawn };
    cut(&drawn, columns)
}

/// The arrow, at most `room` columns, with the parts of its label that go to lines below.
fn arrow_lines(row: &PacketRow, columns: usize, room: usize, glyphs: Glyphs) -> (String, Vec<String>) {
    let room = if row.direction == Direction::Down { columns } else { room.max(columns) };
    let around = match (&row.end, row.drawn) {
        (ArrowEnd::Lost(word), _) => 3 + 1 + 2 + 1 + width(word),
        (_, Drawn::Departure) => 3 + 1 + 2 + row.number.0.to_string().len() + 2 + 2,
        (ArrowEnd::Resets, _) => 3 + 2 + 1,
        (ArrowEnd::Arrives | ArrowEnd::Corrupt, _) => 3 + 1 + 1,
    };
    let mut first = String::new();
    let mut below: Vec<String> = Vec::new();
    for piece in &row.label {
        let text = shown(piece, room.saturating_sub(around + width(&first) + 1));
        let gap = usize::from(!first.is_empty());
        if below.is_empty() && around + width(&first) + gap + width(&text) <= room {
            if gap > 0 {
                first.push(' ');
            }
            first.push_str(&text);
        } else {
            let text = shown(piece, columns.saturating_sub(3));
            match below.last_mut() {
                Some(line) if width(line) + 1 + width(&text) <= columns => {
                    line.push(' ');
                    line.push_str(&text);
                }
                _ => below.push(format!("   {text}")),
            }
        }
    }
    let first = cut(&first, room.saturating_sub(around));
    (drawn(row, &first, columns, glyphs), below)
}

/// A piece of a label; options that do not fit give way to `…`.
fn shown(piece: &Piece, room: usize) -> String {
    match piece {
        Piece::Text(text) | Piece::Mark(text) => text.clone(),
        Piece::Options(options) => {
            let all = format!("<{}>", options.join(","));
            if width(&all) <= room {
                return all;
            }
            for kept in (1..options.len()).rev() {
                let some = format!("<{},…>", options.get(..kept).unwrap_or(options).join(","));
                if width(&some) <= room {
                    return some;
                }
            }
            all
        }
    }
}

fn drawn(row: &PacketRow, label: &str, columns: usize, glyphs: Glyphs) -> String {
    let shaft = match row.made {
        Made::BySender => glyphs.shaft(),
        Made::ByChannel => glyphs.copy(),
    };
    let tail = shaft.repeat(2);
    if let ArrowEnd::Lost(word) = &row.end {
        let left = columns.saturating_sub(width(label) + 4);
        let dashes = left.saturating_sub(10).clamp(1, 9);
        return match row.direction {
            Direction::Up => format!("{tail} {label} {}{} {word}", shaft.repeat(dashes), glyphs.lost()),
            Direction::Down => {
                let arrow = format!("{word} {}{} {label} {tail}", glyphs.lost(), shaft.repeat(dashes));
                let mut text = String::new();
                pad(&mut text, columns.saturating_sub(width(&arrow)));
                text + &arrow
            }
        };
    }
    if row.drawn == Drawn::Departure {
        let half = format!("({})", row.number.0);
        let dots = glyphs.dotted().repeat(2);
        return match row.direction {
            Direction::Up => format!("{tail} {label} {tail}{half}{dots}"),
            Direction::Down => {
                let arrow = format!("{dots}{half}{tail} {label} {tail}");
                let mut text = String::new();
                pad(&mut text, columns.saturating_sub(width(&arrow)));
                text + &arrow
            }
        };
    }
    let heads = match row.end {
        ArrowEnd::Resets => 2,
        ArrowEnd::Arrives | ArrowEnd::Corrupt | ArrowEnd::Lost(_) => 1,
    };
    let fill = columns.saturating_sub(width(label) + 4 + heads);
    let damaged = if row.end == ArrowEnd::Corrupt { fill.min(2) } else { 0 };
    let plain = shaft.repeat(fill - damaged);
    let damaged = glyphs.damaged().repeat(damaged);
    match row.direction {
        Direction::Up => format!("{tail} {label} {plain}{damaged}{}", glyphs.right().repeat(heads)),
        Direction::Down => format!("{}{damaged}{plain} {label} {tail}", glyphs.left().repeat(heads)),
    }
}
