//! Urgent text: in line, with a mark.
//!
//! RFC 9293 §3.8.5 and §3.10.7.4 (sixth), RFC 6093.

mod talk;

use aperto_tcp::{Config, Event, Push, Urgent};
use proptest::prelude::*;
use talk::{Talk, ack, conversation, text};

fn write_urgently(talk: &mut Talk, octets: &[u8]) {
    let taken = talk.connection.send(talk.now, octets, Push::Yes, Urgent::Yes).expect("open");
    assert_eq!(taken, octets.len());
}

/// RFC 9293 §3.8.5 \[MUST-30\] \[MUST-62\]: the pointer names the octet after the last urgent one.
#[test]
fn the_pointer_names_the_octet_after_the_urgent_ones() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        write_urgently(&mut talk, b"stop");
        let left = talk.we_send(text(1, b"stop").urgent(0));
        assert_eq!(left.paper.urgent, 4);
        talk.peer_sends(ack(5));
        talk.we_write(b"calm");
        assert!(!talk.we_send(text(5, b"calm")).paper.control.urg());
    });
}

/// RFC 9293 §3.8.5: every segment before the end of urgent text says so, with its own distance.
#[test]
fn each_segment_up_to_the_mark_has_urg() {
    conversation(|talk| {
        let mut talk = talk(Config { nagle: false, ..Config::classroom() }).established();
        talk.we_write(&[1; 1000]);
        write_urgently(&mut talk, &[2; 1500]);
        talk.we_write(&[3; 1000]);
        let marks: Vec<(bool, u16)> =
            talk.all().iter().map(|l| (l.paper.control.urg(), l.paper.urgent)).collect();
        // The urgent text ends at 1 + 2,500.
        assert_eq!(marks, [(true, 2500), (true, 1500), (true, 500), (false, 0)]);
    });
}

/// RFC 9293 §3.8.5 \[MUST-31\]: urgent text of any length; a pointer that does not reach says 65,535.
#[test]
fn urgent_text_may_be_longer_than_a_pointer_reaches() {
    conversation(|talk| {
        let config = Config { send_buffer: 1 << 20, ..Config::classroom() };
        let mut talk = talk(config).established();
        write_urgently(&mut talk, &vec![2; 70_000]);
        let mut marks = Vec::new();
        for n in 1..=70 {
            marks.extend(talk.all().iter().map(|l| l.paper.urgent));
            talk.peer_sends(ack(1 + 1000 * n));
        }
        assert_eq!(marks.len(), 70);
        assert_eq!(marks[..5], [65_535; 5]);
        assert_eq!(marks[5..7], [65_000, 64_000]);
        assert_eq!(marks[69], 1000);
    });
}

/// RFC 9293 §3.8.5 \[MUST-32\]: the application is told when urgent text is announced, and again when
/// its end moves forward; not when the same end is named again, or one before it.
#[test]
fn the_application_is_told_of_each_advance() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(text(1, b"abc").urgent(10));
        assert!(talk.events().contains(&Event::Urgent));
        talk.peer_sends(text(4, b"def").urgent(7));
        assert!(!talk.events().contains(&Event::Urgent));
        talk.peer_sends(text(7, b"ghi").urgent(1));
        assert!(!talk.events().contains(&Event::Urgent));
        talk.peer_sends(text(10, b"jkl").urgent(50));
        assert!(talk.events().contains(&Event::Urgent));
    });
}

/// RFC 9293 §3.8.5 \[MUST-33\], RFC 6093 §3: urgent octets stay in line, and the application can ask how
/// many are left.
#[test]
fn urgent_text_is_read_in_line_and_counted_down() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(text(1, b"abcdef").urgent(4));
        assert_eq!(talk.connection.urgent_octets(), 4);
        let mut two = [0; 2];
        talk.connection.receive(talk.now, &mut two).expect("open");
        assert_eq!((&two, talk.connection.urgent_octets()), (b"ab", 2));
        assert_eq!(talk.we_read(), b"cdef");
        assert_eq!(talk.connection.urgent_octets(), 0);
        // Urgent text that begins after calm text is announced anew.
        talk.events();
        talk.peer_sends(text(7, b"gh").urgent(2));
        assert!(talk.events().contains(&Event::Urgent));
    });
}

/// RFC 9293 §3.8.5: the mark may come before the text that it marks.
#[test]
fn urgent_text_may_be_announced_before_it_comes() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(ack(1).urgent(100));
        assert_eq!(talk.events(), [Event::Urgent]);
        assert_eq!(talk.connection.urgent_octets(), 100);
    });
}

/// RFC 9293 §3.1: without the bit the pointer means nothing; a pointer to nothing marks nothing.
#[test]
fn a_pointer_without_urg_or_to_nothing_marks_nothing() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(talk::Paper { urgent: 3, ..text(1, b"abc") });
        talk.peer_sends(text(4, b"def").urgent(0));
        assert_eq!(talk.connection.urgent_octets(), 3, "a pointer to 4 marks what is unread before it");
        assert_eq!(talk.we_read(), b"abcdef");
        talk.peer_sends(text(7, b"ghi").urgent(0));
        assert_eq!(talk.connection.urgent_octets(), 0);
    });
}

/// RFC 9293 §3.10.7.4, sixth: after the peer's FIN the bit is ignored.
#[test]
fn after_the_peers_fin_urg_is_ignored() {
    conversation(|talk| {
        use aperto_tcp::State;
        for state in [State::CloseWait, State::Closing, State::LastAck, State::TimeWait] {
            let mut talk = talk(Config::classroom()).in_state(state);
            talk.peer_sends(ack(1).seq(2).urgent(9));
            assert!(!talk.events().contains(&Event::Urgent), "{state}");
            assert_eq!(talk.connection.urgent_octets(), 0, "{state}");
        }
    });
}

proptest! {
    /// RFC 9293 §3.8.5: whatever pointers come, the stream is what was sent and the count is of what is
    /// unread.
    #[test]
    fn no_pointer_changes_the_stream(pointers in prop::collection::vec((any::<u16>(), 0usize..50), 1..30)) {
        conversation(|talk| {
            let mut talk = talk(Config::classroom()).established();
            let mut sent = Vec::new();
            let mut read = Vec::new();
            for &(pointer, length) in &pointers {
                let seq = 1 + u32::try_from(sent.len()).expect("short");
                let part: Vec<u8> = (0..length).map(|i| (sent.len() + i) as u8).collect();
                talk.peer_sends(text(seq, &part).urgent(pointer));
                sent.extend(part);
                let mut into = vec![0; length / 2];
                let count = talk.connection.receive(talk.now, &mut into).expect("open");
                read.extend_from_slice(&into[..count]);
                assert!(talk.connection.urgent_octets() as usize <= sent.len() - read.len() + 65_535);
                talk.all();
            }
            read.extend(talk.we_read());
            assert_eq!(read, sent);
        });
    }
}
