#![no_main]
//! One connection among arbitrary segments, times and calls.
//!
//! Asserted after each step: numbers stay in order (SND.UNA, SND.NXT and our right edge never go back),
//! what is sent is what was written and lies in the peer's window, what is read is what was sent, buffers
//! keep their bounds, polling ends, and while something is to be done a timer runs. A clone that sees
//! the same does the same.

mod reader;

use aperto_tcp::{Connection, Event, Icmp, KeepAlive, Nagle, Push, Reason, State, Urgent, Watch};
use aperto_time::{Duration, Instant};
use aperto_wire::SeqNumber;
use aperto_wire::tcp::{Control, Header, Options, SackBlock, Segment, Timestamps, header_length};
use libfuzzer_sys::fuzz_target;
use reader::{Reader, octets_at};

/// More segments than any poll may give: 65,536 octets in segments of 36 octets, and as many answers as
/// can pile up.
const MOST_SEGMENTS: usize = 70_000;

struct Run<'a> {
    input: Reader<'a>,
    connection: Connection,
    now: Instant,
    mss: usize,
    /// The number of the next octet that the application reads.
    read: u32,
    written: u32,
    una: SeqNumber,
    edge: SeqNumber,
    ended: bool,
}

fuzz_target!(|octets: &[u8]| {
    let mut input = Reader(octets);
    let (config, opening) = input.opening();
    let now = Instant::from_millis(u64::from(input.short()));
    let connection = if input.octet() & 1 == 0 {
        Connection::open_passive(config, opening)
    } else {
        Connection::open_active(now, config, opening)
    };
    let mut run = Run {
        input,
        connection,
        now,
        mss: usize::from(opening.mss),
        read: 0,
        written: 0,
        una: opening.iss,
        edge: SeqNumber::new(0),
        ended: false,
    };
    if run.input.octet() & 1 == 0 {
        run.connection.watch(Watch::On);
    }
    run.poll();
    while !run.input.is_empty() {
        let before = run.connection.state();
        run.step();
        run.poll();
        if run.connection.state() == State::Listen && before != State::Listen {
            // Back to LISTEN: everything begins anew.
            let status = run.connection.status();
            (run.una, run.edge) = (status.send_unacknowledged, SeqNumber::new(0));
            (run.read, run.written) = (0, 0);
        }
        run.check(before);
    }
});

impl Run<'_> {
    fn step(&mut self) {
        match self.input.octet() % 16 {
            0..=7 => self.segment(),
            8 => self.now += Duration::from_millis(u64::from(self.input.short())),
            9 => {
                if let Some(deadline) = self.connection.poll_deadline() {
                    self.now = self.now.max(deadline.at);
                }
            }
            10 => self.write(),
            11 => self.read(),
            12 => drop(self.connection.close(self.now)),
            13 => self.refold(),
            14 => self.rare(),
            _ => {
                for _ in 0..4 {
                    self.segment();
                }
            }
        }
        let due = self.connection.poll_deadline().is_some_and(|deadline| deadline.at <= self.now);
        if due {
            self.connection.deadline_passed(self.now);
            assert!(self.connection.poll_deadline().is_none_or(|deadline| deadline.at > self.now));
        }
    }

    fn rare(&mut self) {
        let now = self.now;
        match self.input.octet() % 8 {
            0 => self.connection.abort(now),
            1 => self.connection.release(now),
            2 => self.connection.set_nagle(Nagle::Off),
            3 => self.connection.set_keep_alive(now, Some(KeepAlive::default())),
            4 => self.connection.set_keep_alive(now, None),
            5 => self.connection.open_listening(now),
            _ => {
                let quoted = self.input.near(self.connection.status().send_unacknowledged);
                let what = match self.input.octet() % 4 {
                    0 => Icmp::Soft,
                    1 => Icmp::Hard,
                    _ => Icmp::PathMtu { mss: self.input.short() },
                };
                self.connection.icmp_arrives(now, quoted, what);
            }
        }
    }

    fn segment(&mut self) {
        let status = self.connection.status();
        let input = &mut self.input;
        let seq = input.near(status.receive_next);
        let ack = match input.octet() % 4 {
            0 => input.near(status.send_unacknowledged),
            _ => input.near(status.send_next),
        };
        let control = match input.octet() {
            0..=149 => Control::ACK,
            150..=169 => Control::SYN,
            170..=189 => Control::SYN | Control::ACK,
            190..=209 => Control::FIN | Control::ACK,
            210..=219 => Control::RST,
            _ => Control::from_bits(input.octet()),
        };
        let kinds = input.octet();
        let mut options = Options::NONE;
        if kinds & 1 != 0 {
            options.timestamps = Some(Timestamps { value: u32::from(input.short()), echo: input.long() });
        }
        if kinds & 2 != 0 {
            for _ in 0..input.octet() % 5 {
                let start = input.near(status.send_unacknowledged);
                let end = input.near(start);
                options.sack.push(SackBlock { start, end });
            }
        }
        if kinds & 4 != 0 {
            options.mss = Some(input.short());
            options.window_scale = Some(input.octet());
            options.sack_permitted = true;
        }
        let window = if kinds & 8 != 0 { 0 } else { input.short() };
        let length = match kinds >> 4 {
            0..=7 => 0,
            8..=11 => usize::from(input.octet()),
            _ => usize::from(input.short() % 3000),
        };
        // A SYN stands before the text.
        let payload = octets_at(seq + u32::from(control.syn()), length);
        let header = Header { seq, ack, control, window, urgent_pointer: input.short(), options };
        let segment = Segment { header, payload: &payload };
        let mut twin = (input.octet() == 1).then(|| self.connection.clone());
        self.connection.segment_arrives(self.now, &segment);
        if let Some(twin) = &mut twin {
            twin.segment_arrives(self.now, &segment);
            assert_eq!(twin.status(), self.connection.status());
        }
    }

    fn write(&mut self) {
        let count = usize::from(self.input.short());
        let bits = self.input.octet();
        let push = if bits & 1 == 0 { Push::Yes } else { Push::No };
        let urgent = if bits & 2 == 0 { Urgent::No } else { Urgent::Yes };
        let first = self.connection.status().iss + 1 + self.written;
        let room = self.connection.send_capacity();
        if let Ok(taken) = self.connection.send(self.now, &octets_at(first, count), push, urgent) {
            assert_eq!(taken, count.min(room));
            self.written += taken as u32;
        }
    }

    fn read(&mut self) {
        let mut into = vec![0; usize::from(self.input.short())];
        let first = self.connection.status().irs + 1 + self.read;
        let readable = self.connection.readable();
        if let Ok(count) = self.connection.receive(self.now, &mut into) {
            assert_eq!(count, readable.min(into.len()));
            assert_eq!(&into[..count], octets_at(first, count), "what is read is what was sent there");
            self.read += count as u32;
        }
    }

    fn refold(&mut self) {
        if let Some(folded) = self.connection.fold() {
            let config = self.connection.config().clone();
            let before = (self.connection.status(), self.connection.poll_deadline());
            self.connection = Connection::unfold(config, &folded);
            let after = (self.connection.status(), self.connection.poll_deadline());
            let numbers = |s: &aperto_tcp::Status| {
                (s.state, s.send_unacknowledged, s.send_next, s.receive_next, s.receive_window, s.rto)
            };
            if before.0.state == State::SynReceived {
                assert_eq!(numbers(&before.0), numbers(&after.0));
            }
            assert_eq!(before.1, after.1);
        }
    }

    fn poll(&mut self) {
        let now = self.now;
        for count in 0.. {
            assert!(count < MOST_SEGMENTS, "polling does not end");
            let before = self.connection.status();
            let Some(out) = self.connection.poll_segment(now) else { break };
            let (header, reason) = (out.header, out.reason);
            let text: Vec<u8> = out.payload.iter().flatten().copied().collect();
            assert_eq!(text.len(), out.payload.len());
            assert!(header_length(&header) <= 60);
            assert!(text.len() <= self.mss);
            let first = header.seq + u32::from(header.control.syn());
            assert_eq!(text, octets_at(first, text.len()), "what is sent is what was written there");
            let end = first + text.len() as u32;
            let window = before.send_unacknowledged + before.send_window;
            match reason {
                Reason::Data { .. } | Reason::Retransmission { .. } if !text.is_empty() => {
                    assert!(end.at_or_before(window), "{reason:?} beyond the peer's window");
                }
                Reason::WindowProbe { .. } => assert!(text.len() <= 1),
                _ => {}
            }
            assert!(!header.control.rst() || text.is_empty());
            for block in header.options.sack.as_slice() {
                assert!(block.start.before(block.end));
            }
        }
        while let Some(event) = self.connection.poll_event() {
            assert!(!self.ended, "nothing follows the end");
            self.ended = matches!(event, Event::Ended(_));
        }
        while self.connection.poll_note().is_some() {}
    }

    fn check(&mut self, before: State) {
        let status = self.connection.status();
        let config = self.connection.config().clone();
        assert!(status.send_unacknowledged.at_or_before(status.send_next));
        assert!(self.una.at_or_before(status.send_unacknowledged), "SND.UNA went back");
        self.una = status.send_unacknowledged;
        let unit = 1usize << status.receive_window_scale;
        assert!(status.receive_queued + status.out_of_order < config.receive_buffer.max(1) + unit);
        assert!(status.send_queued <= config.send_buffer);
        assert!(status.cwnd >= 1 && status.rto <= config.rto_max);
        let deadline = self.connection.poll_deadline();
        match status.state {
            State::Closed => assert!(deadline.is_none() && self.connection.end().is_some()),
            State::Listen => assert!(deadline.is_none()),
            State::SynSent | State::SynReceived => assert!(status.retransmission_at.is_some()),
            State::TimeWait => assert!(status.time_wait_at.is_some()),
            State::Established | State::CloseWait | State::FinWait2 => {}
            State::FinWait1 | State::Closing | State::LastAck => assert!(deadline.is_some()),
        }
        if status.state.is_synchronized() {
            let edge = status.receive_next + status.receive_window;
            if before.is_synchronized() {
                assert!(self.edge.at_or_before(edge), "our right edge went back");
            }
            self.edge = edge;
            let flight = status.send_next.since(status.send_unacknowledged);
            if flight > 0 {
                assert!(status.retransmission_at.is_some() || status.persist_at.is_some(), "{status:?}");
            }
            if status.send_queued > 0 {
                assert!(deadline.is_some(), "something waits and no timer runs: {status:?}");
            }
        }
    }
}
