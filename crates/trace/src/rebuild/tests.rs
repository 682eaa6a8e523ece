use alloc::string::{String, ToString};
use alloc::vec::Vec;

use aperto_wire::tcp::Control;

use crate::pcapng::{CapturedFrame, Writer};
use crate::testing::*;
use crate::*;

fn through_pcapng(trace: &Trace) -> Trace {
    let octets = pcapng::write_trace(trace, Vec::new(), words).expect("memory is never full");
    rebuild(&capture::read(&octets).expect("it is ours"))
}

/// Number, departure, arrivals with their copies, whether it was lost; times in milliseconds.
type Fate = (u32, u64, Vec<(u64, u32)>, bool);

/// What happened to each packet.
fn fates(trace: &Trace) -> Vec<Fate> {
    let millisecond = |place: &usize| trace.records()[*place].at.as_millis();
    trace
        .journeys()
        .map(|(number, journey)| {
            let arrivals = journey.arrivals.iter().map(|place| {
                let copy = match trace.records()[*place].fact {
                    Fact::Arrived { copy, .. } => copy,
                    _ => u32::MAX,
                };
                (millisecond(place), copy)
            });
            let is_loss = |place: &usize| {
                matches!(trace.records()[*place].fact, Fact::Channel { what: ChannelEvent::Lost(_), .. })
            };
            let lost = journey.channel.iter().any(is_loss);
            let left = journey.departure.as_ref().map_or(u64::MAX, millisecond);
            (number.0, left, arrivals.collect(), lost)
        })
        .collect()
}

#[test]
fn our_own_recording_shows_the_same_departures_arrivals_and_losses() {
    let trace = conversation().into_trace();
    let again = through_pcapng(&trace);
    let expected: [Fate; 5] = [
        (1, 0, Vec::from([(20, 0)]), false),
        (2, 20, Vec::from([(40, 0)]), false),
        (3, 40, Vec::from([(60, 0)]), false),
        (4, 40, Vec::new(), true),
        (5, 1040, Vec::from([(1060, 0)]), false),
    ];
    assert_eq!(fates(&trace), expected);
    assert_eq!(fates(&again), expected);
}

#[test]
fn the_recipe_comes_from_the_section_and_the_reasons_from_the_comments() {
    let trace = conversation().into_trace();
    let again = through_pcapng(&trace);
    let header = &again.header;
    assert_eq!((header.version.as_str(), header.seed), ("0.1.0", Some(1)));
    assert_eq!(
        (header.command.as_str(), header.tag.as_deref()),
        ("aperto --drop 4", Some("turma B, RA 20231234"))
    );
    assert_eq!((header.wire.as_str(), header.protocol.as_str(), header.epoch_ns), ("sim", "tcp", None));
    assert_eq!(header.link, trace.header.link);
    assert_eq!(header.source(), Source::Inferred);
    let names: Vec<_> = header.hosts.iter().map(|host| (host.name.as_str(), host.role)).collect();
    assert_eq!(names, [("client", Role::Client), ("server", Role::Server)]);
    assert!(header.hosts[0].has_address(CLIENT.into()));
    let fifth = again.packet(Number(5)).expect("it left");
    assert_eq!(fifth.comment.as_deref(), Some("retransmission-timeout"));
    assert_eq!(fifth.tcp().map(|segment| (segment.of, segment.reason)), Some((Some(Number(4)), None)));
    let flow = again.flows().next().expect("there is one");
    assert_eq!((flow.client, flow.server), (Some(C), Some(S)));
    assert_eq!(flow.initial(Direction::Down).map(aperto_wire::SeqNumber::value), Some(SERVER_ISN));
}

#[test]
fn copies_and_damage_of_the_channel_come_back() {
    let mut r = recorder();
    let frame = from_client(psh_ack(), 1, 1, b"abc");
    let first = r.left(ms(0), at(C), &frame, Meaning::Plain);
    r.arrived(ms(20), at(S), first, 0);
    r.arrived(ms(21), at(S), first, 1);
    let mut damaged = from_client(psh_ack(), 4, 1, b"def");
    let second = r.left(ms(30), at(C), &damaged, Meaning::Plain);
    *damaged.last_mut().expect("it is not empty") ^= 1;
    r.arrived_damaged(ms(50), at(S), second, 0, &damaged);
    let again = through_pcapng(&r.into_trace());
    let copies = (1, 0, Vec::from([(20, 0), (21, 1)]), false);
    assert_eq!(fates(&again), [copies, (2, 30, Vec::from([(50, 0)]), false)]);
    let arrival = again.journey(second).expect("it left").arrivals[0];
    assert_eq!(again.records()[arrival].packet().map(Packet::payload), Some(&b"deg"[..]));
}

/// The same capture without packet ids: identical retransmissions are told apart by their time.
#[test]
fn without_ids_the_arrival_belongs_to_the_last_departure_that_looks_the_same() {
    let trace = conversation().into_trace();
    let octets = pcapng::write_trace(&trace, Vec::new(), words).expect("memory is never full");
    let mut capture = capture::read(&octets).expect("it is ours");
    for frame in &mut capture.frames {
        frame.packet_id = None;
    }
    assert_eq!(fates(&rebuild(&capture)), fates(&trace));
}

/// A capture from one place, as others make them.
fn from_one_place(frames: &[Vec<u8>]) -> Trace {
    let mut header = trace_header();
    header.hosts.truncate(1);
    header.version.clear();
    let section = pcapng::Section::default();
    let mut writer = Writer::with_section(Vec::new(), &header, &section).expect("memory is never full");
    for (place, octets) in frames.iter().enumerate() {
        let frame = CapturedFrame {
            interface: 0,
            at_ns: 1_700_000_000_000_000_000 + place as u64 * 1_000_000,
            direction: None,
            packet_id: None,
            octets,
            original_length: u32::try_from(octets.len()).expect("it is short"),
            comment: None,
        };
        writer.packet(&frame).expect("memory is never full");
    }
    rebuild(&capture::read(&writer.into_sink()).expect("we wrote it"))
}

#[test]
fn a_capture_from_one_place_has_a_client_a_server_and_times_from_its_beginning() {
    let trace = from_one_place(&[
        from_client(SYN, 0, 0, b""),
        from_server(syn_ack(), 0, 1, b""),
        from_client(ACK, 1, 1, b""),
        from_client(psh_ack(), 1, 1, b"SYN:2389"),
        from_client(psh_ack(), 1, 1, b"SYN:2389"),
    ]);
    assert_eq!(
        (trace.header.wire.as_str(), trace.header.epoch_ns),
        ("capture", Some(1_700_000_000_000_000_000))
    );
    let senders: Vec<_> = trace
        .journeys()
        .map(|(_, journey)| trace.records()[journey.departure.expect("each left")].vantage.host_id())
        .collect();
    assert_eq!(senders, [Some(C), Some(S), Some(C), Some(C), Some(C)]);
    assert_eq!(fates(&trace)[4], (5, 4, Vec::from([(4, 0)]), false));
    let again = trace.packet(Number(5)).and_then(Packet::tcp).expect("a segment");
    assert_eq!(again.of, Some(Number(4)));
}

#[test]
fn both_ends_of_a_loopback_are_told_apart_by_their_ports() {
    let here = core::net::Ipv4Addr::LOCALHOST;
    let pair = Endpoints { source: (here, 59416).into(), destination: (here, 5000).into() };
    let header = |from_client, control, seq, ack| header(from_client, control, seq, ack);
    let trace = from_one_place(&[
        segment(pair, &header(true, SYN, 0, 0), b""),
        segment(pair.reversed(), &header(false, syn_ack(), 0, 1), b""),
        segment(pair.reversed(), &header(false, psh_ack(), 1, 1), b"hi"),
        segment(pair, &header(true, Control::FIN | Control::ACK, 1, 3), b""),
    ]);
    let flow = trace.flows().next().expect("there is one");
    assert_eq!((flow.endpoints, flow.client, flow.server), (pair, Some(C), Some(S)));
    let vantages: Vec<_> =
        trace.journeys().map(|(_, j)| trace.records()[j.departure.expect("it left")].vantage).collect();
    assert_eq!(vantages, [at(C), at(S), at(S), at(C)]);
}

#[test]
fn a_capture_that_begins_in_the_middle_counts_from_what_it_sees_first() {
    let trace =
        from_one_place(&[from_client(psh_ack(), 5000, 300, b"abc"), from_server(ACK, 300, 5003, b"")]);
    let flow = trace.flows().next().expect("there is one");
    let numbers: Vec<_> = trace
        .journeys()
        .map(|(number, _)| {
            let (_, way) = trace.flow_of(number).expect("it has a flow");
            let header = trace.packet(number).and_then(Packet::tcp).expect("a segment").header;
            (flow.relative_seq(way, header.seq), flow.relative_ack(way, header.ack))
        })
        .collect();
    assert_eq!(numbers, [(Some(1), Some(1)), (Some(1), Some(4))]);
}

#[test]
fn an_empty_capture_is_an_empty_trace() {
    let trace = rebuild(&Capture::default());
    assert_eq!((trace.records().len(), trace.header.wire.as_str()), (0, "capture"));
}

#[test]
fn a_captured_datagram_of_a_textbook_protocol_is_a_packet_of_it() {
    let mut r =
        Recorder::new(TraceHeader { protocol: "gbn".to_string(), ..trace_header() }, Limits::default());
    let format = aperto_arq::Config::new(aperto_arq::Protocol::GoBackN).format();
    let packet = aperto_arq::Packet {
        kind: aperto_arq::Kind::Data,
        sequence: aperto_arq::Sequence::new(2),
        end: aperto_arq::EndOfMessage::Yes,
        payload: b"te c".to_vec(),
    };
    let octets = packet.emit(format).expect("it fits");
    let number = r.left(ms(0), at(C), &datagram(up(), &octets), Meaning::Plain);
    let again = through_pcapng(&r.into_trace());
    let packet = again.packet(number).expect("it left");
    let Transport::Arq(arq) = &packet.transport else { panic!("not a packet of a textbook protocol") };
    assert_eq!((arq.sequence.value(), packet.payload()), (2, &b"te c"[..]));
    let text: String = again.to_json_lines();
    assert_eq!(Trace::from_json_lines(&text), Ok(again));
}

/// Who moved where, on the row of which packet.
fn moves(trace: &Trace) -> Vec<(HostId, &'static str, Option<u32>)> {
    let moved = |record: &Record| match record.fact {
        Fact::State { to, segment, .. } => Some((record.vantage.host_id()?, to.name(), segment.map(|n| n.0))),
        _ => None,
    };
    trace.records().iter().filter_map(moved).collect()
}

#[test]
fn states_of_our_own_recording_are_guessed_as_they_were() {
    let trace = conversation().into_trace();
    assert_eq!(moves(&through_pcapng(&trace)), moves(&trace));
}

/// UX 2.6 (a) from packets alone, with the close of RFC 9293 §3.6.
#[test]
fn a_whole_connection_goes_through_its_states() {
    let fin = Control::FIN | Control::ACK;
    let trace = from_one_place(&[
        from_client(SYN, 0, 0, b""),
        from_server(syn_ack(), 0, 1, b""),
        from_client(ACK, 1, 1, b""),
        from_client(psh_ack(), 1, 1, b"hello"),
        from_server(ACK, 1, 6, b""),
        from_client(fin, 6, 1, b""),
        from_server(ACK, 1, 7, b""),
        from_server(fin, 1, 7, b""),
        from_client(ACK, 7, 2, b""),
    ]);
    let expected = [
        (C, "SYN-SENT", Some(1)),
        (S, "SYN-RECEIVED", Some(1)),
        (C, "ESTABLISHED", Some(2)),
        (S, "ESTABLISHED", Some(3)),
        (C, "FIN-WAIT-1", Some(6)),
        (S, "CLOSE-WAIT", Some(6)),
        (C, "FIN-WAIT-2", Some(7)),
        (S, "LAST-ACK", Some(8)),
        (C, "TIME-WAIT", Some(8)),
        (S, "CLOSED", Some(9)),
    ];
    assert_eq!(moves(&trace), expected);
}

/// RFC 9293 §3.6, Figure 13: both close at once.
#[test]
fn a_simultaneous_close_goes_through_closing() {
    let fin = Control::FIN | Control::ACK;
    let trace = from_one_place(&[
        from_client(SYN, 0, 0, b""),
        from_server(syn_ack(), 0, 1, b""),
        from_client(ACK, 1, 1, b""),
    ]);
    let before = moves(&trace).len();
    let mut sides =
        [super::Side::new(aperto_tcp::State::Closed), super::Side::new(aperto_tcp::State::Listen)];
    assert_eq!(before, 4);
    let (syn, answer) = (header(true, SYN, 0, 0), header(false, syn_ack(), 0, 1));
    let names = |moves: &[Option<super::states::Move>]| -> Vec<&'static str> {
        moves.iter().flatten().map(|(_, to, _)| to.name()).collect()
    };
    let [client, server] = &mut sides;
    client.leaves(&syn, 0);
    server.arrives(&syn, 0);
    client.arrives(&answer, 0);
    server.arrives(&header(true, ACK, 1, 1), 0);
    let (ours, theirs) = (header(true, fin, 1, 1), header(false, fin, 1, 1));
    assert_eq!(names(&[client.leaves(&ours, 0), server.leaves(&theirs, 0)]), ["FIN-WAIT-1", "FIN-WAIT-1"]);
    assert_eq!(names(&client.arrives(&theirs, 0)), ["CLOSING"]);
    assert_eq!(names(&server.arrives(&ours, 0)), ["CLOSING"]);
    assert_eq!(names(&client.arrives(&header(false, ACK, 2, 2), 0)), ["TIME-WAIT"]);
}

#[test]
fn a_fin_beyond_a_hole_waits_until_the_hole_is_filled() {
    let fin = Control::FIN | Control::ACK;
    let trace = from_one_place(&[
        from_client(SYN, 0, 0, b""),
        from_server(syn_ack(), 0, 1, b""),
        from_client(fin, 6, 1, b"world"),
        from_client(psh_ack(), 1, 1, b"hello"),
    ]);
    let server: Vec<_> = moves(&trace).into_iter().filter(|(host, ..)| *host == S).collect();
    let expected = [(S, "SYN-RECEIVED", Some(1)), (S, "ESTABLISHED", Some(3)), (S, "CLOSE-WAIT", Some(4))];
    assert_eq!(server, expected);
}

/// RFC 9293 §3.5.2, group 1: where nobody listens there is no state to move.
#[test]
fn a_refused_connection_is_closed_by_the_reset_and_was_never_open_at_the_other_side() {
    let rst = Control::RST | Control::ACK;
    let trace = from_one_place(&[from_client(SYN, 0, 0, b""), from_server(rst, 0, 1, b"")]);
    assert_eq!(moves(&trace), [(C, "SYN-SENT", Some(1)), (C, "CLOSED", Some(2))]);
}
