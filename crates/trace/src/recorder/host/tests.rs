use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use aperto_host::{Config, Host, Interface};
use aperto_tcp::{Reason, State, Watch};
use aperto_time::{Duration, Instant};
use aperto_wire::SeqNumber;
use aperto_wire::ip::Cidr;

use crate::testing::*;
use crate::*;

fn host(address: core::net::Ipv4Addr) -> Host {
    let fixed_isn = Some(aperto_host::FixedIsn {
        active: SeqNumber::new(CLIENT_ISN),
        passive: SeqNumber::new(SERVER_ISN),
    });
    let config = Config { tcp: Arc::new(aperto_tcp::Config::modern()), fixed_isn, ..Config::default() };
    let mut host = Host::new(config);
    let network = Cidr::new(address.into(), 24).expect("a prefix of 24");
    host.add_interface(Interface::ip("wire", 1500, &[network]));
    host.watch(Watch::On);
    host
}

/// Empties a host: frames, events, notes. Gives the frames with their numbers.
fn empty(r: &mut Recorder, now: Instant, id: HostId, host: &mut Host) -> Vec<(Number, Vec<u8>)> {
    let mut buffer = vec![0; 1600];
    let mut frames = Vec::new();
    while let Some(departure) = host.poll_frame(now, &mut buffer) {
        let frame = &buffer[..departure.length];
        frames.push((r.departure(now, id, &departure, frame), frame.to_vec()));
    }
    while let Some(event) = host.poll_event() {
        r.host_event(now, id, host, &event);
    }
    while let Some(note) = host.poll_note() {
        r.host_note(now, id, &note);
    }
    frames
}

fn deliver(r: &mut Recorder, now: Instant, id: HostId, host: &mut Host, frames: &[(Number, Vec<u8>)]) {
    let interface = host.interfaces().next().map(|(id, _)| id).expect("it has one");
    for (number, frame) in frames {
        r.arrived(now, at(id), *number, 0);
        host.frame_arrives(now, interface, frame);
    }
}

#[test]
fn a_handshake_of_two_hosts_is_recorded_with_its_reasons_states_and_flow() {
    let (mut client, mut server) = (host(CLIENT), host(SERVER));
    let mut r = recorder();
    let listening = (SERVER, SERVER_PORT).into();
    server.listen(listening, 5).expect("the port is free");
    let connection = client.connect(ms(0), Some((CLIENT, CLIENT_PORT).into()), listening).expect("a route");
    let endpoints = client.endpoints(connection).expect("it exists").into();
    assert_eq!(endpoints, up());
    r.call(ms(0), C, Some(endpoints), Call::Connect { remote: listening });
    let syn = empty(&mut r, ms(0), C, &mut client);
    empty(&mut r, ms(0), S, &mut server);
    deliver(&mut r, ms(20), S, &mut server, &syn);
    let answer = empty(&mut r, ms(20), S, &mut server);
    deliver(&mut r, ms(40), C, &mut client, &answer);
    let ack = empty(&mut r, ms(40), C, &mut client);
    deliver(&mut r, ms(60), S, &mut server, &ack);
    empty(&mut r, ms(60), S, &mut server);

    let trace = r.into_trace();
    let reasons: Vec<_> =
        (1..=3).map(|n| trace.packet(Number(n)).and_then(Packet::tcp).and_then(|s| s.reason)).collect();
    let (iss, irs) = (SeqNumber::new(CLIENT_ISN), SeqNumber::new(SERVER_ISN));
    assert_eq!(
        reasons,
        [
            Some(Reason::ActiveOpen),
            Some(Reason::PassiveOpen { irs: iss }),
            Some(Reason::HandshakeAck { irs }),
        ]
    );
    let states: Vec<_> = trace
        .records()
        .iter()
        .filter_map(|record| match record.fact {
            Fact::State { to, segment, .. } => Some((record.vantage.host_id(), to, segment.map(|n| n.0))),
            _ => None,
        })
        .collect();
    assert!(states.contains(&(Some(C), State::SynSent, Some(1))), "{states:?}");
    assert!(states.contains(&(Some(S), State::SynReceived, Some(1))), "{states:?}");
    assert!(states.contains(&(Some(C), State::Established, Some(2))), "{states:?}");
    assert!(states.contains(&(Some(S), State::Established, Some(3))), "{states:?}");
    assert_eq!(trace.flows().count(), 1);
    let flow = trace.flows().next().expect("just counted");
    assert_eq!((flow.client, flow.server, flow.initial(Direction::Down)), (Some(C), Some(S), Some(irs)));
    let event = |id| {
        let wanted = Fact::Event(aperto_tcp::Event::Established);
        trace.records().iter().any(|record| record.vantage.host_id() == Some(id) && record.fact == wanted)
    };
    assert!(event(C), "the client's application is told");
}

#[test]
fn a_damaged_segment_is_dropped_with_the_format_whose_checksum_is_wrong() {
    let (mut client, mut server) = (host(CLIENT), host(SERVER));
    let mut r = recorder();
    client.connect(ms(0), Some((CLIENT, CLIENT_PORT).into()), (SERVER, SERVER_PORT).into()).expect("a route");
    let mut syn = empty(&mut r, ms(0), C, &mut client);
    let interface = server.interfaces().next().map(|(id, _)| id).expect("it has one");
    let (number, frame) = syn.first_mut().expect("a SYN left");
    *frame.last_mut().expect("it is not empty") ^= 1;
    r.arrived_damaged(ms(20), at(S), *number, 0, frame);
    server.frame_arrives(ms(20), interface, frame);
    assert!(empty(&mut r, ms(20), S, &mut server).is_empty(), "nobody answers damage");
    let dropped =
        Fact::Dropped { number: Some(Number(1)), reason: DropReason::BadChecksum { format: "tcp".into() } };
    assert!(r.trace().records().iter().any(|record| record.fact == dropped));
    // The same SYN, sound, for a port where nobody is: it is answered, with its reason.
    *frame.last_mut().expect("it is not empty") ^= 1;
    let sound = syn.clone();
    deliver(&mut r, ms(30), S, &mut server, &sound);
    let reset = empty(&mut r, ms(30), S, &mut server);
    let packet = r.trace().packet(reset[0].0).and_then(Packet::tcp).expect("a segment");
    assert_eq!(packet.reason, Some(Reason::Reset(aperto_tcp::ResetCause::NoConnection)));
}

#[test]
fn a_ping_and_its_reply_are_linked() {
    let (mut client, mut server) = (host(CLIENT), host(SERVER));
    let mut r = recorder();
    client.ping(ms(0), SERVER.into(), 7, 1, b"ping").expect("a route");
    let request = empty(&mut r, ms(0), C, &mut client);
    deliver(&mut r, ms(20), S, &mut server, &request);
    let reply = empty(&mut r, ms(20), S, &mut server);
    let later = ms(20) + Duration::from_millis(20);
    deliver(&mut r, later, C, &mut client, &reply);
    empty(&mut r, later, C, &mut client);
    let expected = Fact::EchoReplied { ident: 7, sequence: 1, number: Some(Number(2)) };
    assert!(r.trace().records().iter().any(|record| record.fact == expected));
}
