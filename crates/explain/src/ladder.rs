//! The ladder: client left, server right, time down; as data first, then as text.
//!
//! [`Ladder::new`] makes rows of a trace: one a packet, one a timer, each with its label, its marks,
//! what it did to each side, and why. [`Ladder::lines`] draws them at 80 columns or more; a narrower
//! terminal takes [`lines`](crate::lines) instead. Colour only repeats what words say.
//!
//! Rows are folded where nothing differs but numbers, and silences where nothing happens; a ladder
//! that is drawn whole ([`Extent::All`]) folds nothing. Left out: drawing to scale.

mod asides;
mod build;
mod draw;
mod fold;
mod frame;
mod glyphs;
mod label;
mod paint;
mod textbook;
mod times;

use alloc::string::String;
use alloc::vec::Vec;

use aperto_time::{Duration, Instant};
use aperto_trace::{Direction, FlowId, Number, Trace};

use crate::context::Side;
use crate::facts::Congestion;
use crate::text::Word;
use crate::{Language, Rule, Wording};

pub(crate) use build::{state_after, state_name};
pub use draw::arrow;
pub use glyphs::Glyphs;
pub(crate) use label::flags;
pub use paint::{Hue, Line, Span};
pub(crate) use textbook::protocol;

/// From this width on a ladder can be drawn.
pub const NARROWEST: usize = 76;

/// From this width on there are two times, options and the congestion window.
pub const WIDE: usize = 120;

/// How a ladder is drawn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct View {
    /// The language of what is not the protocol's.
    pub language: Language,
    /// Columns of the page, at least [`NARROWEST`].
    pub width: usize,
    /// What lines are made of.
    pub glyphs: Glyphs,
    /// How much is said about reasons.
    pub why: Why,
    /// How sequence numbers are written.
    pub seq: Seq,
    /// How times are written.
    pub time: Time,
    /// How much of the ladder is shown.
    pub extent: Extent,
    /// When an arrow is drawn in two halves.
    pub split: Split,
    /// Whether calls of the application have rows.
    pub calls: Calls,
    /// What stands in the header instead of what the trace says.
    pub title: Option<String>,
    /// What the footer proposes next: a command.
    pub next: Option<String>,
    /// The command that would show the same again, for the footer.
    pub repeat: Option<String>,
    /// What else the footer says, such as a comparison.
    pub remark: Option<String>,
}

impl View {
    /// The ladder of a terminal with 80 columns.
    #[must_use]
    pub const fn new(language: Language) -> Self {
        Self {
            language,
            width: 80,
            glyphs: Glyphs::Unicode,
            why: Why::Auto,
            seq: Seq::Relative,
            time: Time::Milliseconds,
            extent: Extent::Folded,
            split: Split::Auto,
            calls: Calls::Hidden,
            title: None,
            next: None,
            repeat: None,
            remark: None,
        }
    }

    /// Whether there is room for options and two times.
    #[must_use]
    pub const fn is_wide(&self) -> bool {
        self.width >= WIDE
    }
}

/// How much is said about reasons.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Why {
    /// Whole sentences up to 40 rows, else only the rule.
    #[default]
    Auto,
    /// Whole sentences.
    Full,
    /// Only the rule, where there is room.
    Short,
    /// Nothing.
    None,
}

/// How sequence numbers are written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Seq {
    /// Counted from each side's SYN.
    #[default]
    Relative,
    /// As on the wire.
    Absolute,
    /// As on the wire, and counted in parentheses.
    Both,
}

/// How times are written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Time {
    /// Milliseconds since the first row.
    #[default]
    Milliseconds,
    /// Seconds since the first row.
    Seconds,
    /// Round trips since the first row, as textbooks draw; milliseconds where none is known.
    RoundTrips,
    /// The clock, in UTC; milliseconds in virtual time.
    Clock,
}

/// How much of the ladder is shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Extent {
    /// Every row, one by one.
    All,
    /// Every row, repetitions folded.
    #[default]
    Folded,
    /// From shortly before the first loss until its repair.
    Recovery,
}

/// When an arrow is drawn in two halves, where it leaves and where it arrives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Split {
    /// Where something falls between that the reader must see: a delay on purpose, an overtaking, a
    /// timer, SYN or FIN that cross.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Whether calls of the application have rows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Calls {
    /// No.
    #[default]
    Hidden,
    /// One each.
    Shown,
}

/// What a ladder is of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// TCP: a column of states on each side.
    Tcp,
    /// UDP: no states.
    Udp,
    /// A textbook protocol: the sender's window left, the receiver's doings right.
    Textbook,
    /// Anything else.
    Other,
}

/// A ladder as data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ladder {
    /// What it is of.
    pub kind: Kind,
    /// The lines above the column heads.
    pub header: Vec<String>,
    /// What stands above the left and the right column.
    pub heads: [String; 2],
    /// The rows, from top to bottom.
    pub rows: Vec<Row>,
    /// The lines below.
    pub footer: Vec<String>,
    /// How times are told.
    times: times::Times,
    /// How rules are written.
    citation: crate::Citation,
}

/// A row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Row {
    /// A packet.
    Packet(PacketRow),
    /// The second half of a split arrow: the packet arrives.
    Arrival(ArrivalRow),
    /// States without a packet: at the beginning, or when a timer moves one.
    States {
        /// When.
        at: Instant,
        /// What stands left and right.
        cells: [Option<String>; 2],
    },
    /// A timer fired.
    Timer {
        /// When.
        at: Instant,
        /// On which side.
        side: Option<Side>,
        /// What the row says.
        says: Wording,
    },
    /// The application called.
    Call {
        /// When.
        at: Instant,
        /// On which side.
        side: Option<Side>,
        /// What the row says.
        says: Wording,
    },
    /// Nothing happens for a while.
    Silence(Duration),
    /// Several packets that differ in numbers only.
    Repeated(RepeatedRow),
    /// Rows that are not shown.
    Elided {
        /// How many packets the whole ladder has, where that is worth saying.
        of: Option<usize>,
    },
}

/// A packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PacketRow {
    /// Its name; a copy that the channel made has none of its own.
    pub number: Number,
    /// Who made it.
    pub made: Made,
    /// When it left, where that was seen.
    pub sent: Option<Instant>,
    /// When it arrived, where it did.
    pub received: Option<Instant>,
    /// Which way it goes.
    pub direction: Direction,
    /// What the arrow says: flags, numbers, options, marks, in this order.
    pub label: Vec<Piece>,
    /// How the arrow ends.
    pub end: ArrowEnd,
    /// Whether the arrow ends in this row.
    pub drawn: Drawn,
    /// What it did to the left and to the right side.
    pub cells: [Option<String>; 2],
    /// Why, and what the channel did.
    pub asides: Vec<Aside>,
    /// What tells two packets apart, other than their numbers: for folding.
    pub likeness: String,
}

/// Whether a row shows a packet or a copy that the channel made of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Made {
    /// The packet itself.
    BySender,
    /// A copy.
    ByChannel,
}

/// A part of a label.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// Flags, numbers, lengths, text.
    Text(String),
    /// Options, each one, to be set between `<` and `>`.
    Options(Vec<String>),
    /// A mark: what is unusual about the packet, in capitals.
    Mark(String),
}

/// How an arrow ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ArrowEnd {
    /// It arrives.
    Arrives,
    /// It arrives and resets.
    Resets,
    /// It arrives damaged.
    Corrupt,
    /// It stops on the way, with this word.
    Lost(String),
}

/// Whether an arrow is drawn whole.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Drawn {
    /// In this row.
    Whole,
    /// Here it leaves; it arrives in another row.
    Departure,
}

/// The second half of a split arrow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ArrivalRow {
    /// Which packet.
    pub number: Number,
    /// When it arrives.
    pub at: Instant,
    /// Which way it goes.
    pub direction: Direction,
    /// What it does to the left and to the right side.
    pub cells: [Option<String>; 2],
}

/// Several packets that differ in numbers only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RepeatedRow {
    /// The first, whose label is shown.
    pub first: PacketRow,
    /// The last.
    pub last: PacketRow,
    /// How many, both included.
    pub count: usize,
}

/// A line below a row: why, what the channel did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Aside {
    /// What it begins with: `why`, `channel`.
    pub about: Word,
    /// What it says.
    pub says: Wording,
    /// The rule behind it.
    pub rule: Option<Rule>,
    /// The congestion window at that moment, for wide pages.
    pub congestion: Option<Congestion>,
}

impl Ladder {
    /// The ladder of one flow.
    #[must_use]
    pub fn new(trace: &Trace, flow: FlowId, view: &View) -> Self {
        build::ladder(trace, flow, view)
    }

    /// The whole page: header, heads, rows, footer.
    #[must_use]
    pub fn lines(&self, view: &View) -> Vec<Line> {
        draw::page(self, view)
    }

    /// The page as plain text, each line ended.
    #[must_use]
    pub fn text(&self, view: &View) -> String {
        let mut out = String::new();
        for line in self.lines(view) {
            out.push_str(&line.plain());
            out.push('\n');
        }
        out
    }

    /// How many packets have rows, folded ones counted each.
    #[must_use]
    pub fn packets(&self) -> usize {
        let packets_of = |row: &Row| match row {
            Row::Packet(_) => 1,
            Row::Repeated(repeated) => repeated.count,
            _ => 0,
        };
        self.rows.iter().map(packets_of).sum()
    }
}

#[cfg(test)]
mod tests;
