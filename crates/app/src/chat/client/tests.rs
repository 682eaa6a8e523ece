//! What a member does when connections break, answers get lost, and frames are damaged.

use alloc::vec::Vec;

use super::super::room::Keeping;
use super::super::testing::{Hall, ask, octets};
use super::*;
use crate::hello::{Acknowledgement, Integrity, Mode};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn what_was_granted_is_told_and_holds() {
    let mut config = super::super::testing::config(Keeping::Memory);
    (config.max_message, config.window, config.payload) = (100, 2, 30);
    let mut hall = Hall::with(config);
    let ana = hall.comes("ana", ask(Integrity::Digest));
    let Some(Event::In { terms, name, back: false, .. }) = hall.guests[ana].told.first() else {
        panic!("in")
    };
    assert_eq!((terms.max_message, terms.window, terms.payload, name.as_str()), (100, 2, 30, "ana"));
    let long = "ção".repeat(40);
    assert_eq!(hall.guests[ana].client.say(hall.now, &long), Err(CannotSay::TooLong { most: 100 }));
    // In four pieces, cut in the middle of letters.
    let text = "ç".repeat(50);
    hall.says(ana, &text);
    assert_eq!(hall.guests[ana].texts(), [text]);
}

#[test]
fn a_member_that_was_away_gets_what_it_missed_in_order_and_once() {
    let mut hall = Hall::new(Keeping::Journal);
    let (ana, rui) = (hall.comes("ana", ask(Integrity::None)), hall.comes("rui", ask(Integrity::None)));
    hall.says(ana, "1");
    hall.guests[rui].reachable = false;
    hall.breaks(rui);
    for text in ["2", "3", "4"] {
        hall.says(ana, text);
    }
    // Said while away, too.
    hall.says(rui, "5");
    hall.guests[rui].reachable = true;
    hall.waits(10 * SECOND);
    assert_eq!(hall.guests[rui].texts(), ["1", "2", "3", "4", "5"]);
    assert_eq!(hall.guests[ana].shown(), hall.guests[rui].shown());
    assert_eq!(hall.guests[rui].confirmed(), [1]);
}

#[test]
fn a_message_whose_confirmation_was_lost_is_said_again_and_shown_once() {
    let mut hall = Hall::new(Keeping::Journal);
    let (ana, rui) = (hall.comes("ana", ask(Integrity::None)), hall.comes("rui", ask(Integrity::None)));
    hall.guests[ana].client.say(hall.now, "oi").unwrap();
    // It arrives, and the connection breaks before the answer.
    let Some(Want::Write(octets)) = hall.guests[ana].client.poll_want(hall.now) else { panic!("a message") };
    let octets = octets.to_vec();
    hall.room.readable(hall.now, hall.guests[ana].line.unwrap(), &octets);
    hall.breaks(ana);
    hall.waits(10 * SECOND);
    assert_eq!(hall.guests[ana].confirmed(), [1]);
    assert_eq!(hall.guests[rui].texts(), ["oi"]);
    assert_eq!(hall.guests[ana].texts(), ["oi"]);
}

/// The waits: 0.2 s, doubled up to 5 s, 20 of them.
#[test]
fn it_tries_twenty_times_with_longer_and_longer_waits() {
    let mut hall = Hall::new(Keeping::Memory);
    let ana = hall.comes("ana", ask(Integrity::None));
    hall.guests[ana].reachable = false;
    hall.breaks(ana);
    hall.says(ana, "ainda?");
    hall.waits(300 * SECOND);
    let waits: Vec<u64> = hall.guests[ana]
        .told
        .iter()
        .filter_map(|event| {
            if let Event::Broken { after, .. } = event { Some(after.as_millis() as u64 - 1) } else { None }
        })
        .collect();
    // Less the one millisecond that the token adds.
    let mut expected = [200, 400, 800, 1_600, 3_200].to_vec();
    expected.resize(20, 5_000);
    assert_eq!(waits, expected);
    assert_eq!(hall.guests[ana].told.last(), Some(&Event::Over(Over::GaveUp { unconfirmed: 1 })));
}

#[test]
fn a_damaged_frame_is_asked_for_again_in_both_directions() {
    fn flip(octets: &mut [u8]) {
        use core::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // One of four writes that are long enough for a message; never a HELLO.
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        if count.wrapping_mul(2_654_435_761) >> 30 == 0 && octets.len() > 30 && !octets.starts_with(b"APTO") {
            let last = octets.len() - 1;
            octets[last] ^= 1;
        }
    }
    let mut hall = Hall::new(Keeping::Journal);
    let (ana, rui) = (hall.comes("ana", ask(Integrity::Digest)), hall.comes("rui", ask(Integrity::Digest)));
    hall.spoils_up = Some(flip);
    hall.spoils_down = Some(flip);
    for number in 0..20 {
        hall.says(if number % 2 == 0 { ana } else { rui }, &alloc::format!("número {number}"));
    }
    (hall.spoils_up, hall.spoils_down) = (None, None);
    hall.waits(60 * SECOND);
    let expected: Vec<_> = (0..20).map(|number| alloc::format!("número {number}")).collect();
    let mut texts = hall.guests[ana].texts();
    assert_eq!(hall.guests[rui].texts(), texts);
    texts.sort_by_key(String::len);
    assert_eq!(texts.len(), 20);
    assert!(expected.iter().all(|text| texts.contains(text)));
    let noticed = |guest: usize| hall.guests[guest].told.contains(&Event::Damaged);
    assert!(noticed(ana) || noticed(rui));
    assert!(hall.told.iter().any(|event| matches!(event, super::super::room::Event::Damaged { .. })));
    for guest in [ana, rui] {
        assert_eq!(hall.guests[guest].confirmed().len(), 10);
        // RELIABILITY §5.4: detected, repaired, and no new connection for it.
        assert!(!hall.guests[guest].told.iter().any(|event| matches!(event, Event::Broken { .. })));
    }
}

#[test]
fn groups_are_acknowledged_together() {
    let mut hall = Hall::new(Keeping::Memory);
    let wish = Ask { acknowledgement: Acknowledgement::Group, window: 10, ..ask(Integrity::None) };
    let ana = hall.comes("ana", wish);
    for number in 1..=12 {
        hall.guests[ana].client.say(hall.now, &alloc::format!("{number}")).unwrap();
    }
    hall.settle();
    hall.waits(SECOND);
    assert_eq!(hall.guests[ana].confirmed(), (1..=12).collect::<Vec<u64>>());
    assert_eq!(hall.guests[ana].texts().len(), 12);
}

#[test]
fn it_paces_itself_so_that_nothing_is_refused() {
    let mut hall = Hall::new(Keeping::Memory);
    let ana = hall.comes("ana", Ask { window: 64, ..ask(Integrity::None) });
    for number in 0..200 {
        hall.guests[ana].client.say(hall.now, &alloc::format!("{number}")).unwrap();
    }
    hall.settle();
    hall.waits(5 * SECOND);
    let soon = hall.guests[ana].confirmed().len();
    assert!((115..=125).contains(&soon), "{soon} after five seconds: twenty, and twenty a second");
    hall.waits(5 * SECOND);
    assert_eq!(hall.guests[ana].confirmed().len(), 200);
    assert!(!hall.guests[ana].told.iter().any(|event| matches!(event, Event::Refused { .. })));
}

#[test]
fn who_leaves_says_everything_first() {
    let mut hall = Hall::new(Keeping::Journal);
    let (ana, rui) = (hall.comes("ana", ask(Integrity::None)), hall.comes("rui", ask(Integrity::None)));
    hall.writes = false;
    hall.says(ana, "tchau");
    hall.guests[ana].client.leave(hall.now);
    assert_eq!(hall.guests[ana].client.say(hall.now, "mais"), Err(CannotSay::Over));
    hall.settle();
    assert!(hall.guests[ana].client.is_in(), "not before it is confirmed");
    hall.writes = true;
    hall.settle();
    assert_eq!(
        hall.guests[ana].told.last(),
        Some(&Event::Over(Over::Left { closed: false, unconfirmed: 0 }))
    );
    assert!(hall.guests[rui].told.contains(&Event::Left("ana".into())));
}

#[test]
fn leaving_without_an_answer_takes_ten_seconds_and_says_what_is_missing() {
    let mut hall = Hall::new(Keeping::Journal);
    let ana = hall.comes("ana", ask(Integrity::None));
    hall.writes = false;
    hall.says(ana, "tchau");
    hall.guests[ana].client.leave(hall.now);
    hall.waits(9 * SECOND);
    assert!(hall.guests[ana].client.is_in());
    hall.waits(SECOND);
    assert_eq!(
        hall.guests[ana].told.last(),
        Some(&Event::Over(Over::Left { closed: false, unconfirmed: 1 }))
    );
}

/// A member that has said HELLO to something that answers this.
fn answered(answer: &[u8]) -> Option<Event> {
    let config =
        Config { token: [1; 16], name: "ana".into(), ask: ask(Integrity::None), tries_strangers: false };
    let mut client = Client::new(config);
    assert_eq!(client.poll_want(SECOND), Some(Want::Connect));
    client.opened(SECOND);
    client.readable(SECOND, answer);
    client.poll_event()
}

#[test]
fn what_answers_and_is_no_room_is_known() {
    let over = |how| Some(Event::Over(how));
    assert_eq!(answered(b"HTTP/1.1 400 Bad Request\r\n"), over(Over::Stranger(Stranger::Http)));
    assert_eq!(answered(b"\x15\x03\x03\x00\x02\x02\x46\x00"), over(Over::Stranger(Stranger::Unknown)));
    assert_eq!(answered(b"got 71 bytes"), over(Over::Stranger(Stranger::Unknown)));
    let ask_back = Hello::Ask { session: 1, ask: ask(Integrity::None) }.encode();
    assert_eq!(answered(&ask_back), over(Over::Echo));
    let too_much = Terms {
        mode: Mode::Tcp,
        integrity: Integrity::None,
        max_message: 1_001,
        payload: 1,
        window: 1,
        acknowledgement: Acknowledgement::Individual,
        negative: crate::hello::Negative::On,
    };
    assert_eq!(answered(&Hello::Grant { session: 1, terms: too_much }.encode()), over(Over::Unfair));
    let why = Refusal::NoCommonIntegrity;
    assert_eq!(answered(&Hello::Refuse { session: 1, why }.encode()), over(Over::NotAgreed(why)));
}

#[test]
fn what_says_nothing_is_no_room() {
    let config =
        Config { token: [1; 16], name: "ana".into(), ask: ask(Integrity::None), tries_strangers: false };
    let mut client = Client::new(config);
    assert_eq!(client.poll_want(SECOND), Some(Want::Connect));
    client.opened(SECOND);
    assert_eq!(client.poll_deadline(), Some(11 * SECOND));
    client.deadline_passed(11 * SECOND);
    assert_eq!(client.poll_event(), Some(Event::Over(Over::Silent)));
}

/// RELIABILITY AP-4.
#[test]
fn an_acknowledgement_of_what_was_never_said_breaks_the_connection() {
    let mut hall = Hall::new(Keeping::Memory);
    let ana = hall.comes("ana", ask(Integrity::None));
    hall.says(ana, "oi");
    let forged = octets(&Frame::Ack { id: 2 }, Seal::None);
    hall.guests[ana].client.readable(hall.now, &forged);
    hall.settle();
    assert!(hall.guests[ana].told.iter().any(|event| matches!(event, Event::Broken { .. })));
    hall.waits(SECOND);
    assert!(hall.guests[ana].client.is_in());
}

#[test]
fn a_room_that_began_anew_is_told_of() {
    let mut hall = Hall::new(Keeping::Memory);
    let ana = hall.comes("ana", ask(Integrity::None));
    hall.says(ana, "um");
    let mut config = super::super::testing::config(Keeping::Memory);
    config.token = [8; 16];
    hall.breaks(ana);
    hall.room = super::super::Room::new(config);
    hall.says(ana, "dois");
    hall.waits(10 * SECOND);
    assert!(
        hall.guests[ana]
            .told
            .iter()
            .any(|event| matches!(event, Event::In { another_room: true, again: 1, .. }))
    );
    assert_eq!(hall.guests[ana].texts(), ["um", "dois"]);
}

#[test]
fn what_waits_for_a_room_that_is_away_has_a_bound() {
    let mut hall = Hall::new(Keeping::Memory);
    let ana = hall.comes("ana", ask(Integrity::None));
    hall.guests[ana].reachable = false;
    hall.breaks(ana);
    let said = (0..2_000).filter(|_| hall.guests[ana].client.say(hall.now, "x").is_ok()).count();
    assert_eq!(said, MOST_WAITING);
    assert_eq!(hall.guests[ana].client.say(hall.now, "x"), Err(CannotSay::TooMuch));
}
