//! Expected values are those of the two programs as their authors wrote them, and paper.

use alloc::string::String;
use alloc::vec;

use proptest::prelude::*;

use super::*;

const CLIENT: Role = Role::Client;
const SERVER: Role = Role::Server;
const HANDSHAKE: [&str; 7] =
    ["SYN:2389", "SYN-ACK:4404:ACK:2390", "ACK:4405", "FIN:4405", "ACK:4406", "FIN:2390", "ACK:2391"];
const THREE_WAY: [&str; 3] = ["[1] SYN/seq=1234", "[2] SYN/seq=1567 ACK/seq=1235", "[3] ACK/seq=1568"];

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn side(dialect: Dialect, role: Role) -> TextHandshake {
    let (client, server) = dialect.firsts();
    counting_from(dialect, role, if role == CLIENT { client } else { server })
}

fn counting_from(dialect: Dialect, role: Role, first: u32) -> TextHandshake {
    TextHandshake::new(Settings { dialect, role, first, patience: PATIENCE, words: bare_words })
}

fn open(mut side: TextHandshake) -> TextHandshake {
    side.opened(Duration::ZERO);
    side
}

/// What it writes at this moment, taken whole.
fn says(side: &mut TextHandshake, now: Duration) -> String {
    let mut said = Vec::new();
    // A close is wanted once only, and is left for who asks for it.
    while let Some(Want::Write(octets)) = side.clone().poll_want(now) {
        side.poll_want(now);
        said.extend_from_slice(octets);
        side.wrote(octets.len());
    }
    String::from_utf8(said).unwrap()
}

/// Lets time pass until it says something, or nothing is left to wait for.
fn waits(side: &mut TextHandshake, now: &mut Duration) -> String {
    loop {
        let said = says(side, *now);
        if !said.is_empty() {
            return said;
        }
        let Some(at) = side.poll_deadline() else { return said };
        *now = at.max(*now);
        side.deadline_passed(*now);
    }
}

fn told(side: &mut TextHandshake) -> Vec<String> {
    core::iter::from_fn(|| side.poll_progress()).map(|progress| progress.text).collect()
}

fn wrong(side: &TextHandshake) -> Mistake {
    match side.verdict() {
        Verdict::Wrong(mistake) => mistake.clone(),
        other => panic!("{other:?}"),
    }
}

/// A server that has heard all this at once and was given time.
fn server_hears(dialect: Dialect, text: &str) -> TextHandshake {
    let mut server = open(side(dialect, SERVER));
    let mut now = Duration::ZERO;
    server.readable(now, text.as_bytes());
    while server.verdict() == Verdict::Going {
        if waits(&mut server, &mut now).is_empty() {
            break;
        }
    }
    server
}

#[test]
fn both_dialects_say_what_their_programs_say_each_message_alone() {
    for (dialect, script) in [(Dialect::Handshake, &HANDSHAKE[..]), (Dialect::ThreeWay, &THREE_WAY[..])] {
        let mut sides = [open(side(dialect, CLIENT)), open(side(dialect, SERVER))];
        let mut now = Duration::ZERO;
        let mut said = Vec::new();
        while sides.iter().any(|side| side.verdict() == Verdict::Going) {
            let texts = [says(&mut sides[0], now), says(&mut sides[1], now)];
            for (from, text) in texts.into_iter().enumerate().filter(|(_, text)| !text.is_empty()) {
                sides[1 - from].readable(now, text.as_bytes());
                said.push(text);
                now += ms(1);
            }
            if sides.iter().any(|side| !says(&mut side.clone(), now).is_empty()) {
                continue;
            }
            let due = sides.iter().filter_map(TextHandshake::poll_deadline).min();
            if let Some(due) = due.filter(|due| *due > now) {
                now = due;
            } else if due.is_none() {
                break;
            }
            sides.iter_mut().for_each(|side| side.deadline_passed(now));
        }
        // The messages of one side that follow each other come one by one, too.
        assert_eq!(said, script);
        for side in &mut sides {
            assert_eq!(side.verdict(), Verdict::Complete);
            assert_eq!(told(side), script);
            assert_eq!(says(side, now), "");
        }
    }
}

#[test]
fn the_client_waits_a_moment_between_two_messages_in_a_row() {
    let mut client = open(side(Dialect::Handshake, CLIENT));
    assert_eq!(says(&mut client, ms(0)), "SYN:2389");
    client.readable(ms(10), b"SYN-ACK:4404:ACK:2390");
    assert_eq!(says(&mut client, ms(10)), "ACK:4405");
    client.readable(ms(20), b"FIN:4405");
    assert_eq!(says(&mut client, ms(20)), "ACK:4406");
    assert_eq!(client.poll_deadline(), Some(ms(120)));
    assert_eq!(says(&mut client, ms(120)), "FIN:2390");
    client.readable(ms(130), b"ACK:2391");
    assert_eq!(client.poll_want(ms(130)), Some(Want::Close));
    assert_eq!(client.verdict(), Verdict::Complete);
}

/// The texts of the client, cut in two at every place: the second piece comes a second after the
/// first, or 200 ms where a number is cut that nobody can know.
#[test]
fn messages_cut_anywhere_are_read_as_if_they_were_whole() {
    for (dialect, script) in [(Dialect::Handshake, &HANDSHAKE[..]), (Dialect::ThreeWay, &THREE_WAY[..])] {
        let mine: Vec<usize> = if script.len() == 7 { vec![0, 2, 4, 5] } else { vec![0, 2] };
        for (cut, at) in mine.iter().flat_map(|&cut| (1..script[cut].len()).map(move |at| (cut, at))) {
            let mut server = open(side(dialect, SERVER));
            let mut now = Duration::ZERO;
            for &place in &mine {
                let (one, two) = script[place].split_at(if place == cut { at } else { 0 });
                server.readable(now, one.as_bytes());
                // Nothing is answered before the rest is there.
                now += ms(if place == 0 { 200 } else { 1_000 });
                server.deadline_passed(now);
                assert!(place != cut || says(&mut server, now).is_empty(), "{one:?} {two:?}");
                server.readable(now, two.as_bytes());
                // The message before a second one of the client's is not answered.
                if place != 4 && server.verdict() != Verdict::Complete {
                    assert!(!waits(&mut server, &mut now).is_empty(), "{one:?} {two:?}");
                }
            }
            says(&mut server, now);
            assert_eq!(server.verdict(), Verdict::Complete, "{:?} cut at {at}", script[cut]);
        }
    }
}

#[test]
fn messages_glued_together_are_read_one_by_one() {
    let server = server_hears(Dialect::Handshake, "SYN:2389ACK:4405ACK:4406FIN:2390");
    assert_eq!(server.verdict(), Verdict::Complete);
    let server = server_hears(Dialect::ThreeWay, "[1] SYN/seq=1234[3] ACK/seq=1568");
    assert_eq!(server.verdict(), Verdict::Complete);
    let mut client = open(side(Dialect::Handshake, CLIENT));
    says(&mut client, ms(0));
    client.readable(ms(1), b"SYN-ACK:4404:ACK:2390FIN:4405");
    assert_eq!(says(&mut client, ms(1)), "ACK:4405ACK:4406");
}

#[test]
fn a_number_that_nobody_can_know_ends_with_a_short_silence() {
    let mut server = open(side(Dialect::Handshake, SERVER));
    server.readable(ms(0), b"SYN:23");
    server.readable(ms(299), b"89");
    server.deadline_passed(ms(300));
    assert_eq!(says(&mut server, ms(598)), "");
    assert_eq!(server.poll_deadline(), Some(ms(599)));
    server.deadline_passed(ms(599));
    assert_eq!(says(&mut server, ms(599)), "SYN-ACK:4404:ACK:2390");
    // A line feed, or the end of the stream, needs no silence.
    for (text, answer) in [("SYN:7\n", "SYN-ACK:4404:ACK:8\n"), ("SYN:7\r\n", "SYN-ACK:4404:ACK:8\r\n")] {
        let mut server = open(side(Dialect::Handshake, SERVER));
        server.readable(ms(0), text.as_bytes());
        assert_eq!(says(&mut server, ms(0)), answer);
    }
    let mut server = open(side(Dialect::Handshake, SERVER));
    server.readable(ms(0), b"SYN:7");
    server.peer_closed(ms(1));
    assert_eq!(says(&mut server, ms(1)), "SYN-ACK:4404:ACK:8\nerror: closed-early\n");
}

#[test]
fn a_line_feed_is_written_only_to_who_writes_one() {
    let server = |text: &str| {
        let mut server = open(side(Dialect::ThreeWay, SERVER));
        let mut now = Duration::ZERO;
        server.readable(now, text.as_bytes());
        (waits(&mut server, &mut now), server)
    };
    assert_eq!(server("[1] SYN/seq=1234").0, "[2] SYN/seq=1567 ACK/seq=1235");
    // Without the number in brackets, as a person types it.
    let (said, mut by_hand) = server("SYN/seq=1234\n");
    assert_eq!(said, "[2] SYN/seq=1567 ACK/seq=1235\n");
    by_hand.readable(ms(9), b"ACK/seq=1568\n");
    assert_eq!(says(&mut by_hand, ms(9)), "CONNECTION ESTABLISHED!\n");
    assert_eq!(by_hand.verdict(), Verdict::Complete);
    // Who ends nothing is a program, and is told nothing that it does not expect.
    let (_, mut program) = server("[1] SYN/seq=1234");
    program.readable(ms(900), b"[3] ACK/seq=1568");
    assert_eq!(says(&mut program, ms(900)), "");
    assert_eq!(program.poll_want(ms(900)), Some(Want::Close));
}

#[test]
fn each_wrong_number_is_named_by_what_was_probably_thought() {
    let ack = |got, of, used, slip| Mistake::Ack { got, of, used, right: used + 1, slip };
    let seq = |got, slip| Mistake::Seq { got, used: 2389, right: 2390, slip };
    let opened = "SYN:2389\nACK:4405\n";
    for (text, mistake) in [
        ("SYN:2389\nACK:4404\n", ack(4404, Counts::Syn, 4404, AckSlip::ForgotPlusOne)),
        ("SYN:2389\nACK:2389\n", ack(2389, Counts::Syn, 4404, AckSlip::OwnNumber)),
        ("SYN:2389\nACK:2390\n", ack(2390, Counts::Syn, 4404, AckSlip::OwnNumber)),
        ("SYN:2389\nACK:4406\n", ack(4406, Counts::Syn, 4404, AckSlip::OneTooMany)),
        ("SYN:2389\nACK:44\n", ack(44, Counts::Syn, 4404, AckSlip::Other)),
        ("SYN:2389\nACK:44", ack(44, Counts::Syn, 4404, AckSlip::Other)),
        ("SYN:2389\nACK:44051", ack(44051, Counts::Syn, 4404, AckSlip::Other)),
        (&[opened, "ACK:4405\n"].concat(), ack(4405, Counts::Fin, 4405, AckSlip::ForgotPlusOne)),
        (&[opened, "ACK:4406FIN:2389\n"].concat(), seq(2389, SeqSlip::ForgotPlusOne)),
        (&[opened, "ACK:4406FIN:4406\n"].concat(), seq(4406, SeqSlip::OtherSides)),
        (&[opened, "ACK:4406FIN:99\n"].concat(), seq(99, SeqSlip::Other)),
    ] {
        let mut server = server_hears(Dialect::Handshake, text);
        assert_eq!(wrong(&server), mistake, "{text:?}");
        assert_eq!(server.poll_want(ms(20_000)), Some(Want::Close), "{text:?}");
    }
    let mut client = open(side(Dialect::ThreeWay, CLIENT));
    says(&mut client, ms(0));
    client.readable(ms(1), b"[2] SYN/seq=1567 ACK/seq=1234\n");
    assert_eq!(wrong(&client), ack(1234, Counts::Syn, 1234, AckSlip::ForgotPlusOne));
    assert_eq!(says(&mut client, ms(1)), "error: ack-without-plus-one\n");
}

#[test]
fn wrong_words_order_and_numbers_are_told_apart() {
    let text = |text: &str| String::from(text);
    let word = |got: &str, expected: &str| Mistake::WrongWord { got: text(got), expected: text(expected) };
    let order = |got: &str, expected: &str| Mistake::OutOfOrder { got: text(got), expected: text(expected) };
    let no_number =
        |got: &str, expected: &str| Mistake::NotANumber { got: text(got), expected: text(expected) };
    for (said, mistake) in [
        ("HELLO", word("HELLO", "SYN:...")),
        ("syn:2389\n", word("syn:2389", "SYN:...")),
        ("SYN=2389", word("SYN=2389", "SYN:...")),
        ("ACK:4405", order("ACK:4405", "SYN:...")),
        ("SYN-ACK:1:ACK:2", order("SYN-ACK:1:ACK:2", "SYN:...")),
        ("SYN:2389\nFIN:2390\n", order("FIN:2390", "ACK:4405")),
        ("SYN:2389\nSYN:2389\n", order("SYN:2389", "ACK:4405")),
        ("SYN:\n", no_number("", "SYN:...")),
        ("SYN:abc", no_number("abc", "SYN:...")),
        ("SYN:-5\n", no_number("-5", "SYN:...")),
        ("SYN:2389.\n", no_number("2389.", "SYN:...")),
        ("SYN:2389\nACK:x", no_number("x", "ACK:4405")),
        ("SYN:4294967296\n", Mistake::TooLarge { got: text("4294967296") }),
        ("SYN:99999999999999999999", Mistake::TooLarge { got: text("99999999999999999999") }),
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", word("GET / HTTP/1.1", "SYN:...")),
        ("SYN:2389\nerror: it is 4404\n", Mistake::TheyComplain { text: text("it is 4404") }),
    ] {
        assert_eq!(wrong(&server_hears(Dialect::Handshake, said)), mistake, "{said:?}");
    }
    for (said, mistake) in [
        ("[2] SYN/seq=1234", word("[2] SYN/seq=1234", "[1] SYN/seq=...")),
        ("[1] SYN/seq=1234\n[3] SYN/seq=9\n", order("[3] SYN/seq=9", "[3] ACK/seq=1568")),
        ("[1] SYN seq=1234", word("[1] SYN seq=1234", "[1] SYN/seq=...")),
    ] {
        assert_eq!(wrong(&server_hears(Dialect::ThreeWay, said)), mistake, "{said:?}");
    }
}

#[test]
fn each_turn_has_its_time() {
    let mut server = open(side(Dialect::Handshake, SERVER));
    assert_eq!(server.poll_deadline(), Some(ms(5_000)));
    server.readable(ms(4_000), b"SYN:1\n");
    assert_eq!(says(&mut server, ms(4_000)), "SYN-ACK:4404:ACK:2\n");
    assert_eq!(server.poll_deadline(), Some(ms(9_000)));
    // What is not whole when the time is over is told with it, one octet at a time does not extend it.
    server.readable(ms(8_999), b"AC");
    server.deadline_passed(ms(9_000));
    let (after, expected, got) = (PATIENCE, String::from("ACK:4405"), String::from("AC"));
    assert_eq!(wrong(&server), Mistake::Silent { after, expected, got });
    assert_eq!(says(&mut server, ms(9_000)), "error: silent\n");
    assert_eq!(server.poll_want(ms(9_000)), Some(Want::Close));
    assert_eq!(server.poll_want(ms(9_001)), None);
    // Who does not close either is left after the same time.
    assert_eq!(server.poll_deadline(), Some(ms(14_000)));
    assert_eq!(server.poll_want(ms(14_000)), Some(Want::Release));
    assert_eq!(server.poll_deadline(), None);

    let mut server = open(side(Dialect::ThreeWay, SERVER));
    server.peer_closed(ms(10));
    let (expected, got) = (String::from("[1] SYN/seq=..."), String::new());
    assert_eq!(wrong(&server), Mistake::ClosedEarly { expected, got });
}

#[test]
fn floods_stay_within_bounds() {
    for flood in [&b"\n"[..], b"A", b"SYN:", b"S", b"\xff", b"SYN:1", b"0", b"[1] "] {
        let mut server = open(side(Dialect::Handshake, SERVER));
        let mut now = Duration::ZERO;
        for _ in 0..10_000 {
            now += ms(1);
            let octets: Vec<u8> = flood.iter().copied().cycle().take(server.appetite(now).min(300)).collect();
            server.readable(now, &octets);
            server.deadline_passed(now);
            says(&mut server, now);
            assert!(server.heard.len() <= ROOM && server.progress.len() <= 7, "{flood:?}");
        }
        assert!(matches!(server.verdict(), Verdict::Wrong(_)), "{flood:?}");
    }
    let mut server = open(side(Dialect::Handshake, SERVER));
    server.readable(ms(0), "SYN:".repeat(33).as_bytes());
    assert_eq!(wrong(&server), Mistake::TooLong { most: 128 });
    let mut server = open(side(Dialect::Handshake, SERVER));
    server.readable(ms(0), &[b'x'; 100]);
    server.deadline_passed(ms(300));
    assert!(matches!(wrong(&server), Mistake::WrongWord { got, .. } if got.chars().count() == 43));
    let mut server = open(side(Dialect::Handshake, SERVER));
    server.readable(ms(0), "SYN:".as_bytes());
    server.readable(ms(0), "0".repeat(125).as_bytes());
    assert_eq!(wrong(&server), Mistake::TooLong { most: 128 });
}

#[test]
fn numbers_go_on_at_zero_after_the_largest() {
    let mut server = open(counting_from(Dialect::Handshake, SERVER, u32::MAX));
    let mut now = ms(0);
    server.readable(now, b"SYN:4294967295\n");
    assert_eq!(says(&mut server, now), "SYN-ACK:4294967295:ACK:0\n");
    server.readable(now, b"ACK:0\n");
    assert_eq!(says(&mut server, now), "FIN:0\n");
    server.readable(now, b"ACK:1\nFIN:0\n");
    assert_eq!(waits(&mut server, &mut now), "ACK:1\n");
    assert_eq!(server.verdict(), Verdict::Complete);
}

/// What somebody may write: right messages, the beginnings of them, and anything.
fn pieces() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let right = prop::sample::select([&HANDSHAKE[..], &THREE_WAY[..]].concat());
    let piece = prop_oneof![
        4 => right.clone().prop_map(|text| text.as_bytes().to_vec()),
        3 => (right, 0..30_usize).prop_map(|(text, cut)| text.as_bytes()[..cut.min(text.len())].to_vec()),
        1 => Just(b"\n".to_vec()),
        1 => Just(b"error: no\n".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => "[0-9]{1,12}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(piece, 0..12)
}

proptest! {
    #[test]
    fn whatever_is_said_in_whatever_pieces_it_ends_within_its_time_and_bounds(
        pieces in pieces(),
        pauses in prop::collection::vec(0..6_000_u64, 12),
        three_way in any::<bool>(),
        client in any::<bool>(),
    ) {
        let dialect = if three_way { Dialect::ThreeWay } else { Dialect::Handshake };
        let mut side = open(side(dialect, if client { CLIENT } else { SERVER }));
        let mut now = Duration::ZERO;
        for (piece, pause) in pieces.iter().zip(pauses) {
            let room = side.appetite(now);
            side.readable(now, &piece[..piece.len().min(room)]);
            says(&mut side, now);
            prop_assert!(side.heard.len() <= ROOM && side.progress.len() <= dialect.messages());
            now += ms(pause);
            side.deadline_passed(now);
            says(&mut side, now);
        }
        // It never waits for ever: each turn has its time, and after the last one it goes.
        for _ in 0..40 {
            says(&mut side, now);
            if let Some(want) = side.poll_want(now) {
                prop_assert!(matches!(want, Want::Close | Want::Release));
            }
            let Some(at) = side.poll_deadline() else { break };
            now = at.max(now);
            side.deadline_passed(now);
        }
        prop_assert_eq!(side.poll_deadline(), None);
        prop_assert!(side.verdict() != Verdict::Going);
        let told = told(&mut side);
        prop_assert_eq!(told.len() == dialect.messages(), side.verdict() == Verdict::Complete);
    }

    /// What is right is right in whatever pieces, as long as no silence lies between them.
    #[test]
    fn how_a_stream_is_cut_does_not_matter(
        ends in prop::collection::vec(prop::sample::select(vec!["", "\n", "\r\n", " ", "\n\n"]), 4),
        cuts in prop::collection::vec(1..7_usize, 1..60),
    ) {
        let mine = ["SYN:2389", "ACK:4405", "ACK:4406", "FIN:2390"];
        let stream: String = mine.into_iter().zip(ends).flat_map(|(text, end)| [text, end]).collect();
        let mut server = open(side(Dialect::Handshake, SERVER));
        let mut rest = stream.as_bytes();
        for cut in cuts.into_iter().chain(core::iter::repeat(ROOM)) {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            server.readable(ms(0), piece);
            says(&mut server, ms(0));
            rest = after;
        }
        prop_assert_eq!(server.verdict(), Verdict::Complete, "{:?}", stream);
        prop_assert_eq!(told(&mut server), HANDSHAKE);
    }
}
