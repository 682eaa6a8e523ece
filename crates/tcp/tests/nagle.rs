//! Gathering small writes.
//!
//! RFC 9293 §3.7.4, §3.8.6.2.1.

mod talk;

use aperto_tcp::{Config, DataCause, Nagle, Reason};
use talk::{ack, conversation, fin, text};

/// RFC 9293 §3.7.4 \[SHLD-7\]: while something is unacknowledged, small text waits; then all of it goes.
#[test]
fn small_text_waits_for_the_acknowledgment_of_earlier_text() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_write(b"a");
        talk.we_send(text(1, b"a"));
        for octet in b"bcde" {
            talk.we_write(&[*octet]);
            talk.we_send_nothing();
        }
        talk.peer_sends(ack(2));
        let left = talk.we_send(text(2, b"bcde"));
        assert!(matches!(left.reason, Reason::Data { because: DataCause::NagleReleased, .. }));
        talk.we_send_nothing();
    });
}

/// RFC 9293 §3.7.4: a full segment does not wait.
#[test]
fn a_full_segment_does_not_wait() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_write(b"a");
        talk.we_send(text(1, b"a"));
        talk.we_write(&[7; 999]);
        talk.we_send_nothing();
        talk.we_write(&[7; 1]);
        let left = talk.we_send(text(2, &[7; 1000]));
        assert!(matches!(left.reason, Reason::Data { because: DataCause::Filled, .. }));
    });
}

/// RFC 9293 §3.7.4 \[MUST-17\]: the application can switch it off, and on again.
#[test]
fn switched_off_small_text_goes_at_once() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.connection.set_nagle(Nagle::Off);
        for (seq, octet) in (1..).zip(b"abc") {
            talk.we_write(&[*octet]);
            talk.we_send(text(seq, &[*octet]));
        }
        talk.connection.set_nagle(Nagle::On);
        talk.we_write(b"d");
        talk.we_send_nothing();
        talk.connection.set_nagle(Nagle::Off);
        talk.we_send(text(4, b"d"));
    });
}

/// RFC 9293 §3.7.4: the end of what is written need not wait: nothing can be gathered behind a FIN.
#[test]
fn the_last_text_goes_with_the_fin() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_write(b"a");
        talk.we_send(text(1, b"a"));
        talk.we_write(b"bc");
        talk.we_send_nothing();
        talk.we_close();
        talk.we_send(fin(2).carrying(b"bc"));
    });
}

/// RFC 9293 §3.7.4: a write that is larger than a segment leaves its rest behind.
#[test]
fn the_rest_of_a_large_write_waits() {
    conversation(|talk| {
        let mut talk = talk(Config::classroom()).established();
        talk.we_write(&[7; 2300]);
        talk.we_send(text(1, &[7; 1000]));
        talk.we_send(text(1001, &[7; 1000]));
        talk.we_send_nothing();
        talk.peer_sends(ack(1001));
        talk.we_send_nothing();
        talk.peer_sends(ack(2001));
        talk.we_send(text(2001, &[7; 300]));
    });
}
