//! The state diagram of RFC 9293 §3.3.2 as a drawing of 80 columns, with the way that was walked.
//!
//! The arcs are those of the engine's own table ([`aperto_tcp::diagram`]); only where each is drawn
//! stands here (`layout.rs`), and a test holds the one against the other. A walked arc is drawn
//! heavy and bears the numbers of its steps: 1, 2, 3 of the client, a, b, c of the server. A state
//! that was visited has `C` or `S` in its box. Colour repeats that and adds nothing.
//!
//! Left out of the drawing, as in the RFC's figure: resets, aborts and timeouts. Where one was taken
//! it stands in the list of steps.

mod canvas;
mod layout;
mod words;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use aperto_tcp::State;
use aperto_tcp::diagram::Cause;
use aperto_time::{Duration, Instant};
use aperto_trace::{Direction, Fact, FlowId, Number, Trace};

use crate::Language;
use crate::ladder::Glyphs;
use crate::quantity::milliseconds;
use crate::wording::{pad, wrap};

use canvas::Canvas;

/// How many columns there are.
pub const COLUMNS: usize = 80;
/// How many steps are drawn and listed of a connection; it has fewer, unless somebody plays with it.
const MOST_STEPS: usize = 200;

/// Where the reason of a step begins.
const CAUSE: usize = 52;

/// One of the two sides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Side {
    /// Who opened.
    Client,
    /// Who was there.
    Server,
}

/// A move from one state to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// Whose.
    pub side: Side,
    /// When.
    pub at: Instant,
    /// From here.
    pub from: State,
    /// To here.
    pub to: State,
    /// Because of this.
    pub cause: Cause,
    /// The segment to which it belongs.
    pub segment: Option<Number>,
    /// Its place among the steps of its side, from 0.
    pub place: usize,
}

/// The steps of a connection, in order of time.
#[must_use]
pub fn steps(trace: &Trace, flow: FlowId) -> Vec<Step> {
    let Some(known) = trace.flow(flow) else { return Vec::new() };
    let mut places = [0; 2];
    let mut steps = Vec::new();
    for record in trace.records() {
        let Fact::State { from, to, cause, segment } = record.fact else { continue };
        let host = record.vantage.host_id();
        if record.flow != Some(flow) || host.is_none() || steps.len() >= MOST_STEPS {
            continue;
        }
        let side = if host == known.sender(Direction::Up) { Side::Client } else { Side::Server };
        let counted = &mut places[usize::from(side == Side::Server)];
        steps.push(Step { side, at: record.at, from, to, cause, segment, place: *counted });
        *counted += 1;
    }
    steps
}

/// How it is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look {
    /// In which language.
    pub language: Language,
    /// With which glyphs.
    pub glyphs: Glyphs,
    /// Whether what was walked has a colour, too.
    pub color: bool,
}

/// The diagram with the way that was walked, if any was.
#[must_use]
pub fn diagram(steps: &[Step], look: Look) -> Vec<String> {
    let mut canvas = Canvas::new(layout::ROWS);
    let walked = |arc: &layout::Drawn| {
        steps.iter().any(|step| (step.from, step.cause, step.to) == (arc.from, arc.cause, arc.to))
    };
    // What was walked is drawn last and lies above.
    for lit in [false, true] {
        for arc in layout::ARCS.iter().filter(|arc| walked(arc) == lit) {
            canvas.line(arc.way, lit);
        }
    }
    for arc in &layout::ARCS {
        let mut label = words::label(look.language, arc.cause).to_string();
        let mine =
            steps.iter().filter(|step| (step.from, step.cause, step.to) == (arc.from, arc.cause, arc.to));
        let mut names: Vec<String> = mine.map(name).collect();
        names.truncate(3);
        for name in names {
            label.push(' ');
            label.push_str(&name);
        }
        let lit = walked(arc);
        canvas.label(arc.label, &label, lit);
    }
    for place in &layout::BOXES {
        let visited = |side| {
            steps.iter().filter(|step| step.side == side).any(|step| match place.end {
                layout::End::Top => step.from == place.state && step.from == State::Closed,
                layout::End::Bottom => step.to == place.state,
                layout::End::Neither => step.from == place.state || step.to == place.state,
            })
        };
        canvas.state(
            place.center,
            place.state.name(),
            visited(Side::Client),
            visited(Side::Server),
            look.language,
        );
    }
    canvas.lines(look.glyphs, look.color)
}

/// The steps, one a line: which, whose, when, from where to where, with which segment, and why.
#[must_use]
pub fn list(steps: &[Step], look: Look) -> Vec<String> {
    let arrow = if look.glyphs == Glyphs::Unicode { "→" } else { "->" };
    let began = steps.first().map_or(Instant::ZERO, |step| step.at);
    let mut lines = Vec::new();
    for step in steps {
        let mut line = format!(" {} {}", name(step), words::letter(look.language, step.side));
        pad(&mut line, 6);
        let time = milliseconds(look.language, step.at.since(began.min(step.at)));
        line.push_str(&format!("{time:>9}  {:<12} {arrow} {:<12}", step.from.name(), step.to.name()));
        pad(&mut line, 47);
        line.push_str(&step.segment.map_or(String::new(), |number| number.to_string()));
        for part in wrap(crate::text::cause(look.language, step.cause), COLUMNS - CAUSE) {
            pad(&mut line, CAUSE);
            line.push_str(&part);
            lines.push(core::mem::take(&mut line));
        }
    }
    lines
}

/// What stands above and below the drawing: who is who, and what the marks mean.
#[must_use]
pub fn legend(language: Language) -> Vec<String> {
    words::legend(language).iter().map(|line| (*line).to_string()).collect()
}

/// Each state in a sentence.
#[must_use]
pub fn meanings(language: Language) -> Vec<String> {
    State::ALL.into_iter().flat_map(|state| meaning(language, state)).collect()
}

/// A state in a sentence, its name before it.
#[must_use]
pub fn meaning(language: Language, state: State) -> Vec<String> {
    let mut lines = Vec::new();
    let mut begin = format!(" {}", state.name());
    for part in wrap(words::meaning(language, state), COLUMNS - 15) {
        pad(&mut begin, 15);
        begin.push_str(&part);
        lines.push(core::mem::take(&mut begin));
    }
    lines
}

/// `1`, `2`, `3` of the client; `a`, `b`, `c` of the server.
fn name(step: &Step) -> String {
    match (step.side, u8::try_from(step.place)) {
        (Side::Client, _) => (step.place + 1).to_string(),
        (Side::Server, Ok(place)) if place < 26 => char::from(b'a' + place).to_string(),
        (Side::Server, _) => "+".into(),
    }
}

/// How long a connection took from its first step to its last.
#[must_use]
pub fn lasted(steps: &[Step]) -> Duration {
    steps.first().zip(steps.last()).map_or(Duration::ZERO, |(first, last)| last.at.since(first.at))
}

#[cfg(test)]
mod tests;
