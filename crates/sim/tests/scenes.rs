//! The scenes, segment by segment, with numbers worked out by hand.
//!
//! The channel takes 20 ms each way. Numbers are relative to the initial sequence numbers, as on the
//! ladder.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::fmt::Write as _;
use std::time::Duration;

use aperto_app::Application;
use aperto_sim::channel::picks::{Action, Picks};
use aperto_sim::compare::{Comparison, Recovery};
use aperto_sim::recipe::{Protocol, Recipe, Stop};
use aperto_sim::scenes::{self, Scene};
use aperto_sim::world::{Ended, Timeline, World};
use aperto_tcp::{End, State};
use aperto_time::Instant;
use aperto_trace::{ChannelEvent, Direction, Fact, HostId, Number};

fn run(recipe: &Recipe) -> World {
    let mut world = World::new(recipe).unwrap();
    assert_eq!(world.run(), Ended::Quiet);
    world
}

/// One line for each segment: number, ms, direction, flags, seq, ack, len, LOST.
fn ladder(world: &World) -> String {
    let trace = world.trace();
    let mut text = String::new();
    for record in trace.records() {
        let Fact::Left(packet) = &record.fact else { continue };
        let flow = trace.flow(record.flow.unwrap()).unwrap();
        let way = flow.direction(packet.endpoints).unwrap();
        let segment = packet.tcp().expect("a scene of TCP");
        let header = &segment.header;
        let arrow = if way == Direction::Up { '>' } else { '<' };
        let seq = flow.relative_seq(way, header.seq).unwrap_or(header.seq.value());
        write!(text, "{} {} {arrow} {} seq={seq}", packet.number.0, record.at.as_millis(), header.control)
            .unwrap();
        if header.control.ack() {
            write!(text, " ack={}", flow.relative_ack(way, header.ack).unwrap()).unwrap();
        }
        if packet.payload_length > 0 {
            write!(text, " len={}", packet.payload_length).unwrap();
        }
        if is_lost(world, packet.number) {
            text += " LOST";
        }
        text += "\n";
    }
    text
}

fn is_lost(world: &World, number: Number) -> bool {
    world.trace().records().iter().any(|record| {
        matches!(&record.fact, Fact::Channel { number: n, what: ChannelEvent::Lost(_), .. } if *n == number)
    })
}

fn states(world: &World, host: HostId) -> Vec<(u64, State)> {
    let moved = |record: &aperto_trace::Record| match record.fact {
        Fact::State { to, .. } if record.vantage.host_id() == Some(host) => Some((record.at.as_millis(), to)),
        _ => None,
    };
    world.trace().records().iter().filter_map(moved).collect()
}

fn end(world: &World, host: HostId) -> Option<End> {
    world.applications(host).next().and_then(|attached| attached.end)
}

const CLIENT: HostId = HostId(0);
const SERVER: HostId = HostId(1);

#[test]
fn the_demonstration_has_nine_segments_in_150_ms() {
    let world = run(&scenes::demonstration());
    let expected = "\
1 0 > SYN seq=0
2 20 < SYN,ACK seq=0 ack=1
3 40 > ACK seq=1 ack=1
4 40 > PSH,ACK seq=1 ack=1 len=11
5 60 < PSH,ACK seq=1 ack=12 len=11
6 80 > FIN,ACK seq=12 ack=12
7 100 < ACK seq=12 ack=13
8 130 < FIN,ACK seq=12 ack=13
9 150 > ACK seq=13 ack=13
";
    assert_eq!(ladder(&world), expected);
    let client = [
        (0, State::SynSent),
        (40, State::Established),
        (80, State::FinWait1),
        (120, State::FinWait2),
        (150, State::TimeWait),
    ];
    assert_eq!(states(&world, CLIENT), client);
    let server = [
        (20, State::SynReceived),
        (60, State::Established),
        (100, State::CloseWait),
        (130, State::LastAck),
        (170, State::Closed),
    ];
    let seen = states(&world, SERVER);
    assert_eq!(seen.iter().filter(|(_, to)| *to != State::Listen).copied().collect::<Vec<_>>(), server);
    assert_eq!(world.now(), Instant::from_millis(170));
}

#[test]
fn every_segment_of_the_demonstration_has_its_reason_and_its_window() {
    let world = run(&scenes::demonstration());
    for (_, journey) in world.trace().journeys() {
        let record = &world.trace().records()[journey.packet.unwrap()];
        let segment = record.packet().unwrap().tcp().unwrap();
        assert!(segment.reason.is_some(), "{record:?}");
        if segment.header.control.syn() {
            assert_eq!(segment.header.window, 64_240);
        }
    }
    let iss = |number: u32| world.trace().packet(Number(number)).unwrap().tcp().unwrap().header.seq.value();
    assert_eq!((iss(1), iss(2)), (1234, 1567));
}

/// The text leaves at 40 and is lost; the timer runs from then: 1 s; the answer comes at 1060.
#[test]
fn a_lost_text_comes_back_by_the_timer() {
    let mut recipe = scenes::demonstration();
    recipe.picks = Picks::parse(Action::Drop, "4").unwrap();
    let world = run(&recipe);
    let text = ladder(&world);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[3], "4 40 > PSH,ACK seq=1 ack=1 len=11 LOST");
    assert_eq!(lines[4], "5 1040 > PSH,ACK seq=1 ack=1 len=11");
    assert_eq!(lines[5], "6 1060 < PSH,ACK seq=1 ack=12 len=11");
    assert_eq!(lines.len(), 10);
    assert_eq!(ladder(&run(&scenes::loss())), text, "the scene is the same by kind");
}

/// Damage on the way says nothing about whoever sent the segment: numbers count from the real SYN.
#[test]
fn a_damaged_request_is_discarded_and_sent_again_on_the_same_flow() {
    let mut recipe = scenes::demonstration();
    recipe.picks = Picks::parse(Action::Corrupt, "syn").unwrap();
    for seed in 1..=20 {
        recipe.seed = seed;
        let world = run(&recipe);
        assert_eq!(world.trace().flows().count(), 1);
        let flow = world.trace().flows().next().unwrap();
        assert_eq!(flow.initial(Direction::Up).map(aperto_wire::SeqNumber::value), Some(1234));
        assert_eq!(end(&world, SERVER), Some(End::Closed));
    }
}

#[test]
fn every_scene_runs_to_its_end_and_the_same_twice() {
    for scene in Scene::ALL {
        let recipe = scene.recipe();
        let world = run(&recipe);
        assert_eq!(world.trace().records(), run(&recipe).trace().records(), "{}", scene.name());
        assert!(world.trace().journeys().count() >= 2, "{}", scene.name());
        assert_eq!(Scene::from_name(scene.name()), Some(scene));
    }
}

#[test]
fn a_refused_client_is_told_in_one_round_trip() {
    let world = run(&scenes::refuse());
    assert_eq!(ladder(&world), "1 0 > SYN seq=0\n2 20 < RST,ACK seq=0 ack=1\n");
    assert_eq!(end(&world, CLIENT), Some(End::Refused));
}

/// Timeouts of 1, 2, 4... seconds: the second SYN at 1 s, the third at 3 s.
#[test]
fn a_lost_request_is_sent_again_after_one_and_after_three_seconds() {
    let text = ladder(&run(&scenes::syn_retry()));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..4],
        [
            "1 0 > SYN seq=0 LOST",
            "2 1000 > SYN seq=0 LOST",
            "3 3000 > SYN seq=0",
            "4 3020 < SYN,ACK seq=0 ack=1"
        ]
    );
    assert_eq!(lines.len(), 5);
}

/// RFC 9293 §3.8.3: a SYN is tried for three minutes at least.
#[test]
fn a_black_hole_times_out_after_three_minutes() {
    let world = run(&scenes::blackhole());
    assert_eq!(end(&world, CLIENT), Some(End::TimedOut));
    assert!(world.now() >= Instant::from_millis(180_000) && world.now() <= Instant::from_millis(241_000));
}

/// RFC 9293 §3.5, Figure 8.
#[test]
fn crossing_requests_make_one_connection() {
    let world = run(&scenes::simultaneous_open());
    let text = ladder(&world);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].contains("SYN seq=0") && lines[1].contains("SYN seq=0"), "{text}");
    for host in [CLIENT, SERVER] {
        let states: Vec<State> = states(&world, host).into_iter().map(|(_, to)| to).collect();
        assert_eq!(states[..3], [State::SynSent, State::SynReceived, State::Established], "{text}");
    }
}

/// Eight segments, the third lost: segments 4, 5 and 6 bring three duplicate acknowledgments.
#[test]
fn three_duplicate_acknowledgments_bring_a_lost_segment_back_before_any_timer() {
    let world = run(&scenes::dupack(scenes::BULK_OCTETS));
    let resent: Vec<u64> = resends(&world);
    assert_eq!(resent.len(), 1);
    assert!(resent[0] < 200, "long before the timeout of 1 s: {resent:?}");
    assert_eq!(received(&world), scenes::BULK_OCTETS);
    let world = run(&scenes::reorder(scenes::BULK_OCTETS));
    assert_eq!(resends(&world), Vec::<u64>::new(), "two duplicates are too few");
    assert_eq!(received(&world), scenes::BULK_OCTETS);
}

fn resends(world: &World) -> Vec<u64> {
    let resend = |record: &aperto_trace::Record| match &record.fact {
        Fact::Left(packet) => {
            let reason = packet.tcp()?.reason?;
            matches!(reason, aperto_tcp::Reason::Retransmission { .. }).then_some(record.at.as_millis())
        }
        _ => None,
    };
    world.trace().records().iter().filter_map(resend).collect()
}

fn received(world: &World) -> u64 {
    world.applications(SERVER).next().unwrap().application.received().octets
}

#[test]
fn a_closed_window_is_probed_until_it_opens() {
    let world = run(&scenes::zero_window());
    let probes = world.trace().records().iter().filter(|record| match &record.fact {
        Fact::Left(packet) => {
            matches!(packet.tcp().unwrap().reason, Some(aperto_tcp::Reason::WindowProbe { .. }))
        }
        _ => false,
    });
    assert!(probes.count() >= 1);
    assert_eq!(received(&world), 8_760);
    assert_eq!(end(&world, SERVER), Some(End::Closed));
}

/// RFC 9293 §3.7.4: the first letter leaves at once, the others wait for its acknowledgment, which
/// is delayed by 200 ms: 40 + 20 + 200 + 20 = 280.
#[test]
fn nagle_holds_small_text_until_the_first_is_acknowledged() {
    let text = ladder(&run(&scenes::nagle()));
    let data: Vec<&str> = text.lines().filter(|line| line.contains("len=")).collect();
    assert_eq!(data, ["4 40 > PSH,ACK seq=1 ack=1 len=1", "6 280 > PSH,ACK seq=2 ack=1 len=5"]);
}

#[test]
fn time_wait_answers_a_fin_that_comes_again_and_ends() {
    let world = run(&scenes::time_wait());
    let last = states(&world, CLIENT).last().copied().unwrap();
    assert_eq!(last.1, State::Closed);
    // 2 MSL of 30 s each, started again when the FIN came again.
    assert!(last.0 > 60_000, "{last:?}");
    assert_eq!(end(&world, SERVER), Some(End::Closed));
    assert!(resends(&world).len() == 1, "the FIN");
}

#[test]
fn each_connection_to_one_port_has_a_port_of_its_own() {
    let world = run(&scenes::ports(3));
    let mut ports: Vec<u16> = world.trace().flows().map(|flow| flow.endpoints.source.port()).collect();
    ports.dedup();
    assert_eq!(ports, [49152, 49153, 49154]);
    assert!(world.trace().flows().all(|flow| flow.endpoints.destination.port() == 7000));
}

#[test]
fn half_closed_means_that_the_other_half_still_works() {
    let world = run(&Recipe { stop: Stop::Empty, ..scenes::half_close() });
    let client = world.applications(CLIENT).next().unwrap();
    assert_eq!(client.application.received().octets, 6, "one, two");
    assert_eq!(end(&world, CLIENT), Some(End::Closed));
}

/// UX: seven duplicate-free packets and one loss, three duplicate acknowledgments at 43, 44 and 45,
/// the packet again at 45, delivered at 65, counted from the first.
#[test]
fn tcp_in_the_comparison_sends_nine_and_delivers_all_in_65_ms() {
    let mut comparison = Comparison::new("transporte confiável de dados".as_bytes());
    comparison.channel.picks = Picks::parse(Action::Drop, "data:2").unwrap();
    let (row, world) = comparison.run(Protocol::Tcp).unwrap();
    assert_eq!((row.sends, row.resends, row.acks, row.delivered), (9, 1, 8, 30), "{}", ladder(&world));
    assert_eq!(row.complete_after, Some(Duration::from_millis(65)));
    assert_eq!(row.opening, Duration::from_millis(40));
    assert_eq!(row.recovery, Recovery::DuplicateAcks);
}

#[test]
fn udp_in_the_comparison_sends_eight_and_does_not_recover() {
    let mut comparison = Comparison::new("transporte confiável de dados".as_bytes());
    comparison.channel.picks = Picks::parse(Action::Drop, "data:2").unwrap();
    let (row, world) = comparison.run(Protocol::Udp).unwrap();
    assert_eq!((row.sends, row.resends, row.acks, row.delivered), (8, 0, 0, 26));
    assert_eq!((row.complete_after, row.recovery), (None, Recovery::None));
    assert_eq!(std::str::from_utf8(world.heard(SERVER)), Ok("transporonfiável de dados"));
}

#[test]
fn a_timeline_steps_back_to_the_same_world() {
    let mut timeline = Timeline::new(&scenes::dupack(scenes::BULK_OCTETS)).unwrap();
    timeline.to_the_end();
    let last = timeline.at();
    let whole = timeline.world().trace().records().to_vec();
    timeline.seek(last / 2);
    assert_eq!(timeline.at(), last / 2);
    let half = timeline.world().trace().records().len();
    assert_eq!(timeline.world().trace().records(), &whole[..half]);
    assert!(timeline.back());
    assert_eq!(timeline.at(), last / 2 - 1);
    timeline.to_the_end();
    assert_eq!(timeline.world().trace().records(), whole);
}

/// UX: removing one pick changes only rows caused by it: nothing before the pick differs.
#[test]
fn a_pick_changes_nothing_before_it() {
    let plain = run(&scenes::bulk(30_000));
    for number in [4, 10, 17] {
        let mut recipe = scenes::bulk(30_000);
        recipe.picks = Picks::parse(Action::Drop, &number.to_string()).unwrap();
        let picked = run(&recipe);
        let is_before = |fact: &Fact| !matches!(fact, Fact::Left(packet) if packet.number.0 >= number);
        let before = |world: &World| {
            let records = world.trace().records().iter();
            records.take_while(|record| is_before(&record.fact)).cloned().collect::<Vec<_>>()
        };
        assert_eq!(before(&plain), before(&picked));
    }
}

/// The texts are those of the two programs as their authors wrote them.
#[test]
fn a_handshake_told_in_text_is_data_in_segments_of_its_own_after_the_real_one() {
    use aperto_app::text::Dialect;
    let handshake =
        ["SYN:2389", "SYN-ACK:4404:ACK:2390", "ACK:4405", "FIN:4405", "ACK:4406", "FIN:2390", "ACK:2391"];
    let three_way = ["[1] SYN/seq=1234", "[2] SYN/seq=1567 ACK/seq=1235", "[3] ACK/seq=1568"];
    for (dialect, told) in [(Dialect::Handshake, &handshake[..]), (Dialect::ThreeWay, &three_way)] {
        let world = run(&scenes::told_in_text(dialect));
        let sent = world.trace().records().iter().filter_map(|record| match &record.fact {
            Fact::Left(packet) => Some(packet),
            _ => None,
        });
        let texts: Vec<(u32, &str)> = sent
            .filter(|packet| packet.payload_length > 0)
            .map(|packet| (packet.number.0, std::str::from_utf8(packet.payload()).unwrap()))
            .collect();
        assert_eq!(texts.iter().map(|(_, text)| *text).collect::<Vec<_>>(), told);
        assert_eq!(texts[0].0, 4, "SYN, SYN,ACK and ACK came before");
        assert!(ladder(&world).contains("4 40 > PSH,ACK seq=1 ack=1 len="));
    }
}
