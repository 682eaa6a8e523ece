//! Sending and receiving text: numbers, segment sizes, PSH.
//!
//! RFC 9293 §3.4, §3.7.1, §3.8, §3.9.1.2.

mod talk;

use aperto_tcp::{Config, Event, Push, Reason, State, Urgent};
use aperto_wire::tcp::{Control, Options};
use talk::{MSS, Talk, ack, conversation, syn, syn_ack, text};

/// Octets that differ from their neighbours.
fn octets(count: usize) -> Vec<u8> {
    (0..count).map(|i| (i % 251) as u8).collect()
}

fn mss(mss: Option<u16>) -> Options {
    Options { mss, ..Options::NONE }
}

/// RFC 9293 §3.4: the first octet of text follows the SYN, each octet has a number of its own.
#[test]
fn text_is_numbered_from_the_octet_after_the_syn() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_write(&octets(2000));
        talk.we_send(text(1, &octets(2000)[..1000]));
        talk.we_send(text(1001, &octets(2000)[1000..]));
        talk.we_send_nothing();
        talk.peer_sends(ack(2001));
        assert_eq!(talk.connection.status().send_queued, 0);
        talk.no_timer_runs();
    });
}

/// RFC 9293 §3.10.7.4, seventh: text that is next can be read, and RCV.NXT moves over it.
#[test]
fn text_in_order_is_delivered_and_acknowledged() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(text(1, b"hello, "));
        talk.peer_sends(text(8, b"world"));
        assert_eq!(talk.events(), [Event::Readable]);
        assert_eq!(talk.connection.readable(), 12);
        assert_eq!(talk.we_read(), b"hello, world");
        talk.we_write(b"hi");
        talk.we_send(text(1, b"hi").ack(13));
        // The acknowledgment has travelled with the text.
        assert_eq!(talk.connection.status().delayed_ack_at, None);
    });
}

/// RFC 9293 §3.7.1 \[MUST-14\] \[SHLD-5\] \[MAY-3\] \[MUST-67\]: each SYN names the size that we can receive.
#[test]
fn every_syn_names_our_segment_size() {
    conversation(|talk| {
        let mut active = talk(Config::modern()).listening();
        active.connection.open_listening(active.now);
        assert_eq!(active.we_send(syn()).paper.options.mss, Some(MSS));
        let mut passive = talk(Config::modern()).listening();
        passive.peer_sends(syn());
        assert_eq!(passive.we_send(syn_ack()).paper.options.mss, Some(MSS));
    });
}

/// RFC 9293 §3.2 \[MUST-65\]: the segment size is named in SYNs only.
#[test]
fn no_other_segment_names_a_segment_size() {
    conversation(|talk| {
        let mut talk = talk(Config::modern()).syn_sent();
        talk.peer_sends(syn_ack());
        assert_eq!(talk.we_send(ack(1)).paper.options.mss, None);
        talk.we_write(b"text");
        assert_eq!(talk.we_send(text(1, b"text")).paper.options.mss, None);
    });
}

/// RFC 9293 §3.7.1 \[MUST-14\] \[MUST-15\] \[MUST-16\]: what the peer names counts, at most our own size, at
/// least what a peer can force on us; none, or the impossible 0, means 536.
#[test]
fn segments_are_as_large_as_the_peer_takes_and_the_path_carries() {
    let table = [
        (None, 536),
        (Some(0), 536),
        (Some(1), 48),
        (Some(47), 48),
        (Some(48), 48),
        (Some(536), 536),
        (Some(999), 999),
        (Some(1000), 1000),
        (Some(1001), 1000),
        (Some(u16::MAX), 1000),
    ];
    conversation(|talk| {
        for (offered, expected) in table {
            let mut talk = talk(Config::classroom()).established_with(mss(offered));
            talk.we_write(&octets(3000));
            let left = talk.all();
            assert_eq!(left[0].paper.text.len(), expected, "{offered:?}");
            assert!(left.iter().all(|l| l.paper.text.len() <= expected), "{offered:?}");
        }
    });
}

/// RFC 9293 §3.7.1 \[MUST-16\], RFC 6691 §2: the options of a segment take their room from its text.
#[test]
fn options_take_their_room_from_the_text() {
    conversation(|talk| {
        let offers = talk(Config::modern()).listening();
        drop(offers);
        let mut talk = talk(Config { sack: false, ..Config::modern() }).syn_sent();
        talk.peer_sends(syn_ack().stamps(1, 0));
        talk.we_send(ack(1));
        talk.we_write(&octets(2000));
        // Timestamps take 12 octets with their padding (RFC 7323 appendix A).
        assert_eq!(talk.all()[0].paper.text.len(), usize::from(MSS) - 12);
    });
}

/// RFC 9293 §3.9.1.2 \[SHLD-27\] \[SHLD-28\]: what waits together leaves together, in full segments.
#[test]
fn small_writes_are_gathered_into_full_segments() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_write(b"first");
        talk.we_send(text(1, b"first"));
        for part in octets(1500).chunks(100) {
            talk.we_write(part);
        }
        talk.we_send(text(6, &octets(1500)[..1000]));
        talk.we_send_nothing();
        talk.peer_sends(ack(1006));
        talk.we_send(text(1006, &octets(1500)[1000..]));
    });
}

/// RFC 9293 §3.9.1.2 \[MUST-61\] \[MAY-15\]: the segment that empties the queue, or completes what was
/// pushed, has PSH; one before it has not.
#[test]
fn the_segment_that_empties_the_queue_is_pushed() {
    conversation(|talk| {
        for push in [Push::Yes, Push::No] {
            let mut talk = talk(Config::classroom()).established();
            talk.connection.send(talk.now, &octets(2000), push, Urgent::No).expect("open");
            let left = talk.all();
            let pushed: Vec<bool> = left.iter().map(|l| l.paper.control.psh()).collect();
            assert_eq!(pushed, [false, true], "{push:?}");
        }
    });
}

/// RFC 9293 §3.9.1.2 \[MUST-60\] \[MAY-16\]: what was not pushed waits for more, but not for ever.
#[test]
fn text_that_was_not_pushed_waits_for_more_but_not_for_ever() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.connection.send(talk.now, b"some", Push::No, Urgent::No).expect("open");
        talk.we_send_nothing();
        // RFC 9293 §3.8.6.2.1: the override timeout is 0.1 to 1 second.
        let waited = talk.until_timer();
        assert!((100..=1000).contains(&waited), "{waited} ms");
        assert!(talk.we_send(text(1, b"some")).paper.control.psh());
    });
}

/// RFC 9293 §3.1 \[MUST-1\] \[REC-1\]: a window is an unsigned number, and scaled it needs 32 bits.
#[test]
fn a_large_window_is_not_negative() {
    conversation(|talk| {
        let mut plain = talk(Config::classroom()).established();
        plain.peer_sends(ack(1).window(u16::MAX));
        assert_eq!(plain.connection.status().send_window, 65_535);
        plain.we_write(b"goes");
        plain.we_send(text(1, b"goes"));
        let config = Config { timestamps: false, sack: false, ..Config::modern() };
        let mut scaled = talk(config).established_with(Options { window_scale: Some(14), ..mss(Some(MSS)) });
        scaled.peer_sends(ack(1).window(u16::MAX));
        assert_eq!(scaled.connection.status().send_window, 65_535 << 14);
    });
}

/// RFC 9293 §3.10.2: what does not fit the buffer is refused, and room is told.
#[test]
fn a_full_send_buffer_refuses_and_tells_when_there_is_room() {
    conversation(|talk| {
        let config = Config { send_buffer: 1500, ..Config::classroom() };
        let mut talk = talk(config).established();
        let send = |talk: &mut Talk, count: usize| {
            talk.connection.send(talk.now, &octets(count), Push::Yes, Urgent::No).expect("open")
        };
        assert_eq!(send(&mut talk, 2000), 1500);
        assert_eq!(send(&mut talk, 1), 0);
        talk.we_send(text(1, &octets(1000)));
        assert_eq!(talk.events(), []);
        talk.peer_sends(ack(1001));
        assert_eq!(talk.events(), [Event::Writable]);
        assert_eq!(send(&mut talk, 2000), 1000);
    });
}

/// RFC 9293 §3.1 \[MUST-5\]: an option that belongs into a SYN harms no other segment.
#[test]
fn options_of_a_syn_are_ignored_in_other_segments() {
    conversation(|talk| {
        let mut talk = talk(Config::modern()).established();
        let late = Options { mss: Some(100), window_scale: Some(7), sack_permitted: true, ..Options::NONE };
        talk.peer_sends(text(1, b"text").options(late));
        assert_eq!(talk.we_read(), b"text");
        let status = talk.connection.status();
        assert_eq!((status.send_mss, status.send_window_scale, status.sack), (1000, 0, false));
    });
}

/// RFC 9293 §3.10.7.4, seventh: text that came with the acknowledgment of our SYN is delivered.
#[test]
fn text_with_the_acknowledgment_of_our_syn_is_delivered() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).syn_received();
        talk.peer_sends(text(1, b"at once"));
        talk.we_are_in(State::Established);
        assert_eq!(talk.we_read(), b"at once");
    });
}

/// RFC 9293 §3.10.7.3: text that came with the SYN,ACK is delivered, as far as our window reached.
#[test]
fn text_with_a_syn_ack_is_delivered_within_the_window() {
    conversation(|talk| {
        let config = Config { receive_buffer: 10, initial_receive_window: 10, ..Config::classroom() };
        let mut talk = talk(config).syn_sent();
        talk.peer_sends(syn_ack().carrying(b"0123456789abcdef"));
        assert_eq!(talk.we_read(), b"0123456789");
        talk.we_send(ack(11));
    });
}

/// RFC 9293 §3.8.1: an empty segment carries no number, and PSH without text means nothing.
#[test]
fn a_push_without_text_is_an_acknowledgment() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(ack(1).with(Control::PSH));
        talk.we_send_nothing();
        assert_eq!(talk.connection.readable(), 0);
    });
}

/// RFC 9293 §3.8: the reason of each segment tells what let it go.
#[test]
fn data_that_nothing_held_back_is_sent_because_it_was_written() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.peer_sends(text(1, b"abc"));
        talk.we_write(b"defg");
        let because = aperto_tcp::DataCause::Written;
        assert_eq!(
            talk.we_send(text(1, b"defg").ack(4)).reason,
            Reason::Data { octets: 4, because, acknowledges: 3 }
        );
    });
}
