//! Every arc of the diagram, observed by talking.
//!
//! RFC 9293 §3.3.2, Figure 5 and its notes, §3.10.

mod talk;

use aperto_tcp::diagram::{ARCS, Arc, Cause};
use aperto_tcp::{Config, Icmp, KeepAlive, Note, State};
use aperto_time::Duration;
use talk::stimuli::{Call, Kind};
use talk::{Talk, ack, conversation, fin, rst};

use Cause as C;
use State as S;

/// Arcs that stand in the table and that no conversation can show, with the reason.
const NOT_BY_TALKING: [(Arc, &str); 3] = [
    (
        Arc { from: S::SynReceived, cause: C::FinArrived, to: S::CloseWait },
        "§3.10.7.4, fifth, opens the connection before the eighth step looks at the FIN",
    ),
    (
        Arc { from: S::SynReceived, cause: C::OrphanTimeout, to: S::Closed },
        "the SYN,ACK's own retries end first",
    ),
    (Arc { from: S::TimeWait, cause: C::ResetArrived, to: S::Closed }, "RFC 1337: resets are ignored"),
];

/// The arcs that a talk has taken.
fn taken(talk: &mut Talk) -> Vec<Arc> {
    let arc = |note| match note {
        Note::State { from, to, cause } => Some(Arc { from, cause, to }),
        _ => None,
    };
    talk.notes().into_iter().filter_map(arc).collect()
}

/// Lets everything that can still happen by itself happen.
fn run_out(talk: &mut Talk) {
    for _ in 0..200 {
        talk.all();
        if talk.connection.poll_deadline().is_none() {
            return;
        }
        talk.until_timer();
    }
}

/// Everything that can be done to a connection in one step, then in two, then waiting.
fn observe(make: &mut dyn FnMut(Config) -> Talk) -> Vec<Arc> {
    let keep_alive =
        KeepAlive { idle: Duration::from_secs(60), interval: Duration::from_secs(10), probes: 2 };
    let config = Config { keep_alive: Some(keep_alive), ..Config::classroom() };
    let mut seen = Vec::new();
    for state in State::ALL {
        // `in_state` throws its notes away on the way: begin with how it got there.
        let mut first = make(config.clone()).in_state(state);
        seen.extend(taken(&mut first));
        let mut steps: Vec<Talk> = Vec::new();
        for kind in Kind::ALL {
            let mut talk = first.fork();
            let segment = kind.segment(&talk);
            talk.peer_sends(segment);
            steps.push(talk);
        }
        for call in Call::ALL {
            let mut talk = first.fork();
            call.make(&mut talk);
            steps.push(talk);
        }
        for what in [Icmp::Soft, Icmp::Hard, Icmp::PathMtu { mss: 500 }] {
            let mut talk = first.fork();
            let quoted = talk.connection.status().send_unacknowledged;
            talk.connection.icmp_arrives(talk.now, quoted, what);
            steps.push(talk);
        }
        steps.push(first);
        for mut talk in steps {
            seen.extend(taken(&mut talk));
            talk.all();
            for kind in Kind::ALL {
                let mut next = talk.fork();
                let segment = kind.segment(&next);
                next.peer_sends(segment);
                run_out(&mut next);
                seen.extend(taken(&mut next));
            }
            for call in Call::ALL {
                let mut next = talk.fork();
                call.make(&mut next);
                run_out(&mut next);
                seen.extend(taken(&mut next));
            }
        }
    }
    seen
}

/// RFC 9293 §3.3.2: every arc of the table is taken by some conversation, but for those that cannot be,
/// and none beside them.
#[test]
fn every_arc_of_the_diagram_can_be_seen_and_no_other() {
    conversation(|talk| {
        let mut seen = observe(talk);
        seen.extend(talks_of_their_own(talk));
        assert!((1..).zip(ARCS).all(|(n, arc)| !ARCS[n..].contains(&arc)), "an arc stands twice");
        let strange: Vec<&Arc> = seen.iter().filter(|arc| !ARCS.contains(arc)).collect();
        assert!(strange.is_empty(), "{strange:?}");
        for arc in ARCS {
            let excuse = NOT_BY_TALKING.iter().find(|(excused, _)| *excused == arc);
            assert_eq!(seen.contains(&arc), excuse.is_none(), "{arc:?} {excuse:?}");
        }
    });
}

/// Ways that take more than two steps.
fn talks_of_their_own(make: &mut dyn FnMut(Config) -> Talk) -> Vec<Arc> {
    let mut seen = Vec::new();
    // The first arcs are taken before anybody can watch: the states say so.
    let listener = make(Config::classroom());
    assert_eq!(listener.connection.state(), S::Listen);
    seen.push(Arc { from: S::Closed, cause: C::PassiveOpen, to: S::Listen });
    // A note tells of an active open to whoever watches before the SYN leaves.
    let opening = aperto_tcp::Opening { iss: 7.into_number(), timestamp_offset: 0, mss: 1000 };
    let config = std::sync::Arc::new(Config::classroom());
    let mut active = aperto_tcp::Connection::open_active(listener.now, config, opening);
    active.watch(aperto_tcp::Watch::On);
    while let Some(note) = active.poll_note() {
        if let Note::State { from, to, cause } = note {
            seen.push(Arc { from, cause, to });
        }
    }
    // A simultaneous open that is refused, and one that gives up.
    for end in [true, false] {
        let mut talk = make(Config::classroom()).syn_sent();
        talk.peer_sends(talk::syn());
        talk.all();
        if end {
            talk.peer_sends(rst(1));
        }
        run_out(&mut talk);
        seen.extend(taken(&mut talk));
    }
    // Orphans in each closing state, with a peer that stays silent.
    for state in [S::FinWait1, S::FinWait2, S::CloseWait, S::Closing, S::LastAck] {
        let mut talk = make(Config { user_timeout: Duration::MAX, ..Config::classroom() }).in_state(state);
        talk.connection.release(talk.now);
        if state == S::CloseWait {
            // The window is closed: our FIN cannot leave.
            talk = make(Config { user_timeout: Duration::MAX, ..Config::classroom() }).in_state(state);
            talk.peer_sends(ack(1).seq(2).window(0));
            talk.we_write(b"text");
            talk.connection.release(talk.now);
        }
        run_out(&mut talk);
        seen.extend(taken(&mut talk));
    }
    // FIN-WAIT-1 out of SYN-RECEIVED, and everything after it.
    let mut talk = make(Config::classroom()).syn_received();
    talk.we_close();
    talk.all();
    talk.peer_sends(ack(1));
    talk.all();
    talk.peer_sends(fin(1).ack(2));
    run_out(&mut talk);
    seen.extend(taken(&mut talk));
    seen
}

/// A sequence number out of a literal.
trait IntoNumber {
    fn into_number(self) -> aperto_wire::SeqNumber;
}

impl IntoNumber for u32 {
    fn into_number(self) -> aperto_wire::SeqNumber {
        aperto_wire::SeqNumber::new(self)
    }
}

/// RFC 9293 §3.3.2, Figure 5 and note 1 and 2: the arcs that are drawn there, read off the figure.
#[test]
fn the_table_has_the_arcs_of_the_figure() {
    let drawn = [
        (S::Closed, S::Listen),
        (S::Closed, S::SynSent),
        (S::Listen, S::Closed),
        (S::Listen, S::SynSent),
        (S::Listen, S::SynReceived),
        (S::SynSent, S::Closed),
        (S::SynSent, S::SynReceived),
        (S::SynSent, S::Established),
        (S::SynReceived, S::Listen),
        (S::SynReceived, S::Established),
        (S::SynReceived, S::FinWait1),
        (S::Established, S::FinWait1),
        (S::Established, S::CloseWait),
        (S::FinWait1, S::FinWait2),
        (S::FinWait1, S::Closing),
        (S::FinWait1, S::TimeWait),
        (S::FinWait2, S::TimeWait),
        (S::CloseWait, S::LastAck),
        (S::Closing, S::TimeWait),
        (S::LastAck, S::Closed),
        (S::TimeWait, S::Closed),
    ];
    for (from, to) in drawn {
        assert!(ARCS.iter().any(|arc| (arc.from, arc.to) == (from, to)), "{from} to {to}");
    }
    let other = ARCS.iter().filter(|arc| !drawn.contains(&(arc.from, arc.to)) && arc.to != S::Closed);
    let other: Vec<_> = other.map(|arc| (arc.from, arc.to)).collect();
    // §3.10.7.4, eighth, names it; see NOT_BY_TALKING.
    assert_eq!(other, [(S::SynReceived, S::CloseWait)]);
}
