use alloc::string::ToString;

use aperto_tcp::diagram::Cause;
use aperto_tcp::{Reason, State};
use aperto_wire::tcp::Control;

use crate::testing::*;
use crate::*;

fn segment_of(trace: &Trace, number: u32) -> &Segment {
    trace.packet(Number(number)).and_then(Packet::tcp).expect("a segment of this number")
}

#[test]
fn packets_are_numbered_in_order_of_departure() {
    let trace = conversation().into_trace();
    let numbers: std::vec::Vec<u32> = trace.journeys().map(|(number, _)| number.0).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    assert_eq!(segment_of(&trace, 2).header.control, Control::SYN | Control::ACK);
    assert_eq!(Number(4).to_string(), "#4");
    assert_eq!(FlowId(1).to_string(), "c1");
}

#[test]
fn a_lost_packet_has_no_arrival_and_what_the_channel_did_to_it() {
    let trace = conversation().into_trace();
    let lost = trace.journey(Number(4)).expect("it left");
    assert!(lost.arrivals.is_empty());
    assert_eq!(lost.channel.len(), 1);
    assert_eq!(trace.records()[lost.channel[0]].vantage, Vantage::Channel);
    let sound = trace.journey(Number(5)).expect("it left");
    assert_eq!(sound.arrivals.len(), 1);
    assert_eq!(trace.records()[sound.arrivals[0]].at, ms(1060));
}

#[test]
fn a_retransmission_names_the_packet_that_carried_its_text_first() {
    let trace = conversation().into_trace();
    assert_eq!(segment_of(&trace, 4).of, None);
    assert_eq!(segment_of(&trace, 5).of, Some(Number(4)));
    let mut r = conversation();
    // The same text for the third time, cut at another place: octets 6 to 11, and three new ones.
    let third = r.left(ms(3000), at(C), &from_client(psh_ack(), 6, 1, b" mundo..."), Meaning::Plain);
    assert_eq!(segment_of(r.trace(), third.0).of, Some(Number(4)));
    // The new ones again: they left first in the packet before.
    let fourth = r.left(ms(9000), at(C), &from_client(psh_ack(), 13, 1, b"."), Meaning::Plain);
    assert_eq!(segment_of(r.trace(), fourth.0).of, Some(third));
}

#[test]
fn a_retransmission_is_found_where_the_numbers_wrap() {
    let mut r = recorder();
    let mut send = |milliseconds, seq: u32, text: &[u8]| {
        let mut header = header(true, psh_ack(), 0, 1);
        header.seq = aperto_wire::SeqNumber::new(u32::MAX - 4) + seq;
        r.left(ms(milliseconds), at(C), &segment(up(), &header, text), Meaning::Plain)
    };
    let first = send(0, 0, b"0123456789");
    let next = send(1, 10, b"abc");
    let again = send(2, 5, b"56789");
    let trace = r.into_trace();
    assert_eq!(segment_of(&trace, next.0).of, None);
    assert_eq!(segment_of(&trace, again.0).of, Some(first));
}

#[test]
fn a_keep_alive_is_no_retransmission() {
    let mut r = conversation();
    let idle = aperto_time::Duration::from_secs(7200);
    let reason = Meaning::Tcp(Reason::KeepAlive { attempt: 1, idle });
    let probe = r.left(ms(9_000_000), at(C), &from_client(ACK, 11, 1, b"x"), reason);
    assert_eq!(segment_of(r.trace(), probe.0).of, None);
}

/// RFC 5681 §2.
#[test]
fn duplicate_acknowledgments_are_counted_and_new_ones_start_again() {
    let mut r = conversation();
    for (place, seq) in [12u32, 112, 212, 312].into_iter().enumerate() {
        r.left(ms(2000 + place as u64), at(C), &from_client(ACK, seq, 1, &[b'x'; 100]), Meaning::Plain);
    }
    let mut ack = |milliseconds, ack| {
        let number = r.left(ms(milliseconds), at(S), &from_server(ACK, 1, ack, b""), Meaning::Plain);
        segment_of(r.trace(), number.0).duplicate_ack
    };
    assert_eq!(ack(2100, 12), None);
    assert_eq!(ack(2101, 12), Some(1));
    assert_eq!(ack(2102, 12), Some(2));
    assert_eq!(ack(2103, 412), None, "everything is acknowledged");
    assert_eq!(ack(2104, 412), None, "nothing is outstanding: this is a window update or a keep-alive");
}

/// RFC 5681 §2 (e): the advertised window equals that of the last acknowledgment.
#[test]
fn a_window_update_is_no_duplicate_acknowledgment() {
    let mut r = conversation();
    r.left(ms(2000), at(C), &from_client(ACK, 12, 1, &[b'x'; 100]), Meaning::Plain);
    let mut with = |window| {
        let header = aperto_wire::tcp::Header { window, ..header(false, ACK, 1, 12) };
        let number = r.left(ms(2100), at(S), &segment(down(), &header, b""), Meaning::Plain);
        segment_of(r.trace(), number.0).duplicate_ack
    };
    assert_eq!(with(100), None, "the first of its number");
    assert_eq!(with(200), None, "an update");
    assert_eq!(with(200), Some(1));
}

#[test]
fn of_departures_that_look_the_same_the_last_one_arrives() {
    let mut r = recorder();
    let frame = from_client(SYN, 0, 0, b"");
    let lost = r.left(ms(0), at(C), &frame, Meaning::Plain);
    let again = r.left(ms(1000), at(C), &frame, Meaning::Plain);
    assert_eq!(r.frame_arrived(ms(1020), at(S), &frame), again);
    assert_eq!(r.frame_arrived(ms(1021), at(S), &frame), lost, "it was only late");
    assert_eq!(r.frame_arrived(ms(1022), at(S), &frame), Number(3), "nobody here sent a third");
}

#[test]
fn a_window_is_marked_where_it_changes() {
    let mut r = conversation();
    let mut with = |window| {
        let header = aperto_wire::tcp::Header { window, ..header(false, ACK, 1, 12) };
        let number = r.left(ms(2000), at(S), &segment(down(), &header, b""), Meaning::Plain);
        segment_of(r.trace(), number.0).window
    };
    assert_eq!(with(64240), WindowMark::Same);
    assert_eq!(with(0), WindowMark::Changed);
    assert_eq!(with(0), WindowMark::Same);
}

#[test]
fn a_move_of_the_state_belongs_to_the_row_of_its_segment() {
    let trace = conversation().into_trace();
    let rows: std::vec::Vec<_> = trace
        .records()
        .iter()
        .filter_map(|record| match record.fact {
            Fact::State { to, segment, .. } => Some((record.vantage.host_id(), to, segment)),
            _ => None,
        })
        .collect();
    assert_eq!(
        rows,
        [
            (Some(C), State::SynSent, Some(Number(1))),
            (Some(S), State::SynReceived, Some(Number(1))),
            (Some(C), State::Established, Some(Number(2))),
            (Some(S), State::Established, Some(Number(3))),
        ]
    );
}

#[test]
fn an_active_open_that_is_noted_twice_is_recorded_once() {
    let mut r = conversation();
    let before = r.trace().records().len();
    r.note(ms(0), C, up(), state(State::Closed, State::SynSent, Cause::ActiveOpen));
    assert_eq!(r.trace().records().len(), before);
}

#[test]
fn a_timeout_belongs_to_no_row() {
    let mut r = conversation();
    r.note(ms(1060), S, down(), state(State::TimeWait, State::Closed, Cause::TimeWaitOver));
    let last = r.trace().records().last().expect("it was just noted");
    assert!(matches!(last.fact, Fact::State { segment: None, .. }));
}

#[test]
fn relative_numbers_count_from_the_syn_of_each_side() {
    let trace = conversation().into_trace();
    let flow = trace.flows().next().expect("one flow");
    assert_eq!((flow.client, flow.server), (Some(C), Some(S)));
    let answer = segment_of(&trace, 2).header;
    assert_eq!(flow.relative_seq(Direction::Down, answer.seq), Some(0));
    assert_eq!(flow.relative_ack(Direction::Down, answer.ack), Some(1));
    assert_eq!(
        trace.flow_of(Number(2)).map(|(flow, way)| (flow.id, way)),
        Some((FlowId(1), Direction::Down))
    );
}

/// RFC 7323 §2.2 and §2.3.
#[test]
fn a_window_is_scaled_only_if_both_syns_had_the_option_and_never_in_a_syn() {
    use aperto_wire::tcp::{Header, Options};
    let with = |control, scale| {
        let from_client = !control_is_answer(control);
        let options = Options { window_scale: scale, ..Options::NONE };
        Header { window: 500, options, ..header(from_client, control, 0, 1) }
    };
    let mut r = recorder();
    let (first, answer) = (with(SYN, Some(7)), with(syn_ack(), Some(2)));
    r.left(ms(0), at(C), &segment(up(), &first, b""), Meaning::Plain);
    r.left(ms(1), at(S), &segment(down(), &answer, b""), Meaning::Plain);
    let later = Header { window: 500, ..header(true, ACK, 1, 1) };
    let flow = r.trace().flow(FlowId(1)).expect("it began");
    assert_eq!(flow.window_octets(Direction::Up, &first), 500);
    assert_eq!(flow.window_octets(Direction::Up, &later), 64_000);
    assert_eq!(flow.window_octets(Direction::Down, &later), 2_000);

    let mut r = recorder();
    r.left(ms(0), at(C), &segment(up(), &first, b""), Meaning::Plain);
    r.left(ms(1), at(S), &segment(down(), &with(syn_ack(), None), b""), Meaning::Plain);
    let flow = r.trace().flow(FlowId(1)).expect("it began");
    assert_eq!(flow.window_octets(Direction::Up, &later), 500);
}

fn control_is_answer(control: Control) -> bool {
    control.ack()
}

#[test]
fn the_call_that_wrote_a_segment_is_found_by_its_octets() {
    let mut r = conversation();
    r.sent(ms(2000), C, up(), b"second");
    let number = r.left(ms(2000), at(C), &from_client(psh_ack(), 12, 1, b"second"), Meaning::Plain);
    let trace = r.into_trace();
    let (_, call) = trace.written_by(Number(5)).expect("the text was written once");
    assert!(matches!(call, Call::Send { offset: 0, length: 11, .. }));
    let Some((record, Call::Send { offset: 11, octets, .. })) = trace.written_by(number) else {
        panic!("not the second call")
    };
    assert_eq!((&**octets, record.at), (&b"second"[..], ms(2000)));
    assert!(trace.written_by(Number(3)).is_none(), "an ACK carries nothing that was written");
}

#[test]
fn a_pair_of_ports_that_opens_again_is_another_flow() {
    let mut r = conversation();
    r.left(ms(1500), at(C), &from_client(SYN, 0, 0, b""), Meaning::Plain);
    assert_eq!(r.trace().flows().count(), 1, "the same SYN again is the same connection");
    let number = r.left(ms(5000), at(C), &from_client(SYN, 70_000, 0, b""), Meaning::Plain);
    assert_eq!(r.trace().flows().count(), 2);
    assert_eq!(r.trace().flow_of(number).map(|(flow, _)| flow.id), Some(FlowId(2)));
    r.call(ms(9000), C, Some(up()), Call::Connect { remote: up().destination });
    assert_eq!(r.trace().records().last().and_then(|record| record.flow), Some(FlowId(3)));
}

#[test]
fn a_damaged_arrival_keeps_the_octets_that_came() {
    let mut r = recorder();
    let frame = from_client(psh_ack(), 1, 1, b"abc");
    let number = r.left(ms(0), at(C), &frame, Meaning::Plain);
    let mut damaged = frame.clone();
    *damaged.last_mut().expect("it is not empty") ^= 0x20;
    r.arrived_damaged(ms(20), at(S), number, 0, &damaged);
    r.dropped(ms(20), at(S), DropReason::BadChecksum { format: "tcp".to_string() });
    let trace = r.into_trace();
    assert_eq!(trace.packet(number).map(Packet::payload), Some(&b"abc"[..]));
    let journey = trace.journey(number).expect("it left");
    let arrived = trace.records()[journey.arrivals[0]].packet().expect("it came damaged");
    assert_eq!(arrived.payload(), b"abC");
    assert_eq!(journey.drops.len(), 1);
}

#[test]
fn a_frame_of_a_stranger_gets_a_number_and_our_own_keeps_its() {
    let mut r = recorder();
    let ours = from_client(SYN, 0, 0, b"");
    let left = r.left(ms(0), at(C), &ours, Meaning::Plain);
    assert_eq!(r.frame_arrived(ms(1), at(S), &ours), left);
    let theirs = from_server(syn_ack(), 0, 1, b"");
    assert_eq!(r.frame_arrived(ms(2), at(C), &theirs), Number(2));
    let packet = r.trace().packet(Number(2)).expect("the arrival holds it");
    assert_eq!(packet.endpoints, down());
    let flow = r.trace().flow(FlowId(1)).expect("it began");
    assert_eq!(flow.initial(Direction::Down).map(aperto_wire::SeqNumber::value), Some(SERVER_ISN));
}

#[test]
fn a_flow_that_begins_with_an_arrival_has_its_client_outside() {
    let mut header = trace_header();
    header.hosts.remove(0);
    let mut r = Recorder::new(header, Limits::default());
    r.frame_arrived(ms(0), Vantage::host(HostId(0)), &from_client(SYN, 0, 0, b""));
    let flow = r.trace().flow(FlowId(1)).expect("it began");
    assert_eq!((flow.endpoints, flow.client, flow.server), (up(), None, Some(HostId(0))));
}

#[test]
fn what_exceeds_the_limit_is_counted_and_the_numbers_go_on() {
    let limits = Limits { records: 3, ..Limits::default() };
    let mut r = Recorder::new(trace_header(), limits);
    for millisecond in 0..10 {
        r.left(ms(millisecond), at(C), &from_client(ACK, 1, 1, b""), Meaning::Plain);
    }
    assert_eq!(r.trace().records().len(), 3);
    assert_eq!(r.trace().not_kept(), 8, "ten departures and the beginning of the flow, less three");
    assert_eq!(r.next_number(), Number(11));
}

#[test]
fn a_drained_recorder_forgets_records_and_keeps_flows() {
    let mut r = conversation();
    let first = r.drain();
    assert!(first.len() > 10);
    assert_eq!((r.drained(), r.trace().records().len()), (first.len() as u64, 0));
    let again = r.left(ms(3000), at(C), &from_client(psh_ack(), 1, 1, GREETING.as_bytes()), Meaning::Plain);
    let records = r.drain();
    assert_eq!((again, records.len()), (Number(6), 1));
    let of = records[0].packet().and_then(Packet::tcp).and_then(|segment| segment.of);
    assert_eq!(of, Some(Number(4)));
}

#[test]
fn the_oldest_flow_is_forgotten_first() {
    let limits = Limits { flows: 2, ..Limits::default() };
    let mut r = Recorder::new(trace_header(), limits);
    for port in 1..=5 {
        let mut from = up();
        from.source.set_port(port);
        r.left(ms(0), at(C), &segment(from, &header(true, SYN, 0, 0), b""), Meaning::Plain);
    }
    let ids: std::vec::Vec<_> = r.trace().flows().map(|flow| flow.id).collect();
    assert_eq!(ids, [FlowId(4), FlowId(5)]);
}

#[test]
fn frames_are_kept_as_far_as_the_limit_and_lengths_tell_the_truth() {
    let limits = Limits { frame_octets: 42, text_octets: 2, ..Limits::default() };
    let mut r = Recorder::new(trace_header(), limits);
    let number = r.left(ms(0), at(C), &from_client(psh_ack(), 1, 1, b"abcdef"), Meaning::Plain);
    r.sent(ms(0), C, up(), b"abcdef");
    let packet = r.trace().packet(number).expect("it left");
    assert_eq!((packet.payload_length, packet.frame_length, packet.payload()), (6, 46, &b"ab"[..]));
    let call = r.trace().records().last().map(|record| &record.fact);
    let Some(Fact::Call(Call::Send { length: 6, octets, .. })) = call else { panic!("not that call") };
    assert_eq!(&**octets, b"ab");
}

#[test]
fn a_packet_of_a_textbook_protocol_names_the_one_it_repeats() {
    use aperto_arq::{Config, Protocol, Sender, reason::Reason as ArqReason};
    let config = Config::new(Protocol::StopAndWait);
    let timer = config.timer;
    let mut sender = Sender::new(Protocol::StopAndWait, config).expect("the default is sound");
    sender.send(b"tran").expect("the queue is empty");
    let first = sender.poll_packet(ms(0)).expect("it may send");
    sender.deadline_passed(ms(0) + timer);
    let second = sender.poll_packet(ms(0) + timer).expect("the timer ran out");
    let mut trace_header = trace_header();
    trace_header.protocol = "saw".to_string();
    let mut r = Recorder::new(trace_header, Limits::default());
    for outgoing in [&first, &second] {
        r.left(ms(0), at(C), &datagram(up(), &outgoing.octets()), Meaning::Arq(outgoing));
    }
    let Some(Transport::Arq(again)) = r.trace().packet(Number(2)).map(|packet| &packet.transport) else {
        panic!("not a packet of a textbook protocol")
    };
    assert_eq!(again.of, Some(Number(1)));
    assert!(matches!(again.reason, Some(ArqReason::TimerExpired { .. })));
    assert_eq!(r.trace().packet(Number(1)).map(Packet::payload), Some(&b"tran"[..]));
    // The same octets from a stranger: the packet is read from them alone.
    let mut other = Recorder::new(r.trace().header.clone(), Limits::default());
    let number = other.frame_arrived(ms(9), at(S), &datagram(up(), &first.octets()));
    let packet = other.trace().packet(number).expect("it arrived");
    assert!(matches!(packet.transport, Transport::Arq(_)));
    assert_eq!(packet.payload(), b"tran");
}
