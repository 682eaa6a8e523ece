#![no_main]
//! Two connections with the fuzzer as their wire: it delivers, loses, repeats, reorders and delays.
//!
//! Asserted: each reads a prefix of what the other wrote; when the wire becomes honest, both streams
//! arrive whole and both ends close in good order, in a bounded number of steps.

mod reader;

use std::sync::Arc;

use aperto_tcp::{Config, Connection, End, Event, Opening, Push, State, Urgent, answer_to_stray};
use aperto_time::{Duration, Instant};
use aperto_wire::tcp::{Header, Segment};
use libfuzzer_sys::fuzz_target;
use reader::{Reader, octets_at};

/// How many segments the wire holds; more are lost.
const MOST_ON_THE_WIRE: usize = 200;
/// Steps in which an honest wire must bring both ends to the end.
const MOST_STEPS: usize = 60_000;

struct Side {
    connection: Connection,
    written: u32,
    read: u32,
    closed: bool,
    end: Option<End>,
    peer_closed: bool,
    wire: Vec<(Header, Vec<u8>)>,
}

impl Side {
    fn new(connection: Connection) -> Self {
        Self {
            connection,
            written: 0,
            read: 0,
            closed: false,
            end: None,
            peer_closed: false,
            wire: Vec::new(),
        }
    }

    fn write(&mut self, now: Instant, count: usize) {
        if self.closed {
            return;
        }
        let first = self.connection.status().iss + 1 + self.written;
        if let Ok(taken) = self.connection.send(now, &octets_at(first, count), Push::Yes, Urgent::No) {
            self.written += taken as u32;
        }
    }

    fn read(&mut self, now: Instant, most: usize) {
        let mut into = vec![0; most.min(self.connection.readable())];
        let first = self.connection.status().irs + 1 + self.read;
        if let Ok(count) = self.connection.receive(now, &mut into) {
            assert_eq!(&into[..count], octets_at(first, count));
            self.read += count as u32;
        }
    }

    fn close(&mut self, now: Instant) {
        let state = self.connection.state();
        let open = state.is_synchronized() || state == State::SynReceived;
        if !self.closed && open {
            self.closed = self.connection.close(now).is_ok();
        }
    }

    fn poll(&mut self, now: Instant) {
        let mut left = 0;
        while let Some(out) = self.connection.poll_segment(now) {
            let payload: Vec<u8> = out.payload.iter().flatten().copied().collect();
            if self.wire.len() < MOST_ON_THE_WIRE {
                self.wire.push((out.header, payload));
            }
            left += 1;
            assert!(left < 70_000, "polling does not end");
        }
        while let Some(event) = self.connection.poll_event() {
            match event {
                Event::Ended(end) => self.end = Some(end),
                Event::PeerClosed => self.peer_closed = true,
                _ => {}
            }
        }
    }

    fn arrives(&mut self, now: Instant, header: Header, payload: &[u8]) {
        let segment = Segment { header, payload };
        if self.connection.state() != State::Closed {
            self.connection.segment_arrives(now, &segment);
        } else if let Some((header, _)) = answer_to_stray(&segment) {
            self.wire.push((header, Vec::new()));
        }
    }
}

fn settings(input: &mut Reader<'_>) -> Arc<Config> {
    let config = input.config();
    let patience = Duration::MAX;
    Arc::new(Config {
        user_timeout: patience,
        syn_timeout: patience,
        syn_ack_retries: u32::MAX,
        keep_alive: None,
        rto_max: Duration::from_secs(5),
        msl: Duration::from_secs(50_000),
        // Octet by octet every stream arrives, but in more steps than there is time for.
        receive_buffer: config.receive_buffer.max(100),
        ..config
    })
}

fuzz_target!(|octets: &[u8]| {
    let mut input = Reader(octets);
    let mut now = Instant::from_millis(10);
    let opening = |input: &mut Reader<'_>| Opening {
        iss: input.start(),
        timestamp_offset: input.long(),
        mss: 60 + input.short() % 1400,
    };
    let first = settings(&mut input);
    let first = Connection::open_active(now, first, opening(&mut input));
    let second = settings(&mut input);
    let at_once = input.octet() % 4 == 0;
    let second = if at_once {
        Connection::open_active(now, second, opening(&mut input))
    } else {
        Connection::open_passive(second, opening(&mut input))
    };
    let mut sides = [Side::new(first), Side::new(second)];
    while !input.is_empty() {
        let side = usize::from(input.octet() & 1);
        step(&mut input, &mut sides, side, &mut now);
        for side in &mut sides {
            side.connection.deadline_passed(now);
            side.poll(now);
        }
    }
    be_honest(&mut sides, &mut now);
});

fn step(input: &mut Reader<'_>, sides: &mut [Side; 2], side: usize, now: &mut Instant) {
    let choice = input.octet() % 16;
    let here = &mut sides[side];
    match choice {
        0..=7 => {
            if here.wire.is_empty() {
                return;
            }
            let place = if choice < 4 { 0 } else { usize::from(input.octet()) % here.wire.len() };
            let (header, payload) =
                if choice == 7 { here.wire[place].clone() } else { here.wire.remove(place) };
            sides[1 - side].arrives(*now, header, &payload);
        }
        8 => {
            if !here.wire.is_empty() {
                here.wire.remove(usize::from(input.octet()) % here.wire.len());
            }
        }
        9 => *now += Duration::from_millis(u64::from(input.octet())),
        10 => {
            if let Some(deadline) = here.connection.poll_deadline()
                && here.connection.state() != State::TimeWait
            {
                *now = (*now).max(deadline.at);
            }
        }
        11 | 12 => here.write(*now, usize::from(input.short() % 8192)),
        13 | 14 => here.read(*now, usize::from(input.short())),
        _ => here.close(*now),
    }
}

/// Delivers everything in order from now on; both read, and close.
fn be_honest(sides: &mut [Side; 2], now: &mut Instant) {
    for _ in 0..MOST_STEPS {
        for side in 0..2 {
            let wire = std::mem::take(&mut sides[side].wire);
            for (header, payload) in wire {
                sides[1 - side].arrives(*now, header, &payload);
            }
        }
        for side in &mut *sides {
            side.read(*now, 1 << 20);
            side.close(*now);
            side.connection.deadline_passed(*now);
            side.poll(*now);
        }
        let done = |side: &Side| matches!(side.connection.state(), State::Closed | State::TimeWait);
        if sides.iter().all(done) {
            return finish(sides, *now);
        }
        if sides.iter().all(|side| side.wire.is_empty()) {
            let next = sides.iter().filter_map(|side| side.connection.poll_deadline()).map(|d| d.at).min();
            let Some(next) = next else {
                panic!(
                    "nothing will ever happen: {:?} {:?}",
                    sides[0].connection.status(),
                    sides[1].connection.status()
                )
            };
            *now = (*now).max(next);
        } else {
            *now += Duration::from_millis(1);
        }
    }
    panic!("no end: {:?} {:?}", sides[0].connection.status(), sides[1].connection.status());
}

fn finish(sides: &mut [Side; 2], now: Instant) {
    for side in &mut *sides {
        side.read(now, 1 << 20);
    }
    for (one, other) in [(0, 1), (1, 0)] {
        assert_eq!(sides[one].read, sides[other].written, "the stream arrives whole");
        assert!(sides[one].peer_closed);
        assert!(matches!(sides[one].end, None | Some(End::Closed)), "{:?}", sides[one].end);
    }
}
