//! Writes down what happens on a real wire, and tells it: to the screen, to a file.
//!
//! One scribe for a stack, shared by the driver's hooks (`watch.rs`, `spoil.rs`) and the command.
//! It keeps the last records for whoever asks `/why 6`; what is older has been told and is forgotten.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aperto_explain::lines::{Labels, Lines};
use aperto_explain::program::Fault;
use aperto_explain::program::saying::Saying;
use aperto_explain::{Language, Summary};
use aperto_host::{About, Departure, Endpoints, Note};
use aperto_secure::Secrets;
use aperto_sim::channel::Fate;
use aperto_tcp::State;
use aperto_tcp::diagram::Cause;
use aperto_time::Instant;
use aperto_tokio::{Way, clock};
use aperto_trace::trace::Ending;
use aperto_trace::{
    Call, DropReason, Fact, FlowId, HostId, Limits, Meaning, Number, Protocol, Record, Recorder, Role, Trace,
    TraceHeader, Vantage, json,
};
use tokio::sync::Notify;

use super::fate;
use super::printer::{Printer, is_reader_gone};
use crate::looks::{Looks, View, Why};
use crate::record::{Recording, Wait, cannot_write};

/// How many records are kept for questions.
const KEPT: usize = 1 << 13;
/// How many are kept for a ladder, which is drawn at the end.
const KEPT_FOR_LADDER: usize = 1 << 17;
/// How many octets of each text are kept beside the segments that carry it: enough to quote.
const KEPT_OF_TEXT: usize = 256;
/// How many records wait at most to be told, and how many connections have counts.
const MOST_UNTOLD: usize = 512;
const MOST_SUMMARIES: usize = 4_096;
/// How many moves wait for their segments at most, and for how long.
const MOST_HELD: usize = 64;
const HELD_FOR: Duration = Duration::from_millis(20);
/// How long an instant is over after it began.
const MOMENT: Duration = Duration::from_millis(1);
/// After so many lines a view that nobody asked for tells only what is unusual.
const LINES_UNASKED: u64 = 200;

/// A scribe that several share.
#[derive(Clone)]
pub(crate) struct SharedScribe(Arc<Mutex<Scribe>>);

impl SharedScribe {
    pub(crate) fn new(scribe: Scribe) -> Self {
        Self(Arc::new(Mutex::new(scribe)))
    }

    /// The scribe. One who panicked while writing was wrong about one record.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Scribe> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who shows what happens.
enum Telling {
    Lines(Box<Lines>),
    Json { with_texts: bool },
    Nothing,
}

/// See the module's text.
pub(crate) struct Scribe {
    recorder: Recorder,
    host: HostId,
    language: Language,
    /// How many of the kept records have been told, and how many are in the recording.
    told: usize,
    recorded: usize,
    telling: Telling,
    lines: u64,
    unasked: bool,
    printer: Printer,
    recording: Option<Recording>,
    trouble: Option<Fault>,
    keep: usize,
    /// The number of the packet that left last.
    departed: Number,
    /// Moves of states whose segment has not left yet.
    held: Vec<(Instant, Note)>,
    summaries: BTreeMap<FlowId, Summary>,
    names: Names,
    /// Whether what arrived last was for all hosts of a link.
    to_everybody: bool,
    news: Arc<Notify>,
    /// Where a client connects to, as its user says it.
    remote: Option<SocketAddr>,
}

impl Scribe {
    /// A scribe for the host with this place in the header.
    pub(crate) fn new(
        header: TraceHeader,
        host: HostId,
        looks: &Looks,
        printer: Printer,
        recording: Option<Recording>,
    ) -> Self {
        let view = looks.live_view();
        let is_server = header.hosts.first().is_some_and(|host| host.role == Role::Server);
        let labels = if is_server { Labels::Connections } else { Labels::None };
        let telling = match view {
            View::Lines => Telling::Lines(Box::new(Lines::new(looks.line_view(labels)))),
            View::Json => {
                printer.line(json::start_line(&header));
                Telling::Json { with_texts: looks.why == Some(Why::Full) }
            }
            View::Ladder | View::Nothing => Telling::Nothing,
        };
        let keep = if view == View::Ladder { KEPT_FOR_LADDER } else { KEPT };
        let connections = if header.is_arq() { Protocol::Udp } else { Protocol::Tcp };
        let limits = Limits { records: KEPT_FOR_LADDER * 2, text_octets: KEPT_OF_TEXT, ..Limits::default() };
        Self {
            recorder: Recorder::new(header, limits),
            host,
            language: looks.language,
            told: 0,
            recorded: 0,
            telling,
            lines: 0,
            unasked: looks.asked_view.is_none(),
            printer,
            recording,
            trouble: None,
            keep,
            departed: Number(0),
            held: Vec::new(),
            summaries: BTreeMap::new(),
            names: Names::of_protocol(connections),
            to_everybody: false,
            news: Arc::default(),
            remote: None,
        }
    }

    /// What is kept.
    pub(crate) const fn trace(&self) -> &Trace {
        self.recorder.trace()
    }

    // The driver's hooks.

    pub(super) fn departed(&mut self, now: Instant, departure: &Departure, packet: &[u8]) {
        self.departed = self.recorder.departure(now, self.host, departure, packet);
        if let About::Tcp { endpoints, .. } = departure.about {
            self.let_go(|_, held| endpoints_of(held) == Some(endpoints), now);
        }
        self.publish();
    }

    /// A datagram leaves that belongs to a session of a textbook protocol.
    pub(super) fn datagram_left(&mut self, now: Instant, frame: &[u8], meaning: Meaning<'_>) {
        self.departed = self.recorder.left(now, Vantage::host(self.host), frame, meaning);
        self.publish();
    }

    /// One side of such a session notes something; our end is the source.
    pub(crate) fn arq_noted(&mut self, now: Instant, pair: aperto_trace::Endpoints, note: aperto_arq::Note) {
        self.recorder.arq_note(now, self.host, pair, note);
        self.publish();
    }

    /// The name of such a session.
    pub(crate) fn session_between(&mut self, pair: aperto_trace::Endpoints) -> String {
        self.tell();
        let flow = self.recorder.flow_between(clock::now(), self.host, Protocol::Udp, pair);
        self.names.of(flow)
    }

    /// A message leaves its application, or has arrived whole.
    pub(crate) fn message(&mut self, now: Instant, pair: aperto_trace::Endpoints, sent: bool, octets: &[u8]) {
        if sent {
            self.recorder.sent_over(now, self.host, Protocol::Udp, pair, octets);
        } else {
            self.recorder.delivered_over(now, self.host, Protocol::Udp, pair, octets);
        }
        self.publish();
    }

    pub(super) fn arrived(&mut self, now: Instant, interface: u8, packet: &[u8]) {
        // What a machine says to everybody on a link is no part of this run.
        self.to_everybody = is_to_everybody(packet);
        if self.to_everybody {
            return;
        }
        let vantage = Vantage::Host { host: self.host, interface };
        self.recorder.frame_arrived(now, vantage, packet);
        self.publish();
    }

    /// A datagram came that does not open: damaged, forged or replayed.
    pub(super) fn refused(&mut self, now: Instant, packet: &[u8], code: &str) {
        let vantage = Vantage::Host { host: self.host, interface: 0 };
        self.recorder.frame_arrived(now, vantage, packet);
        self.recorder.dropped(now, vantage, DropReason::Host { code: code.into() });
        self.publish();
    }

    /// A call moves a state a moment before its segment leaves; both belong to one row.
    pub(super) fn noted(&mut self, now: Instant, note: &Note) {
        if self.to_everybody && matches!(note, Note::Dropped { .. }) {
            return;
        }
        if let Some((endpoints, call)) = call_behind(note) {
            let call = match (call, self.remote) {
                (Call::Connect { .. }, Some(remote)) => Call::Connect { remote },
                (call, _) => call,
            };
            self.recorder.call(now, self.host, Some(endpoints.into()), call);
        }
        if moves_before_it_leaves(note) && self.held.len() < MOST_HELD {
            self.held.push((now, *note));
        } else {
            self.recorder.host_note(now, self.host, note);
        }
        self.publish();
    }

    /// Records the moves whose segment has left, or whose time is over.
    fn let_go(&mut self, goes: impl Fn(Instant, &Note) -> bool, now: Instant) {
        let (going, staying) =
            std::mem::take(&mut self.held).into_iter().partition(|(at, note)| goes(*at, note));
        self.held = staying;
        let going: Vec<(Instant, Note)> = going;
        for (_, note) in going {
            self.recorder.host_note(now, self.host, &note);
        }
    }

    /// The number by which the ladder knows the packet that goes through the channel now.
    pub(super) const fn number_of_passing(&self, way: Way) -> u64 {
        match way {
            Way::Out => self.departed.0 as u64,
            Way::In => self.recorder.next_number().0 as u64,
        }
    }

    /// Our channel does something to a packet of ours.
    pub(super) fn spoilt(&mut self, now: Instant, number: u64, what: &Fate) {
        let number = Number(u32::try_from(number).unwrap_or(u32::MAX));
        fate::record(&mut self.recorder, now, number, what);
        self.publish();
    }

    /// Our channel loses a packet that came.
    pub(super) fn lost_inward(&mut self, now: Instant, packet: &[u8], what: &Fate) {
        let number = self.recorder.left(now, Vantage::Channel, packet, Meaning::Plain);
        fate::record(&mut self.recorder, now, number, what);
        self.publish();
    }

    /// Something is new: it is told when the instant is over, by whoever waits for [`news`](Self::news).
    fn publish(&mut self) {
        if self.recorder.trace().records().len() - self.told > MOST_UNTOLD {
            self.tell();
        } else {
            self.news.notify_one();
        }
    }

    /// Tells what is new; the instant must be over.
    pub(crate) fn tell(&mut self) {
        let now = clock::now();
        self.let_go(|at, _| now.since(at) > HELD_FOR, now);
        self.write_down(Wait::ForSecrets);
        let trace = self.recorder.trace();
        let fresh = trace.records().get(self.told..).unwrap_or_default();
        if fresh.is_empty() {
            return;
        }
        let mut told = Vec::new();
        for record in fresh {
            if let Fact::FlowBegan(began) = &record.fact
                && let Some(flow) = record.flow
            {
                self.names.add(flow, began.protocol);
            }
            if let Some(flow) = record.flow {
                self.summaries.entry(flow).or_default().count(record, trace.flow(flow));
            }
            match &mut self.telling {
                Telling::Nothing => {}
                Telling::Json { with_texts: true } => {
                    self.printer.line(crate::json_texts::line(trace, record));
                }
                Telling::Json { with_texts: false } => self.printer.line(json::record_line(record)),
                Telling::Lines(lines) => told.push((lines.push(record), is_usual(record))),
            }
        }
        if let Telling::Lines(lines) = &mut self.telling {
            told.push((lines.flush(), false));
        }
        for (lines, usual) in told {
            let lines = lines.iter().map(|line| self.names.renamed(line)).collect();
            self.show(lines, usual);
        }
        self.told = self.recorder.trace().records().len();
        if self.told > self.keep && self.recorded == self.told {
            self.recorder.drain();
            (self.told, self.recorded) = (0, 0);
        }
        while self.summaries.len() > MOST_SUMMARIES {
            self.summaries.pop_first();
        }
    }

    /// Adds what is new to the recording, unless it waits.
    fn write_down(&mut self, wait: Wait) {
        let trace = self.recorder.trace();
        let Some(recording) = &mut self.recording else {
            self.recorded = trace.records().len();
            return;
        };
        let written = recording.follow(trace, self.recorded, wait);
        match written.and_then(|written| flush(recording).map(|()| written)) {
            Ok(written) => self.recorded = written,
            Err(error) => {
                let gone = is_reader_gone(&error);
                self.trouble = (!gone).then(|| cannot_write(recording.file(), &error));
                self.recording = None;
                self.recorded = trace.records().len();
            }
        }
    }

    /// The recording takes secrets, too.
    pub(crate) fn record_secrets(&mut self, secrets: Arc<Secrets>) {
        if let Some(recording) = &mut self.recording {
            recording.record_secrets(secrets);
        }
    }

    /// Prints lines; of a view that nobody asked for only so many, and then only the unusual.
    fn show(&mut self, lines: Vec<String>, usual: bool) {
        for line in lines {
            self.lines += 1;
            if !self.unasked || self.lines <= LINES_UNASKED || !usual {
                self.printer.line(line);
            }
            if self.unasked && self.lines == LINES_UNASKED {
                self.printer.line(Saying::OnlyUnusual.text(self.language));
            }
        }
    }

    /// The application writes, or has read.
    pub(crate) fn text(&mut self, endpoints: Endpoints, sent: bool, octets: &[u8]) {
        let now = clock::now();
        if sent {
            self.recorder.sent(now, self.host, endpoints.into(), octets);
        } else {
            self.recorder.delivered(now, self.host, endpoints.into(), octets);
        }
        self.publish();
    }

    /// Says where the client connects to: on the tunnel, packets have other addresses.
    pub(crate) fn goes_to(&mut self, remote: SocketAddr) {
        self.remote = Some(remote);
    }

    /// The application calls; a LISTEN has no ends.
    pub(crate) fn call(&mut self, endpoints: Option<Endpoints>, call: Call) {
        self.recorder.call(clock::now(), self.host, endpoints.map(Into::into), call);
        self.publish();
    }

    /// Told when there is something new to tell.
    pub(crate) fn news(&self) -> Arc<Notify> {
        Arc::clone(&self.news)
    }

    /// The name and the counts of the connection between these ends, ours first.
    pub(crate) fn connection_between(&mut self, endpoints: Endpoints) -> (String, Summary) {
        self.tell();
        let flow = self.recorder.flow_between(clock::now(), self.host, Protocol::Tcp, endpoints.into());
        (self.names.of(flow), self.summaries.get(&flow).copied().unwrap_or_default())
    }

    /// The end: what the views still have to say, and the recording closed.
    pub(crate) fn finish(&mut self, ending: &Ending) -> Result<Option<(String, u64, u64)>, Fault> {
        self.let_go(|_, _| true, clock::now());
        self.tell();
        self.write_down(Wait::No);
        if let Telling::Lines(lines) = &mut self.telling {
            let last = lines.finish().iter().map(|line| self.names.renamed(line)).collect();
            self.show(last, false);
        }
        self.recorder.end(ending.clone());
        let not_kept = self.recorder.trace().not_kept();
        match &mut self.telling {
            Telling::Lines(_) | Telling::Nothing => {}
            Telling::Json { .. } => self.printer.line(json::ending_line(ending, not_kept)),
        }
        if let Some(fault) = self.trouble.take() {
            return Err(fault);
        }
        let Some(recording) = self.recording.take() else { return Ok(None) };
        let file = recording.file().to_owned();
        let (sent, arrived) = recording.finish(ending, not_kept)?;
        Ok(Some((file, sent, arrived)))
    }
}

/// A pipe's reader wants to see what there is.
fn flush(recording: &mut Recording) -> std::io::Result<()> {
    if recording.is_pipe() { recording.flush() } else { Ok(()) }
}

/// Tells what is new, a moment after it happened: by then the instant is over.
pub(crate) async fn keep_telling(scribe: SharedScribe) {
    let news = scribe.lock().news();
    loop {
        news.notified().await;
        tokio::time::sleep(MOMENT).await;
        scribe.lock().tell();
    }
}

/// Whether a packet goes to a group, or to all: router solicitations, mDNS.
fn is_to_everybody(packet: &[u8]) -> bool {
    match packet.first().map(|first| first >> 4) {
        Some(4) => packet.get(16).is_some_and(|first| (224..240).contains(first) || *first == 255),
        Some(6) => packet.get(24) == Some(&0xff),
        _ => false,
    }
}

/// How connections are called: `c1`, `c2`, whatever else went over the wire between them.
struct Names {
    /// What connections are made of.
    protocol: Protocol,
    connections: BTreeMap<FlowId, u64>,
    known: u64,
}

impl Names {
    const fn of_protocol(protocol: Protocol) -> Self {
        Self { protocol, connections: BTreeMap::new(), known: 0 }
    }

    fn add(&mut self, flow: FlowId, protocol: Protocol) {
        if protocol == self.protocol {
            self.known += 1;
            self.connections.insert(flow, self.known);
            while self.connections.len() > MOST_SUMMARIES {
                self.connections.pop_first();
            }
        }
    }

    fn of(&self, flow: FlowId) -> String {
        self.connections.get(&flow).map_or_else(|| flow.to_string(), |number| format!("c{number}"))
    }

    /// A line whose connection bears the name that its records have.
    fn renamed(&self, line: &str) -> String {
        let Some((label, rest)) = line.split_once(' ') else { return line.into() };
        let flow = label.strip_prefix('c').and_then(|digits| digits.parse().ok()).map(FlowId);
        match flow {
            None => line.into(),
            Some(flow) => match self.connections.get(&flow) {
                Some(number) => format!("c{number} {rest}"),
                None => format!("   {rest}"),
            },
        }
    }
}

/// Whether a note is of a move that is shown beside the segment that follows it.
fn moves_before_it_leaves(note: &Note) -> bool {
    match note {
        Note::Tcp { note: aperto_tcp::Note::State { cause, .. }, .. } => {
            matches!(cause, Cause::ActiveOpen | Cause::CloseCalled | Cause::FinSent | Cause::AbortCalled)
        }
        Note::Opened { listener: None, .. } => true,
        _ => false,
    }
}

/// The call of the application that a note is of: it opened, or it closed.
fn call_behind(note: &Note) -> Option<(Endpoints, Call)> {
    match note {
        Note::Opened { endpoints, listener: None, .. } => {
            Some((*endpoints, Call::Connect { remote: endpoints.remote }))
        }
        Note::Tcp { endpoints, note: aperto_tcp::Note::State { to, cause, .. }, .. } => match (to, cause) {
            (State::FinWait1, Cause::CloseCalled) | (State::LastAck, Cause::FinSent) => {
                Some((*endpoints, Call::Close))
            }
            _ => None,
        },
        _ => None,
    }
}

fn endpoints_of(note: &Note) -> Option<Endpoints> {
    match note {
        Note::Tcp { endpoints, .. } | Note::Opened { endpoints, .. } => Some(*endpoints),
        _ => None,
    }
}

/// What happens all the time while text flows.
fn is_usual(record: &Record) -> bool {
    match &record.fact {
        Fact::Left(packet) | Fact::Arrived { packet: Some(packet), .. } => match packet.tcp() {
            Some(segment) => {
                let control = segment.header.control;
                !control.syn() && !control.fin() && !control.rst() && segment.of.is_none()
            }
            None => true,
        },
        Fact::Channel { .. } | Fact::State { .. } | Fact::Dropped { .. } => false,
        _ => true,
    }
}
