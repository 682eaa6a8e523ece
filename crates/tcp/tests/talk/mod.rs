//! A conversation with one connection: the peer is played by the test.
//!
//! All numbers are relative, as on paper: our SYN is our number 0, the peer's SYN its number 0.
//! [`conversation`] plays each test several times, also with numbers that wrap past 2^32.

#![expect(dead_code, reason = "each file of tests uses its own part of the harness")]

pub(crate) mod stimuli;

use std::sync::Arc;

use aperto_tcp::{Config, Connection, DropReason, Event, Note, Opening, Push, Reason, State, Urgent, Watch};
use aperto_time::{Duration, Instant};
use aperto_wire::SeqNumber;
use aperto_wire::tcp::{Control, Header, Options, SackBlock, Segment, Timestamps};

/// The segment size that both sides announce, unless a test says otherwise.
pub(crate) const MSS: u16 = 1000;
/// The window of the scripted peer, unless a test says otherwise.
pub(crate) const WINDOW: u16 = 60_000;

/// Plays a conversation with ordinary numbers, and again with numbers that wrap on either side.
pub(crate) fn conversation(play: impl Fn(&mut dyn FnMut(Config) -> Talk)) {
    for (ours, theirs) in [(1234, 1567), (u32::MAX, 5), (7, u32::MAX - 1), (u32::MAX - 500, u32::MAX - 700)] {
        play(&mut |config| Talk::new(config, ours, theirs));
    }
}

/// A segment on paper.
#[derive(Clone, Debug)]
pub(crate) struct Paper {
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) control: Control,
    pub(crate) window: u16,
    pub(crate) urgent: u16,
    pub(crate) options: Options,
    pub(crate) text: Vec<u8>,
}

fn paper(control: Control) -> Paper {
    Paper { seq: 0, ack: 0, control, window: WINDOW, urgent: 0, options: Options::NONE, text: Vec::new() }
}

/// A SYN with the segment size.
pub(crate) fn syn() -> Paper {
    let mut syn = paper(Control::SYN);
    syn.options.mss = Some(MSS);
    syn
}

/// A SYN that acknowledges ours.
pub(crate) fn syn_ack() -> Paper {
    Paper { control: Control::SYN | Control::ACK, ack: 1, ..syn() }
}

/// A pure acknowledgment of everything before `ack`.
pub(crate) fn ack(ack: u32) -> Paper {
    Paper { ack, seq: 1, ..paper(Control::ACK) }
}

/// Text that begins at `seq`.
pub(crate) fn text(seq: u32, text: &[u8]) -> Paper {
    Paper { seq, ack: 1, text: text.to_vec(), ..paper(Control::ACK | Control::PSH) }
}

/// A FIN at `seq`.
pub(crate) fn fin(seq: u32) -> Paper {
    Paper { seq, ack: 1, ..paper(Control::FIN | Control::ACK) }
}

/// A reset at `seq`.
pub(crate) fn rst(seq: u32) -> Paper {
    Paper { seq, window: 0, ..paper(Control::RST) }
}

impl Paper {
    pub(crate) fn seq(self, seq: u32) -> Self {
        Self { seq, ..self }
    }

    /// The acknowledgment number, and the ACK bit.
    pub(crate) fn ack(self, ack: u32) -> Self {
        Self { ack, control: self.control | Control::ACK, ..self }
    }

    pub(crate) fn window(self, window: u16) -> Self {
        Self { window, ..self }
    }

    pub(crate) fn with(self, control: Control) -> Self {
        Self { control: self.control | control, ..self }
    }

    pub(crate) fn without(self, control: Control) -> Self {
        Self { control: self.control - control, ..self }
    }

    pub(crate) fn urgent(self, pointer: u16) -> Self {
        Self { urgent: pointer, ..self.with(Control::URG) }
    }

    pub(crate) fn options(self, options: Options) -> Self {
        Self { options, ..self }
    }

    pub(crate) fn stamps(mut self, value: u32, echo: u32) -> Self {
        self.options.timestamps = Some(Timestamps { value, echo });
        self
    }

    pub(crate) fn carrying(self, text: &[u8]) -> Self {
        Self { text: text.to_vec(), ..self }
    }
}

/// What left: a segment on paper and its reason.
#[derive(Clone, Debug)]
pub(crate) struct Left {
    pub(crate) paper: Paper,
    pub(crate) reason: Reason,
}

/// One connection and the test that plays its peer.
pub(crate) struct Talk {
    pub(crate) connection: Connection,
    pub(crate) now: Instant,
    ours: SeqNumber,
    theirs: SeqNumber,
}

impl Talk {
    fn new(config: Config, ours: u32, theirs: u32) -> Self {
        let opening = Opening { iss: SeqNumber::new(ours), timestamp_offset: 0, mss: MSS };
        let now = Instant::from_millis(1000);
        Self {
            connection: Connection::open_passive(Arc::new(config), opening),
            now,
            ours: SeqNumber::new(ours),
            theirs: SeqNumber::new(theirs),
        }
    }

    /// We listen.
    pub(crate) fn listening(mut self) -> Self {
        self.connection.watch(Watch::On);
        self
    }

    /// We have called OPEN and our SYN has left.
    pub(crate) fn syn_sent(self) -> Self {
        let mut talk = self.listening();
        talk.connection.open_listening(talk.now);
        talk.we_send(syn());
        talk
    }

    /// The peer's SYN has arrived at our listener and our SYN,ACK has left.
    pub(crate) fn syn_received(self) -> Self {
        let mut talk = self.listening();
        talk.peer_sends(syn());
        talk.we_send(syn_ack());
        talk
    }

    /// Open, by our active open.
    pub(crate) fn established(self) -> Self {
        self.established_with(Options { mss: Some(MSS), ..Options::NONE })
    }

    /// Open, with the options of the peer's SYN.
    pub(crate) fn established_with(self, options: Options) -> Self {
        let mut talk = self.syn_sent();
        talk.peer_sends(syn_ack().options(options));
        talk.we_send(ack(1));
        talk.we_send_nothing();
        talk.we_are_in(State::Established);
        while talk.connection.poll_event().is_some() {}
        talk.notes();
        talk
    }

    /// In this state, reached by talking, with nothing left to poll.
    ///
    /// RCV.NXT is 1, and 2 where the peer's FIN has come; SND.NXT is 1, and 2 where ours has left.
    pub(crate) fn in_state(self, state: State) -> Self {
        let mut talk = match state {
            State::Closed => {
                let mut talk = self.listening();
                talk.we_close();
                talk
            }
            State::Listen => self.listening(),
            State::SynSent => self.syn_sent(),
            State::SynReceived => self.syn_received(),
            State::Established => self.established(),
            State::FinWait1 => {
                let mut talk = self.established();
                talk.we_close();
                talk.we_send(fin(1));
                talk
            }
            State::FinWait2 => {
                let mut talk = self.in_state(State::FinWait1);
                talk.peer_sends(ack(2));
                talk
            }
            State::CloseWait => {
                let mut talk = self.established();
                talk.peer_sends(fin(1));
                talk.we_send(ack(2));
                talk
            }
            State::Closing => {
                let mut talk = self.in_state(State::FinWait1);
                talk.peer_sends(fin(1));
                talk.we_send(ack(2).seq(2));
                talk
            }
            State::LastAck => {
                let mut talk = self.in_state(State::CloseWait);
                talk.we_close();
                talk.we_send(fin(1).ack(2));
                talk
            }
            State::TimeWait => {
                let mut talk = self.in_state(State::FinWait2);
                talk.peer_sends(fin(1).ack(2));
                talk.we_send(ack(2).seq(2));
                talk
            }
        };
        talk.we_are_in(state);
        talk.we_send_nothing();
        talk.events();
        talk
    }

    /// The same conversation once more, to go on in another way.
    pub(crate) fn fork(&self) -> Self {
        Self { connection: self.connection.clone(), now: self.now, ours: self.ours, theirs: self.theirs }
    }

    /// A segment of the peer arrives.
    #[expect(clippy::needless_pass_by_value, reason = "a conversation reads better without ampersands")]
    pub(crate) fn peer_sends(&mut self, paper: Paper) {
        let header = self.with_segment(&paper, |segment| segment.header);
        self.connection.segment_arrives(self.now, &Segment { header, payload: &paper.text });
    }

    /// Looks at a segment of the peer as it arrives, with its numbers on the wire.
    pub(crate) fn with_segment<T>(&self, paper: &Paper, look: impl FnOnce(&Segment<'_>) -> T) -> T {
        let acknowledges = paper.control.ack();
        let sack = paper.options.sack.as_slice().iter().map(|block| SackBlock {
            start: self.ours + block.start.value(),
            end: self.ours + block.end.value(),
        });
        let options = Options { sack: sack.collect(), ..paper.options };
        let header = Header {
            seq: self.theirs + paper.seq,
            ack: if acknowledges { self.ours + paper.ack } else { SeqNumber::default() },
            control: paper.control,
            window: paper.window,
            urgent_pointer: paper.urgent,
            options,
        };
        look(&Segment { header, payload: &paper.text })
    }

    /// What leaves next, if anything does.
    pub(crate) fn poll(&mut self) -> Option<Left> {
        let (ours, theirs) = (self.ours, self.theirs);
        let out = self.connection.poll_segment(self.now)?;
        let acknowledges = out.header.control.ack();
        let sack = out.header.options.sack.as_slice().iter().map(|block| SackBlock {
            start: SeqNumber::new(block.start.since(theirs)),
            end: SeqNumber::new(block.end.since(theirs)),
        });
        let paper = Paper {
            seq: out.header.seq.since(ours),
            ack: if acknowledges { out.header.ack.since(theirs) } else { 0 },
            control: out.header.control,
            window: out.header.window,
            urgent: out.header.urgent_pointer,
            options: Options { sack: sack.collect(), ..out.header.options },
            text: out.payload.iter().flatten().copied().collect(),
        };
        Some(Left { paper, reason: out.reason })
    }

    /// We send a segment with these numbers, bits and text; PSH, window and options are not looked
    /// at. Returns what left.
    #[expect(clippy::needless_pass_by_value, reason = "a conversation reads better without ampersands")]
    #[track_caller]
    pub(crate) fn we_send(&mut self, expected: Paper) -> Left {
        let Some(left) = self.poll() else { panic!("nothing left, but {expected:?} should have") };
        let shape = |paper: &Paper| (paper.seq, paper.ack, paper.control - Control::PSH, paper.text.clone());
        assert_eq!(shape(&left.paper), shape(&expected), "left because of {:?}", left.reason);
        left
    }

    #[track_caller]
    pub(crate) fn we_send_nothing(&mut self) {
        if let Some(left) = self.poll() {
            panic!("{left:?} left, but nothing should have");
        }
    }

    /// Everything that leaves now.
    pub(crate) fn all(&mut self) -> Vec<Left> {
        std::iter::from_fn(|| self.poll()).collect()
    }

    #[track_caller]
    pub(crate) fn we_are_in(&self, state: State) {
        assert_eq!(self.connection.state(), state);
    }

    /// The application writes; everything is taken.
    #[track_caller]
    pub(crate) fn we_write(&mut self, octets: &[u8]) {
        let taken = self.connection.send(self.now, octets, Push::Yes, Urgent::No).expect("open");
        assert_eq!(taken, octets.len());
    }

    #[track_caller]
    pub(crate) fn we_close(&mut self) {
        self.connection.close(self.now).expect("open");
    }

    /// The application reads everything that it can.
    pub(crate) fn we_read(&mut self) -> Vec<u8> {
        let mut octets = vec![0; 1 << 20];
        let count = self.connection.receive(self.now, &mut octets).unwrap_or(0);
        octets.truncate(count);
        octets
    }

    /// Time passes; timers that are due fire, each at its time.
    pub(crate) fn pass(&mut self, milliseconds: u64) {
        let end = self.now + Duration::from_millis(milliseconds);
        while let Some(deadline) = self.connection.poll_deadline().filter(|deadline| deadline.at <= end) {
            self.now = self.now.max(deadline.at);
            self.connection.deadline_passed(self.now);
        }
        self.now = end;
    }

    /// Lets time pass until the next timer fires; says how many milliseconds that took.
    #[track_caller]
    pub(crate) fn until_timer(&mut self) -> u64 {
        let deadline = self.connection.poll_deadline().expect("a timer runs");
        let waited = deadline.at.since(self.now);
        self.now = deadline.at;
        self.connection.deadline_passed(self.now);
        u64::try_from(waited.as_millis()).expect("short")
    }

    #[track_caller]
    pub(crate) fn no_timer_runs(&self) {
        assert_eq!(self.connection.poll_deadline(), None);
    }

    /// The events that the application is told now.
    pub(crate) fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.connection.poll_event()).collect()
    }

    /// The notes since the last time.
    pub(crate) fn notes(&mut self) -> Vec<Note> {
        std::iter::from_fn(|| self.connection.poll_note()).collect()
    }

    /// Why segments were dropped since the last time.
    pub(crate) fn drops(&mut self) -> Vec<DropReason> {
        let notes = self.notes();
        notes
            .into_iter()
            .filter_map(|n| if let Note::Dropped { reason } = n { Some(reason) } else { None })
            .collect()
    }
}
