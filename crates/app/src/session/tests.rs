use alloc::collections::BTreeMap;
use alloc::{format, vec};

use super::*;
use crate::hello::{MAGIC, Offer, Refusal, VERSION};

/// A channel that keeps nothing for itself: each datagram is lost, doubled, damaged or late by luck.
#[derive(Default)]
struct Rough {
    luck: u64,
    loss: u64,
    corrupt: u64,
    double: u64,
    late: u64,
    flying: BTreeMap<(Instant, u64), (bool, Vec<u8>)>,
    entered: u64,
    octets: [u64; 2],
}

impl Rough {
    fn draw(&mut self, of: u64) -> u64 {
        // SplitMix64 (Steele, Lea and Flood 2014).
        self.luck = self.luck.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.luck;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % of
    }

    fn enter(&mut self, now: Instant, up: bool, mut octets: Vec<u8>) {
        self.octets[usize::from(!up)] += octets.len() as u64;
        if self.draw(100) < self.loss {
            return;
        }
        if self.draw(100) < self.corrupt {
            let (at, bit) = (self.draw(octets.len() as u64) as usize, self.draw(8));
            octets[at] ^= 1 << bit;
        }
        for _ in 0..1 + u64::from(self.draw(100) < self.double) {
            let late = if self.draw(100) < self.late { 1 + self.draw(40) } else { 0 };
            self.entered += 1;
            let at = now + Duration::from_millis(10 + late);
            self.flying.insert((at, self.entered), (up, octets.clone()));
        }
    }
}

/// A client and a server of one peer, and what they heard.
struct Pair {
    now: Instant,
    client: Session,
    door: Door<u8>,
    rough: Rough,
    heard: [Vec<Vec<u8>>; 2],
    endings: [Option<Ending>; 2],
    opened: [Option<Terms>; 2],
    to_say: VecDeque<Vec<u8>>,
    echoes: VecDeque<Vec<u8>>,
}

fn server_offer() -> Offer {
    let modes = [Mode::StopAndWait, Mode::GoBackN, Mode::SelectiveRepeat];
    Offer::new(&modes, &[Integrity::InternetChecksum, Integrity::Crc32])
}

impl Pair {
    fn new(ask: Ask, rough: Rough) -> Self {
        let settings = Settings { max_retries: 60, tries: 30, ..Settings::default() };
        Self {
            now: Instant::ZERO,
            client: Session::ask(Instant::ZERO, ask, 77, settings),
            door: Door::new(server_offer(), settings, 4),
            rough,
            heard: [Vec::new(), Vec::new()],
            endings: [None; 2],
            opened: [None; 2],
            to_say: VecDeque::new(),
            echoes: VecDeque::new(),
        }
    }

    fn heard(&mut self, side: usize, event: Event) {
        match event {
            Event::Opened(terms) => self.opened[side] = Some(terms),
            Event::Message(octets) => {
                if side == 1 {
                    self.echoes.push_back(octets.clone());
                }
                self.heard[side].push(octets);
            }
            Event::Ended(ending) => {
                assert_eq!(self.endings[side], None, "it ends once");
                self.endings[side] = Some(ending);
            }
            Event::AllAcknowledged | Event::PeerFinished => {}
        }
    }

    /// The applications: the client says everything and finishes, the server says it back.
    fn applications(&mut self) {
        while let Some(event) = self.client.poll_event() {
            self.heard(0, event);
        }
        while let Some((_, event)) = self.door.poll_event() {
            self.heard(1, event);
        }
        while let Some(message) = self.to_say.front() {
            if self.client.send(message).is_err() {
                break;
            }
            self.to_say.pop_front();
        }
        if self.to_say.is_empty() && self.heard[0].len() == self.heard[1].len() && self.opened[0].is_some() {
            self.client.finish();
        }
        if let Some(session) = self.door.session(&1) {
            while let Some(echo) = self.echoes.front() {
                if session.send(echo).is_err() {
                    break;
                }
                self.echoes.pop_front();
            }
            if session.peer_finished.is_some() && self.echoes.is_empty() {
                session.finish();
            }
        }
    }

    fn leave(&mut self) {
        while let Some(datagram) = self.client.poll_datagram(self.now) {
            self.rough.enter(self.now, true, datagram.octets);
        }
        while let Some((_, datagram)) = self.door.poll_datagram(self.now) {
            self.rough.enter(self.now, false, datagram.octets);
        }
    }

    /// One event of the world; whether there was one.
    fn step(&mut self) -> bool {
        self.applications();
        self.leave();
        let arrival = self.rough.flying.first_key_value().map(|((at, _), _)| *at);
        let due = [self.client.poll_deadline(), self.door.poll_deadline(), arrival];
        let Some(next) = due.into_iter().flatten().min() else { return false };
        self.now = self.now.max(next);
        if arrival == Some(next) {
            let (_, (up, octets)) = self.rough.flying.pop_first().unwrap();
            if up {
                if let Answer::Refused(_, datagram) = self.door.datagram_arrives(self.now, &1, &octets) {
                    self.rough.enter(self.now, false, datagram.octets);
                }
            } else {
                self.client.datagram_arrives(self.now, &octets);
            }
        } else {
            self.client.deadline_passed(self.now);
            self.door.deadline_passed(self.now);
        }
        self.applications();
        self.leave();
        true
    }

    fn run(&mut self) {
        for _ in 0..200_000 {
            if !self.step() {
                return;
            }
        }
        panic!("it does not end");
    }
}

fn messages() -> Vec<Vec<u8>> {
    (0..6_u8).map(|n| format!("mensagem {n}: {}", "olá ".repeat(usize::from(n))).into_bytes()).collect()
}

/// Loss, damage, doubles and overtaking at once, in both directions and on HELLO and FIN too: every
/// message arrives once and in order, comes back once and in order, and both sides know the end,
/// but for the few where each of eight or more FINs or their answers were lost: that no number of
/// repetitions makes both sure is the problem of the two generals.
#[test]
fn every_message_arrives_once_and_in_order_and_both_know_the_end() {
    let mut unanswered = 0;
    for mode in [Mode::StopAndWait, Mode::GoBackN, Mode::SelectiveRepeat] {
        for seed in 0..300 {
            let ask = Ask {
                acknowledgement: if seed % 2 == 0 {
                    Acknowledgement::Individual
                } else {
                    Acknowledgement::Group
                },
                negative: if seed % 3 == 0 { Negative::On } else { Negative::Off },
                integrities: vec![Integrity::Crc32],
                ..Ask::new(mode)
            };
            let rough = Rough {
                luck: seed,
                loss: seed % 30,
                corrupt: seed % 7,
                double: 5,
                late: 10,
                ..Rough::default()
            };
            let mut pair = Pair::new(ask, rough);
            pair.to_say.extend(messages());
            pair.run();
            let what = format!("{mode:?}, seed {seed}");
            unanswered += u32::from(pair.endings[0] == Some(Ending::FinUnanswered));
            let ends = [Some(Ending::Closed), Some(Ending::FinUnanswered)];
            assert!(ends.contains(&pair.endings[0]), "{what}: {:?}", pair.endings);
            assert_eq!(pair.endings[1], Some(Ending::Closed), "{what}");
            assert_eq!(pair.heard[1], messages(), "{what}");
            assert_eq!(pair.heard[0], messages(), "{what}");
            assert!(pair.door.is_empty(), "{what}: nothing is kept");
        }
    }
    assert!(unanswered <= 9, "{unanswered} of 900");
}

/// On paper: 10 ms each way. ASK 0, GRANT at 20, seven octets in two packets and their echo: ACKs and
/// echo at 40; FIN leaves when the echo's own acknowledgement is not waited for: at 40, FIN-ACK at 60.
#[test]
fn without_errors_it_takes_as_many_datagrams_as_on_paper() {
    let mut pair = Pair::new(Ask::new(Mode::GoBackN), Rough::default());
    pair.to_say.push_back(b"oi voce".to_vec());
    pair.run();
    // ASK, 2 DATA, 2 ACKs of the echo, FIN; GRANT, 2 ACKs, 2 DATA, FIN-ACK.
    assert_eq!(pair.rough.entered, 12);
    assert_eq!(pair.endings, [Some(Ending::Closed); 2]);
    assert_eq!(pair.opened[0], pair.opened[1]);
}

#[test]
fn a_server_that_never_answers_is_given_up_after_its_tries() {
    let mut session = Session::ask(Instant::ZERO, Ask::new(Mode::GoBackN), 1, Settings::default());
    let (mut now, mut asked) = (Instant::ZERO, 0);
    while let Some(due) = session.poll_deadline() {
        now = due;
        session.deadline_passed(now);
        asked += u32::from(session.poll_datagram(now).is_some());
    }
    assert_eq!(asked, 8);
    // 0.3 + 0.6 + 1.2 + 2 + 2 + 2 + 2 + 2 s.
    assert_eq!(now, Instant::ZERO + Duration::from_millis(12_100));
    assert_eq!(session.poll_event(), Some(Event::Ended(Ending::NoAnswer)));
    assert_eq!(session.poll_event(), None);
}

/// A session that is open, the client's end of it, without any channel.
fn open_client() -> Session {
    let ask = Ask::new(Mode::SelectiveRepeat);
    let mut session = Session::ask(Instant::ZERO, ask.clone(), 9, Settings::default());
    session.poll_datagram(Instant::ZERO).unwrap();
    let terms = hello::grant(&ask, &server_offer()).unwrap();
    session.datagram_arrives(Instant::ZERO, &Hello::Grant { session: 9, terms }.encode());
    assert_eq!(session.poll_event(), Some(Event::Opened(terms)));
    session
}

#[test]
fn a_peer_that_vanishes_in_the_middle_is_given_up() {
    let mut session = open_client();
    session.send(b"alguem ai?").unwrap();
    let mut now = Instant::ZERO;
    while session.poll_datagram(now).is_some() {}
    while let Some(due) = session.poll_deadline() {
        now = due.max(now);
        session.deadline_passed(now);
        while session.poll_datagram(now).is_some() {}
        while let Some(event) = session.poll_event() {
            if event == Event::Ended(Ending::Silent) {
                assert!(now < Instant::ZERO + Duration::from_secs(3), "16 timers of 100 ms: {now:?}");
                return;
            }
        }
    }
    panic!("it was never given up");
}

#[test]
fn answers_that_were_not_asked_for_are_not_believed() {
    let ask = Ask::new(Mode::GoBackN);
    let fair = hello::grant(&ask, &server_offer()).unwrap();
    let answered = |hello: Hello| {
        let mut session = Session::ask(Instant::ZERO, ask.clone(), 9, Settings::default());
        session.poll_datagram(Instant::ZERO).unwrap();
        session.datagram_arrives(Instant::ZERO, &hello.encode());
        session.poll_event()
    };
    let unfair = Terms { window: 6, ..fair };
    assert_eq!(answered(Hello::Grant { session: 9, terms: unfair }), Some(Event::Ended(Ending::Foreign)));
    assert_eq!(answered(Hello::Grant { session: 8, terms: fair }), None, "of another session");
    let why = Refusal::NoCommonMode;
    assert_eq!(answered(Hello::Refuse { session: 9, why }), Some(Event::Ended(Ending::Refused(why))));
    assert_eq!(answered(Hello::Refuse { session: 8, why }), None);
}

#[test]
fn who_says_more_than_was_agreed_or_counts_what_never_came_is_cut_off() {
    let mut session = open_client();
    let mut peer = Endpoint::new(
        Protocol::SelectiveRepeat,
        Config { window_packets: 5, ..Config::new(Protocol::SelectiveRepeat) },
    )
    .unwrap();
    peer.send(&[b'x'; 101]).unwrap();
    let mut last = None;
    for _ in 0..30 {
        while let Some(packet) = peer.poll_packet(Instant::ZERO) {
            session.datagram_arrives(Instant::ZERO, &packet.octets());
        }
        while let Some(datagram) = session.poll_datagram(Instant::ZERO) {
            peer.packet_arrives(Instant::ZERO, &datagram.octets);
            last = Some(datagram.what);
        }
    }
    assert_eq!(last, Some(What::Control(Control::Reset, 1)));
    assert_eq!(session.poll_event(), Some(Event::Ended(Ending::Broken)));

    let mut session = open_client();
    session.datagram_arrives(Instant::ZERO, &Control::Fin { packets: 1 }.encode(9));
    assert_eq!(session.poll_event(), Some(Event::Ended(Ending::Broken)));

    let mut session = open_client();
    session.datagram_arrives(Instant::ZERO, &Control::Reset.encode(8));
    assert_eq!(session.poll_event(), None, "a RESET of another session");
    session.datagram_arrives(Instant::ZERO, &Control::Reset.encode(9));
    assert_eq!(session.poll_event(), Some(Event::Ended(Ending::Reset)));
}

#[test]
fn a_message_has_the_length_that_was_agreed_and_needs_an_open_session() {
    let mut session = open_client();
    assert_eq!(session.send(&[0; 101]), Err(CannotSend::TooLong { longest: 100 }));
    assert_eq!(session.send(&[0; 100]), Ok(()));
    assert_eq!(session.unacknowledged_packets(), 25);
    session.finish();
    assert_eq!(session.send(b"x"), Err(CannotSend::NotOpen));
    let mut asking = Session::ask(Instant::ZERO, Ask::new(Mode::GoBackN), 1, Settings::default());
    assert_eq!(asking.send(b"x"), Err(CannotSend::NotOpen));
}

fn asked(session: u32) -> Vec<u8> {
    Hello::Ask { session, ask: Ask::new(Mode::GoBackN) }.encode()
}

/// RELIABILITY UD-4: who has proved nothing gets no more octets than he sent, whatever he sends.
#[test]
fn a_stranger_gets_no_more_octets_than_he_sent() {
    let mut door: Door<u32> = Door::new(server_offer(), Settings::default(), 64);
    let mut other_version = asked(3);
    other_version[4] = VERSION + 1;
    let tiny = [&MAGIC[..], &[VERSION, 1, 0, 0, 0, 0, 0, 9]].concat();
    let garbage = [
        asked(1),
        asked(2)[..20].to_vec(),
        other_version,
        tiny,
        b"GET / HTTP/1.1".to_vec(),
        vec![0; 0],
        vec![1; 9],
    ];
    for (peer, octets) in (0..).zip(&garbage) {
        let mut back = 0;
        for repetition in 0..5_u64 {
            let now = Instant::ZERO + Duration::from_millis(repetition);
            if let Answer::Refused(_, datagram) = door.datagram_arrives(now, &peer, octets) {
                back += datagram.octets.len();
            }
            while let Some((_, datagram)) = door.poll_datagram(now) {
                back += datagram.octets.len();
            }
            let sent = octets.len() * (repetition as usize + 1);
            assert!(back <= sent, "peer {peer}: {back} of {sent}");
        }
        // Time alone makes nobody speak.
        door.deadline_passed(Instant::ZERO + Duration::from_secs(1));
        assert_eq!(door.poll_datagram(Instant::ZERO + Duration::from_secs(1)), None);
    }
}

#[test]
fn a_flood_of_asks_takes_up_no_more_than_the_sessions_there_may_be() {
    let mut door: Door<u32> = Door::new(server_offer(), Settings::default(), 64);
    for peer in 0..50_000 {
        door.datagram_arrives(Instant::ZERO, &peer, &asked(peer));
        while door.poll_datagram(Instant::ZERO).is_some() {}
    }
    assert_eq!(door.len(), 64);
    // After ten seconds without a packet all of them are gone.
    door.deadline_passed(Instant::ZERO + Duration::from_secs(10));
    while door.poll_event().is_some() {}
    assert!(door.is_empty());
}

#[test]
fn a_full_or_closing_door_refuses_and_says_why() {
    let mut door: Door<u32> = Door::new(server_offer(), Settings::default(), 1);
    assert!(matches!(door.datagram_arrives(Instant::ZERO, &1, &asked(1)), Answer::Asked(_)));
    door.session(&1).unwrap().datagram_arrives(Instant::ZERO, &Control::Fin { packets: 0 }.encode(1));
    assert!(door.session(&1).unwrap().is_open(), "a FIN proves that somebody is there");
    let refused = door.datagram_arrives(Instant::ZERO, &2, &asked(2));
    assert!(matches!(refused, Answer::Refused(Refusal::Full, _)), "{refused:?}");
    door.close();
    let refused = door.datagram_arrives(Instant::ZERO, &3, &asked(3));
    assert!(matches!(refused, Answer::Refused(Refusal::Full | Refusal::Closing, _)), "{refused:?}");
    let mut other_version = Hello::Ask { session: 5, ask: Ask::new(Mode::GoBackN) }.encode();
    other_version[4] = 9;
    let ignored = door.datagram_arrives(Instant::ZERO, &4, &other_version);
    assert!(matches!(ignored, Answer::Ignored(Some(_))), "its checksum is wrong: {ignored:?}");
}

#[test]
fn datagrams_of_strangers_are_read_without_harm() {
    let mut rough = Rough { luck: 5, ..Rough::default() };
    let mut door: Door<u64> = Door::new(server_offer(), Settings::default(), 8);
    let mut client = open_client();
    for round in 0..30_000_u64 {
        let now = Instant::ZERO + Duration::from_millis(round);
        let mut octets: Vec<u8> = (0..rough.draw(80)).map(|_| rough.draw(256) as u8).collect();
        if rough.draw(3) == 0 {
            octets = asked(rough.draw(4) as u32);
            let at = rough.draw(octets.len() as u64) as usize;
            octets[at] ^= rough.draw(256) as u8;
        }
        let peer = rough.draw(20);
        door.datagram_arrives(now, &peer, &octets);
        client.datagram_arrives(now, &octets);
        door.deadline_passed(now);
        client.deadline_passed(now);
        while door.poll_datagram(now).is_some() {}
        while client.poll_datagram(now).is_some() {}
        while door.poll_event().is_some() {}
        while client.poll_event().is_some() {}
    }
    assert!(door.len() <= 8);
}
