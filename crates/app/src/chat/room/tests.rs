//! What a room does with members, with persons, and with those who mean it harm.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::super::frame::{Join, Part, Say, Seal};
use super::super::testing::{Hall, ask, config, octets};
use super::*;
use crate::hello::Hello;

const SECOND: Duration = Duration::from_secs(1);

/// What a member of the tests' own sends first.
fn greeting(token: u8, name: &str, integrity: Integrity) -> Vec<u8> {
    let hello = Hello::Ask { session: 1, ask: ask(integrity) }.encode();
    let join =
        Frame::Join(Join { token: [token; 16], connection: 1, room: [0; 16], seen: 0, name: name.into() });
    [hello, octets(&join, Seal::None)].concat()
}

fn say(id: u64, text: &[u8]) -> Vec<u8> {
    octets(&Frame::Say(Say { id, part: Part::WHOLE, piece: text.to_vec() }), Seal::None)
}

/// The frames that a bare connection got behind GRANT and WELCOME.
fn answers(hall: &mut Hall, id: MemberId) -> Vec<Frame> {
    let all = hall.bare.remove(&id).unwrap_or_default();
    let mut rest = all.as_slice();
    if let Ok((_, taken)) = Hello::decode(rest) {
        rest = &rest[taken..];
    }
    let mut decoder = super::super::decoder::Decoder::new(MOST_MESSAGE, Seal::None);
    let mut frames = Vec::new();
    while let Ok(Some(super::super::decoder::Found::Frame(frame))) = decoder.take(&mut rest) {
        frames.push(frame);
    }
    assert!(rest.is_empty());
    frames.retain(|frame| !matches!(frame, Frame::Welcome(_) | Frame::Came(_)));
    frames
}

fn said(hall: &Hall) -> Vec<(String, String)> {
    let said = hall.told.iter().filter_map(|event| match event {
        Event::Said { name, text, .. } => Some((name.clone(), text.clone())),
        _ => None,
    });
    said.collect()
}

fn gone(hall: &Hall, id: MemberId) -> Option<Option<Bye>> {
    hall.told.iter().find_map(|event| match event {
        Event::Gone { member, why, .. } if *member == id => Some(*why),
        _ => None,
    })
}

#[test]
fn nothing_is_confirmed_or_shown_before_it_is_on_the_disk() {
    let mut hall = Hall::new(Keeping::Journal);
    let (ana, rui) = (hall.comes("ana", ask(Integrity::None)), hall.comes("rui", ask(Integrity::None)));
    hall.writes = false;
    hall.says(ana, "oi");
    assert!(hall.guests[ana].confirmed().is_empty() && hall.guests[rui].texts().is_empty());
    assert!(said(&hall).is_empty());
    hall.writes = true;
    hall.settle();
    assert_eq!(hall.guests[ana].confirmed(), [1]);
    assert_eq!(hall.guests[rui].shown(), [(1, "ana".into(), "oi".into())]);
    assert_eq!(said(&hall), [("ana".into(), "oi".into())]);
}

#[test]
fn all_members_see_all_messages_in_one_order() {
    let mut hall = Hall::new(Keeping::Memory);
    let all: Vec<usize> = ["ana", "rui", "zé"].map(|name| hall.comes(name, ask(Integrity::Digest))).to_vec();
    for round in 0..5 {
        for &guest in &all {
            hall.says(guest, &alloc::format!("{guest} {round}"));
        }
        hall.room.say(hall.now, "servidor aqui").unwrap();
        hall.settle();
    }
    let first = hall.guests[0].shown();
    assert_eq!(first.len(), 20);
    assert!(first.iter().map(|(seq, ..)| *seq).eq(1..=20));
    assert!(all.iter().all(|guest| hall.guests[*guest].shown() == first));
    assert!(all.iter().all(|guest| hall.guests[*guest].confirmed() == [1, 2, 3, 4, 5]));
}

/// I-28.
#[test]
fn a_replayed_journal_gives_the_same_state() {
    let mut hall = Hall::new(Keeping::Journal);
    let (ana, rui) = (hall.comes("ana", ask(Integrity::None)), hall.comes("rui", ask(Integrity::None)));
    let person = hall.dials("olá\n".as_bytes());
    for round in 0..30 {
        hall.says(ana, &alloc::format!("a{round}"));
        hall.says(rui, &alloc::format!("r{round}"));
        hall.waits(SECOND);
    }
    hall.sends(person, b"tchau\n");
    hall.room.say(hall.now, "fim").unwrap();
    hall.settle();
    let (replayed, end) = Room::replay(config(Keeping::Journal), hall.disk.chunks(7)).unwrap();
    assert_eq!((end.torn, end.whole), (0, hall.disk.len() as u64));
    assert_eq!(replayed.fingerprint(), hall.room.fingerprint());
    assert_eq!(replayed.confirmed(), 63);
    assert_ne!(Room::new(config(Keeping::Journal)).fingerprint(), replayed.fingerprint());
}

/// RELIABILITY AP-11: at each octet at which the journal can end.
#[test]
fn a_server_killed_at_any_octet_of_its_journal_loses_nothing_that_was_confirmed() {
    let mut tried = 0;
    for cut in 0..200 {
        let mut hall = Hall::new(Keeping::Journal);
        let (ana, rui) = (hall.comes("ana", ask(Integrity::None)), hall.comes("rui", ask(Integrity::None)));
        hall.says(ana, "um");
        hall.says(rui, "dois");
        let synced = hall.disk.len();
        // The next two are written, and the machine stops before the disk has said so.
        hall.writes = false;
        hall.says(ana, "três");
        hall.says(rui, "quatro");
        let Some(batch) = hall.room.take_journal() else { panic!("two records") };
        hall.disk.extend_from_slice(&batch.octets);
        if cut > batch.octets.len() {
            break;
        }
        hall.writes = true;
        hall.restarts(synced + cut);
        hall.waits(SECOND);
        let mut expected = vec!["um", "dois", "três", "quatro"];
        let shown = hall.guests[ana].texts();
        if shown[2] == "quatro" {
            // Who comes back first is heard first.
            expected.swap(2, 3);
        }
        assert_eq!(shown, expected, "cut at {cut}");
        assert_eq!(hall.guests[rui].shown(), hall.guests[ana].shown());
        assert_eq!((hall.guests[ana].confirmed(), hall.guests[rui].confirmed()), (vec![1, 2], vec![1, 2]));
        tried += 1;
    }
    assert!(tried > 100, "{tried}");
}

/// RELIABILITY AP-4.
#[test]
fn a_repeated_id_is_confirmed_again_and_shown_once() {
    let mut hall = Hall::new(Keeping::Memory);
    let id = hall.dials(&greeting(1, "ana", Integrity::None));
    hall.sends(id, &[say(1, b"oi"), say(1, b"oi"), say(3, b"la"), say(1, b"oi"), say(2, b"tarde")].concat());
    let acks: Vec<Frame> =
        answers(&mut hall, id).into_iter().filter(|frame| !matches!(frame, Frame::Said(_))).collect();
    let ack = |id| Frame::Ack { id };
    // 2 comes after 3: it was passed over, and is not said.
    assert_eq!(acks, [ack(1), ack(1), ack(3), ack(1), Frame::Nack { id: 2, why: Refused::Before }]);
    assert_eq!(said(&hall).len(), 2);
}

/// RELIABILITY AP-4.
#[test]
fn an_acknowledgement_of_what_was_never_sent_ends_the_connection() {
    for frame in [Frame::Ack { id: 2 }, Frame::AckUpTo { id: u64::MAX }, Frame::Damaged { after: 9 }] {
        let mut hall = Hall::new(Keeping::Memory);
        let id = hall.dials(&greeting(1, "ana", Integrity::None));
        hall.sends(id, &say(1, b"oi"));
        hall.sends(id, &octets(&frame, Seal::None));
        assert_eq!(gone(&hall, id), Some(Some(Bye::Protocol)), "{frame:?}");
    }
    let mut hall = Hall::new(Keeping::Memory);
    let join = Frame::Join(Join { token: [1; 16], connection: 1, room: [9; 16], seen: 5, name: "x".into() });
    let hello = Hello::Ask { session: 1, ask: ask(Integrity::None) }.encode();
    let id = hall.dials(&[hello, octets(&join, Seal::None)].concat());
    assert_eq!(gone(&hall, id), Some(Some(Bye::Protocol)), "nobody has seen what was not said");
}

/// RELIABILITY AP-3: 20 messages a second, and told why.
#[test]
fn a_flood_is_refused_with_the_reason_and_ended_if_it_goes_on() {
    let mut hall = Hall::new(Keeping::Memory);
    let id = hall.dials(&greeting(1, "ana", Integrity::None));
    for number in 1..=60 {
        hall.sends(id, &say(number, b"x"));
        // It reads, too.
        let got: Vec<Frame> = answers(&mut hall, id);
        let last = got
            .iter()
            .filter_map(|frame| if let Frame::Said(said) = frame { Some(said.seq) } else { None })
            .max();
        if let Some(seq) = last {
            hall.sends(id, &octets(&Frame::Ack { id: seq }, Seal::None));
        }
        let refused =
            got.iter().any(|frame| matches!(frame, Frame::Nack { why: Refused::TooFast { .. }, .. }));
        assert_eq!(refused, number > 40, "{number}");
    }
    assert_eq!(said(&hall).len(), 40);
    for number in 61..=200 {
        hall.sends(id, &say(number, b"x"));
    }
    assert_eq!(gone(&hall, id), Some(Some(Bye::Flood)));
}

/// RELIABILITY AP-3: who does not read is let go at 1 MiB, and nobody else notices.
#[test]
fn a_slow_member_is_let_go_and_others_are_not() {
    let mut hall = Hall::new(Keeping::Memory);
    let slow = hall.dials(&greeting(200, "slow", Integrity::None));
    let rui = hall.comes("rui", ask(Integrity::None));
    let text = "x".repeat(50_000);
    let mut said = 0;
    while gone(&hall, slow).is_none() {
        hall.room.say(hall.now, &text).unwrap();
        hall.settle();
        said += 1;
        assert!(said < 100);
    }
    assert_eq!(gone(&hall, slow), Some(Some(Bye::TooSlow)));
    // One MiB is 20.97 messages of 50,000 octets and what belongs to them.
    assert!((20..=22).contains(&said), "{said}");
    assert_eq!(hall.guests[rui].texts().len(), said);
}

/// RELIABILITY AP-2.
#[test]
fn who_is_slow_to_say_who_it_is_or_to_end_a_frame_is_let_go() {
    let mut hall = Hall::new(Keeping::Memory);
    let slow = hall.dials(&greeting(1, "ana", Integrity::None)[..20]);
    hall.waits(9 * SECOND);
    assert_eq!(gone(&hall, slow), None);
    hall.waits(SECOND);
    assert_eq!(gone(&hall, slow), Some(Some(Bye::Unfinished)));

    let id = hall.dials(&greeting(2, "ana", Integrity::None));
    let message = say(1, b"0123456789");
    // One octet every ten seconds.
    for octet in message.iter().take(3) {
        assert_eq!(gone(&hall, id), None);
        hall.sends(id, &[*octet]);
        hall.waits(10 * SECOND);
    }
    assert_eq!(gone(&hall, id), Some(Some(Bye::Unfinished)));
    let idle = hall.dials(&greeting(3, "rui", Integrity::None));
    hall.waits(299 * SECOND);
    assert_eq!(gone(&hall, idle), None);
    assert!(answers(&mut hall, idle).contains(&Frame::Ping(0)), "it is asked whether it is there");
    hall.waits(SECOND);
    assert_eq!(gone(&hall, idle), Some(Some(Bye::Idle)));
    hall.waits(5 * SECOND);
    assert!(hall.closed.contains(&(idle, "aborted")), "it does not take the last word either");
}

/// RELIABILITY AP-10.
#[test]
fn who_has_the_wrong_port_is_known_and_told_a_line() {
    for (octets, what) in [
        (&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], Stranger::Http),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", Stranger::Tls),
        (b"\x00\x01\x02\x03\x04\x05\x06\x07", Stranger::Unknown),
    ] {
        let mut hall = Hall::new(Keeping::Memory);
        let id = hall.dials(octets);
        assert!(hall.told.contains(&Event::Stranger { member: id, what }));
        hall.room.dismiss(hall.now, id, b"this port speaks aperto chat\n");
        hall.settle();
        assert_eq!(hall.heard(id), "this port speaks aperto chat\n");
        assert_eq!(hall.closed, [(id, "closed")]);
        assert_eq!(hall.room.appetite(id), 0);
    }
}

#[test]
fn another_version_is_told_which_one_is_spoken() {
    let mut hall = Hall::new(Keeping::Memory);
    let mut hello = Hello::Ask { session: 7, ask: ask(Integrity::None) }.encode();
    hello[4] = 2;
    let length = hello.len() - 4;
    // CRC-32 of IEEE 802.3, a bit at a time.
    let crc = !hello[..length].iter().fold(u32::MAX, |crc, octet| {
        (0..8).fold(crc ^ u32::from(*octet), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
    });
    hello[length..].copy_from_slice(&crc.to_be_bytes());
    let id = hall.dials(&hello);
    assert!(hall.told.contains(&Event::NotAgreed { member: id, why: Refusal::Version { spoken: 1 } }));
    let (answer, _) = Hello::decode(&hall.bare[&id]).unwrap();
    assert_eq!(answer, Hello::Refuse { session: 7, why: Refusal::Version { spoken: 1 } });
}

/// RELIABILITY AP-1.
#[test]
fn lying_lengths_and_unknown_kinds_end_the_connection_with_a_word() {
    for bad in [&[3, 0xff, 0xff, 0xff][..], &[3, 0, 0, 0], &[77, 0, 0, 0], &[1, 0, 0, 0], &[4, 0, 0, 30]] {
        let mut hall = Hall::new(Keeping::Memory);
        let id = hall.dials(&greeting(1, "ana", Integrity::None));
        hall.sends(id, &[bad, &[0; 30]].concat());
        assert_eq!(gone(&hall, id), Some(Some(Bye::Protocol)), "{bad:?}");
        assert_eq!(answers(&mut hall, id), [Frame::Bye(Bye::Protocol)]);
    }
}

#[test]
fn what_is_too_long_or_no_text_is_refused_and_the_conversation_goes_on() {
    let mut hall = Hall::new(Keeping::Memory);
    let id = hall.dials(&greeting(1, "ana", Integrity::None));
    let piece = |id, first, last, length| {
        octets(&Frame::Say(Say { id, part: Part { first, last }, piece: vec![b'x'; length] }), Seal::None)
    };
    // 1,000 octets were granted, in all pieces together.
    hall.sends(id, &[piece(1, true, false, 900), piece(1, false, true, 101)].concat());
    hall.sends(id, &[piece(2, true, false, 900), piece(2, false, true, 100)].concat());
    hall.sends(id, &say(3, b"\xff"));
    hall.sends(id, &say(4, b""));
    hall.sends(id, &say(5, b"ok"));
    let nacks: Vec<Frame> =
        answers(&mut hall, id).into_iter().filter(|frame| !matches!(frame, Frame::Said(_))).collect();
    assert_eq!(
        nacks,
        [
            Frame::Nack { id: 1, why: Refused::TooLarge { most: 1_000 } },
            Frame::Ack { id: 2 },
            Frame::Nack { id: 3, why: Refused::NotText },
            Frame::Nack { id: 4, why: Refused::Empty },
            Frame::Ack { id: 5 },
        ]
    );
}

#[test]
fn a_person_speaks_and_hears_lines() {
    let mut hall = Hall::new(Keeping::Memory);
    let ana = hall.comes("ana", ask(Integrity::Digest));
    let person = hall.dials(b"oi\r\nsegunda\n");
    assert_eq!(hall.guests[ana].texts(), ["oi", "segunda"]);
    hall.says(ana, "olá \x1b[31m\u{202e}");
    hall.room.say(hall.now, "bem-vindo").unwrap();
    hall.settle();
    assert_eq!(hall.heard(person), "ana: olá \\u{1b}[31m\\u{202e}\nbem-vindo\n");
    // What is typed without an end of line is a line after a pause.
    hall.sends(person, b"sem fim");
    assert_eq!(hall.guests[ana].texts().len(), 4);
    hall.waits(SECOND);
    assert_eq!(hall.guests[ana].texts().last().map(String::as_str), Some("sem fim"));
    // What no keyboard types is no line.
    hall.sends(person, b"\x1b[2Jfake\n");
    let why = Refused::NotText;
    assert!(hall.told.contains(&Event::Refused { member: person, name: "c2".into(), id: 0, why }));
    hall.sends(person, b"sair\n");
    assert_eq!(gone(&hall, person), Some(Some(Bye::Leaving)));
}

#[test]
fn who_only_listens_hears_and_may_still_turn_out_to_be_a_program() {
    let mut hall = Hall::new(Keeping::Memory);
    let listener = hall.dials(b"");
    let late = hall.dials(b"");
    hall.waits(5 * SECOND);
    hall.sends(late, &greeting(5, "late", Integrity::None));
    hall.room.say(hall.now, "alguém?").unwrap();
    hall.settle();
    assert_eq!(hall.heard(listener), "alguém?\n");
    assert!(matches!(answers(&mut hall, late).as_slice(), [Frame::Said(_)]));
}

#[test]
fn a_line_without_end_grows_no_further_than_a_message() {
    let mut hall = Hall::new(Keeping::Memory);
    let person = hall.dials(b"x");
    for _ in 0..100 {
        hall.sends(person, &[b'x'; 10_000]);
    }
    hall.sends(person, b"\nok\n");
    assert_eq!(said(&hall), [(String::from("c1"), String::from("ok"))]);
    let why = Refused::TooLarge { most: 60_000 };
    assert!(hall.told.contains(&Event::Refused { member: person, name: "c1".into(), id: 0, why }));
}

#[test]
fn two_of_one_name_are_told_apart() {
    let mut hall = Hall::new(Keeping::Memory);
    for (asked, expected) in
        [("ana", "ana"), ("Ana", "Ana-2"), ("server", "server-2"), ("\x1b[2J", "2J"), ("a\u{430}", "a")]
    {
        let guest = hall.comes(asked, ask(Integrity::None));
        hall.says(guest, "eu");
        let last = hall.guests[0].shown().pop().unwrap();
        assert_eq!(last.1, expected);
        hall.waits(SECOND);
    }
}

#[test]
fn an_older_connection_whose_words_arrive_later_replaces_no_newer_one() {
    let mut hall = Hall::new(Keeping::Memory);
    let numbered = |number| {
        let hello = Hello::Ask { session: 1, ask: ask(Integrity::None) }.encode();
        let join = Join { token: [1; 16], connection: number, room: [0; 16], seen: 0, name: "ana".into() };
        [hello, octets(&Frame::Join(join), Seal::None)].concat()
    };
    let second = hall.dials(&numbered(2));
    let first = hall.dials(&numbered(1));
    assert_eq!((gone(&hall, first), gone(&hall, second)), (Some(Some(Bye::Replaced)), None));
    let third = hall.dials(&numbered(3));
    assert_eq!((gone(&hall, second), gone(&hall, third)), (Some(Some(Bye::Replaced)), None));
}

#[test]
fn there_are_no_more_connections_than_allowed() {
    let mut hall = Hall::with(Config { members: 2, ..config(Keeping::Memory) });
    hall.comes("ana", ask(Integrity::None));
    hall.comes("rui", ask(Integrity::None));
    let late = hall.comes("zé", ask(Integrity::None));
    let full = super::super::client::Over::NotAgreed(Refusal::Full);
    assert_eq!(hall.guests[late].told, [super::super::client::Event::Over(full)]);
    for _ in 0..100 {
        hall.dials(b"");
    }
    assert_eq!(hall.room.members.values().filter(|member| !member.has_left()).count(), 2 + UNWELCOME);
}

#[test]
fn what_is_forgotten_is_told_as_a_number() {
    let mut hall = Hall::with(Config { history: 1_000, ..config(Keeping::Memory) });
    let ana = hall.comes("ana", ask(Integrity::None));
    hall.says(ana, "um");
    hall.guests[ana].reachable = false;
    hall.breaks(ana);
    for number in 0..100 {
        hall.room.say(hall.now, &alloc::format!("{number:0100}")).unwrap();
    }
    hall.guests[ana].reachable = true;
    hall.waits(10 * SECOND);
    // 154 octets each: six are kept.
    let missed = super::super::client::Event::Missed { messages: 94 };
    assert!(hall.guests[ana].told.contains(&missed), "{:?}", hall.guests[ana].told);
    assert_eq!(hall.guests[ana].texts().len(), 7);
}
