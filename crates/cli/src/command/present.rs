//! Shows a run that is over: as a ladder, as lines, as JSON, or its results alone; and records it.

use std::sync::atomic::Ordering;

use aperto_explain::ladder::{Calls, Extent, Glyphs, Seq, Split, Time, WIDE, Why};
use aperto_explain::lines::{LineView, Lines};
use aperto_explain::program::saying::Saying;
use aperto_explain::program::{Exit, Fault};
use aperto_explain::{Ladder, Summary, View as LadderView};
use aperto_sim::recipe::{Protocol, Recipe};
use aperto_time::Instant;
use aperto_trace::trace::Ending;
use aperto_trace::{Call, Fact, Trace, json};

use crate::arguments::read::Record;
use crate::json_texts;
use crate::live::printer::is_reader_gone;
use crate::live::wrote;
use crate::looks::{self, Looks, View};
use crate::output::Output;
use crate::record::Recording;

/// What a page says beside the trace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    /// What to do next.
    pub(crate) next: Option<String>,
    /// The command that would do it again.
    pub(crate) repeat: Option<String>,
    /// How much is drawn.
    pub(crate) draw: Draw,
    /// What was delivered of what was sent, where that is less.
    pub(crate) missing: Option<(u64, u64)>,
    /// What else the footer says.
    pub(crate) remark: Option<String>,
    /// What was wrong with the file that it comes from.
    pub(crate) broken: Option<Fault>,
}

/// How much of a ladder is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Draw {
    /// All of it.
    #[default]
    Whole,
    /// What became of the one that was lost.
    Recovery,
}

impl Draw {
    /// The bare command draws around what the user picked; all else is drawn whole.
    pub(crate) fn of(bare: bool, recipe: &Recipe) -> Self {
        let picked = recipe.picks.iter().next().is_some();
        if bare && picked && recipe.protocol == Protocol::Tcp { Self::Recovery } else { Self::Whole }
    }
}

/// Shows it, records it, and gives the code to end with.
pub(crate) fn finished(mut trace: Trace, page: Page, record: &Record, looks: &Looks) -> Result<Exit, Fault> {
    let exit = if page.missing.is_some() { Exit::Failed } else { Exit::Done };
    let at = trace.records().last().map_or(Instant::ZERO, |record| record.at);
    trace.ending = Some(match &page.broken {
        Some(fault) => super::error_ending(fault, looks, at),
        None => Ending::End { at, exit_code: exit.code() },
    });
    let written = match &record.file {
        Some(file) => Some(write(file, &trace, looks)?),
        None => None,
    };
    let to_stdout = record.file.as_deref() == Some("-");
    if !to_stdout {
        show(&trace, &page, looks);
    }
    if let (Some((sent, arrived)), Some(file)) = (written, &record.file) {
        wrote(file, sent, arrived, looks);
    }
    looks.json_ended.store(true, Ordering::Relaxed);
    page.broken.map_or(Ok(exit), Err)
}

fn show(trace: &Trace, page: &Page, looks: &Looks) {
    if looks.view() == View::Json {
        let mut output = Output::new(looks);
        for line in json_lines(trace, looks) {
            // Never as ASCII: JSON has its own ways.
            output.octets(line.as_bytes());
            output.octets(b"\n");
        }
        return output.finish();
    }
    let lines: Vec<String> = match looks.view() {
        View::Ladder => ladder_lines(trace, looks, page),
        View::Lines => {
            let mut lines = Lines::of(trace, &looks.line_view(line_labels(trace)));
            lines.extend(after_lines(page, looks));
            lines
        }
        View::Json | View::Nothing => results(trace, page, looks),
    };
    let mut output = Output::paged(looks, lines.len());
    for line in lines {
        output.line(&line);
    }
    output.finish();
}

fn line_labels(_: &Trace) -> aperto_explain::lines::Labels {
    aperto_explain::lines::Labels::Sides
}

fn after_lines(page: &Page, looks: &Looks) -> Vec<String> {
    let repeat = page.repeat.clone().filter(|_| page.next.is_none() && !looks.quiet);
    repeat.map(|command| Saying::Repeat { command }.text(looks.language)).into_iter().collect()
}

/// The ladders of a trace, one for each flow.
pub(crate) fn ladder_lines(trace: &Trace, looks: &Looks, page: &Page) -> Vec<String> {
    let view = ladder_view(looks, page);
    let mut lines = Vec::new();
    for flow in trace.flows() {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let drawn = Ladder::new(trace, flow.id, &view).lines(&view);
        lines.extend(drawn.into_iter().map(|line| if looks.color { line.ansi() } else { line.plain() }));
    }
    lines
}

/// How a ladder looks.
pub(crate) fn ladder_view(looks: &Looks, page: &Page) -> LadderView {
    LadderView {
        width: looks.columns.max(aperto_explain::ladder::NARROWEST),
        glyphs: if looks.ascii { Glyphs::Ascii } else { Glyphs::Unicode },
        why: match looks.why {
            None => Why::Auto,
            Some(looks::Why::Full) => Why::Full,
            Some(looks::Why::Short) => Why::Short,
            Some(looks::Why::Nothing) => Why::None,
        },
        seq: match looks.numbers {
            Some(looks::Numbers::Absolute) => Seq::Absolute,
            Some(looks::Numbers::Both) => Seq::Both,
            Some(looks::Numbers::Relative) | None => Seq::Relative,
        },
        time: match looks.time {
            looks::TimeUnit::Milliseconds => Time::Milliseconds,
            looks::TimeUnit::Seconds => Time::Seconds,
            looks::TimeUnit::RoundTrips => Time::RoundTrips,
            looks::TimeUnit::Clock => Time::Clock,
        },
        extent: match page.draw {
            _ if looks.all => Extent::All,
            Draw::Recovery if looks.columns < WIDE => Extent::Recovery,
            Draw::Recovery | Draw::Whole => Extent::Folded,
        },
        split: match looks.split {
            looks::Split::Auto => Split::Auto,
            looks::Split::Always => Split::Always,
            looks::Split::Never => Split::Never,
        },
        calls: if looks.shows_calls() { Calls::Shown } else { Calls::Hidden },
        next: page.next.clone().filter(|_| !looks.quiet),
        repeat: page.repeat.clone().filter(|_| page.next.is_none() && !looks.quiet),
        remark: page.remark.clone(),
        ..LadderView::new(looks.language)
    }
}

impl Looks {
    /// Whether the calls of the application are shown: where somebody asked for all there is.
    pub(crate) fn shows_calls(&self) -> bool {
        self.why == Some(looks::Why::Full) || self.verbose
    }

    /// How lines look.
    pub(crate) fn line_view(&self, labels: aperto_explain::lines::Labels) -> LineView {
        use aperto_explain::context::Counting;
        use aperto_explain::lines::{Labels, Reasons};
        // A wire has the numbers that it has; a simulated run is told as its ladder is.
        let counting = match self.numbers {
            Some(looks::Numbers::Relative) => Counting::Relative,
            Some(looks::Numbers::Absolute | looks::Numbers::Both) => Counting::Absolute,
            None if labels == Labels::Sides => Counting::Relative,
            None => Counting::Absolute,
        };
        let reasons = match self.why {
            Some(looks::Why::Full) => Reasons::All,
            Some(looks::Why::Nothing) => Reasons::None,
            Some(looks::Why::Short) => Reasons::Handshake,
            None if labels == Labels::Sides || self.verbose => Reasons::All,
            None => Reasons::Handshake,
        };
        let calls = if self.shows_calls() { Calls::Shown } else { Calls::Hidden };
        LineView { width: self.columns, counting, reasons, labels, calls, ..LineView::new(self.language) }
    }
}

fn json_lines(trace: &Trace, looks: &Looks) -> Vec<String> {
    let with_texts = looks.why == Some(looks::Why::Full);
    let mut lines = vec![json::start_line(&trace.header)];
    for record in trace.records() {
        lines.push(if with_texts { json_texts::line(trace, record) } else { json::record_line(record) });
    }
    if let Some(ending) = &trace.ending {
        lines.push(json::ending_line(ending, trace.not_kept()));
    }
    lines
}

/// What came of it, in three lines.
fn results(trace: &Trace, page: &Page, looks: &Looks) -> Vec<String> {
    let summary = Summary::of(trace, None);
    let (delivered, sent) = delivery(trace);
    let mut sayings = vec![Saying::Delivered {
        octets: delivered,
        whole: page.missing.is_none() && delivered == sent && streams_agree(trace),
        segments: summary.data_packets,
        lost: summary.lost,
        resent: summary.resent,
    }];
    if summary.resent > 0 {
        sayings.push(Saying::Recovery {
            by_timer: summary.resent_by_timer,
            by_acks: summary.resent_by_acks,
            seed: trace.header.seed.unwrap_or(1),
        });
    }
    if let Some(command) = page.repeat.clone().filter(|_| !looks.quiet) {
        sayings.push(Saying::Repeat { command });
    }
    sayings.iter().flat_map(|saying| saying.lines(looks.language)).collect()
}

/// How many octets reached applications, and how many applications had sent.
pub(crate) fn delivery(trace: &Trace) -> (u64, u64) {
    let (mut delivered, mut sent) = (0, 0);
    for record in trace.records() {
        match &record.fact {
            Fact::Delivered { length, .. } => delivered += u64::from(*length),
            Fact::Call(Call::Send { length, .. }) => sent += u64::from(*length),
            _ => {}
        }
    }
    (delivered, sent)
}

/// Whether what each application read is, octet for octet, what the other one wrote: the hash of
/// both streams.
fn streams_agree(trace: &Trace) -> bool {
    use sha2::{Digest, Sha256};
    use std::collections::BTreeMap;
    let mut hashes: BTreeMap<_, [Sha256; 4]> = BTreeMap::new();
    for record in trace.records() {
        let (place, octets) = match &record.fact {
            Fact::Call(Call::Send { octets, .. }) => (0, octets),
            Fact::Delivered { octets, .. } => (2, octets),
            _ => continue,
        };
        let client = record.flow.and_then(|id| trace.flow(id)).and_then(|flow| flow.client);
        let by_client = client == record.vantage.host_id();
        // Written by the client is read by the server.
        let way = usize::from(by_client != (place == 0));
        if let Some(hash) = hashes.entry(record.flow).or_default().get_mut(place + way) {
            hash.update(&**octets);
        }
    }
    hashes.into_values().all(|[up, down, up_read, down_read]| {
        up.finalize() == up_read.finalize() && down.finalize() == down_read.finalize()
    })
}

fn write(file: &str, trace: &Trace, looks: &Looks) -> Result<(u64, u64), Fault> {
    let mut recording = Recording::create(file, &trace.header, looks.language)?;
    match recording.add(trace, 0) {
        Err(error) if !is_reader_gone(&error) => return Err(crate::record::cannot_write(file, &error)),
        // Whoever read a pipe has seen enough.
        _ => {}
    }
    let at = trace.records().last().map_or(Instant::ZERO, |record| record.at);
    let ending = trace.ending.clone().unwrap_or(Ending::End { at, exit_code: 0 });
    recording.finish(&ending, trace.not_kept())
}
