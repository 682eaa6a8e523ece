//! Sends back what it reads, as it is or in upper case.
//!
//! In upper case it reads UTF-8, whose letters may arrive in pieces, and answers by Unicode's rules
//! (`ß` becomes `SS`). What is no UTF-8 goes back as it came.
//!
//! When the peer has closed and everything has been sent back, it closes too, at once or after a
//! pause: the pause is why a close has two FINs on a ladder.

use alloc::collections::VecDeque;
use core::time::Duration;

use crate::{Application, Ending, Tally, Want};

/// What an echo does with the octets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Voice {
    /// Nothing.
    #[default]
    Same,
    /// Upper case.
    Upper,
}

/// How many octets wait to be sent back before it stops reading.
const LIMIT: usize = 1 << 16;

/// Sends back what it reads.
#[derive(Clone, Debug)]
pub struct Echo {
    voice: Voice,
    close_after: Duration,
    answer: VecDeque<u8>,
    /// The beginning of a letter whose end has not arrived.
    letter: [u8; 4],
    letter_length: usize,
    closing: Closing,
    received: Tally,
    sent: Tally,
    ending: Option<Ending>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Closing {
    NotYet,
    /// The peer has closed; we close at this time, once everything has been sent back.
    From(Duration),
    Done,
}

impl Echo {
    /// An echo that closes so long after its peer.
    #[must_use]
    pub const fn new(voice: Voice, close_after: Duration) -> Self {
        Self {
            voice,
            close_after,
            answer: VecDeque::new(),
            letter: [0; 4],
            letter_length: 0,
            closing: Closing::NotYet,
            received: Tally::ZERO,
            sent: Tally::ZERO,
            ending: None,
        }
    }

    /// Takes one octet of UTF-8 and answers whole letters.
    fn take(&mut self, octet: u8) {
        if let Some(place) = self.letter.get_mut(self.letter_length) {
            *place = octet;
            self.letter_length += 1;
        }
        let so_far = self.letter.get(..self.letter_length).unwrap_or_default();
        match core::str::from_utf8(so_far) {
            Ok(letter) => {
                let mut buffer = [0; 4];
                for upper in letter.chars().flat_map(char::to_uppercase) {
                    self.answer.extend(upper.encode_utf8(&mut buffer).bytes());
                }
                self.letter_length = 0;
            }
            Err(error) if error.error_len().is_none() => {}
            Err(_) => {
                // The octet before this one was the last of something that is no letter; this one
                // may begin a new one.
                let broken = self.letter_length - 1;
                let (letter, length) = (self.letter, self.letter_length);
                self.letter_length = 0;
                if broken == 0 {
                    self.answer.push_back(octet);
                } else {
                    self.answer.extend(letter.iter().take(length - 1));
                    self.take(octet);
                }
            }
        }
    }
}

impl Application for Echo {
    fn opened(&mut self, _now: Duration) {}

    fn appetite(&self, _now: Duration) -> usize {
        LIMIT.saturating_sub(self.answer.len())
    }

    fn readable(&mut self, _now: Duration, octets: &[u8]) {
        self.received.add(octets);
        match self.voice {
            Voice::Same => self.answer.extend(octets),
            Voice::Upper => octets.iter().for_each(|&octet| self.take(octet)),
        }
    }

    fn peer_closed(&mut self, now: Duration) {
        let unfinished = self.letter_length;
        self.answer.extend(self.letter.iter().take(unfinished));
        self.letter_length = 0;
        if self.closing == Closing::NotYet {
            self.closing = Closing::From(now.saturating_add(self.close_after));
        }
    }

    fn ended(&mut self, _now: Duration, ending: Ending) {
        self.ending = Some(ending);
        self.closing = Closing::Done;
        self.answer = VecDeque::new();
    }

    fn deadline_passed(&mut self, _now: Duration) {}

    fn poll_want(&mut self, now: Duration) -> Option<Want<'_>> {
        if !self.answer.is_empty() {
            return Some(Want::Write(self.answer.as_slices().0));
        }
        match self.closing {
            Closing::From(at) if at <= now => {
                self.closing = Closing::Done;
                Some(Want::Close)
            }
            Closing::NotYet | Closing::From(_) | Closing::Done => None,
        }
    }

    fn wrote(&mut self, octets: usize) {
        let octets = octets.min(self.answer.len());
        let (first, second) = self.answer.as_slices();
        let from_first = octets.min(first.len());
        self.sent.add(first.get(..from_first).unwrap_or_default());
        self.sent.add(second.get(..octets - from_first).unwrap_or_default());
        self.answer.drain(..octets);
    }

    fn poll_deadline(&self) -> Option<Duration> {
        match self.closing {
            Closing::From(at) if self.answer.is_empty() => Some(at),
            Closing::NotYet | Closing::From(_) | Closing::Done => None,
        }
    }

    fn received(&self) -> Tally {
        self.received
    }

    fn sent(&self) -> Tally {
        self.sent
    }

    fn ending(&self) -> Option<Ending> {
        self.ending
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::harness::{said, wants_close};

    fn answered(voice: Voice, pieces: &[&[u8]]) -> Vec<u8> {
        let mut echo = Echo::new(voice, Duration::ZERO);
        let mut answer = Vec::new();
        for piece in pieces {
            echo.readable(Duration::ZERO, piece);
            answer.extend(said(&mut echo));
        }
        echo.peer_closed(Duration::ZERO);
        answer.extend(said(&mut echo));
        assert_eq!(echo.sent(), Tally::of(&answer));
        answer
    }

    #[test]
    fn letters_that_arrive_in_pieces_are_answered_whole() {
        assert_eq!(answered(Voice::Upper, &["Olá, mundo".as_bytes()]), "OLÁ, MUNDO".as_bytes());
        let text = "straße 🙂 ação";
        let pieces: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(answered(Voice::Upper, &pieces), "STRASSE 🙂 AÇÃO".as_bytes());
    }

    #[test]
    fn what_is_no_text_goes_back_as_it_came() {
        for octets in [&b"\xff\xfea"[..], b"\xc3b", b"\xe2\x82", b"\xf0\x9f\x99\xff\xc3\xa1", b"\x80\x80"] {
            let answer = answered(Voice::Upper, &[octets]);
            let lower = octets.to_ascii_uppercase();
            let expected: &[u8] =
                if octets.ends_with(b"\xa1") { b"\xf0\x9f\x99\xff\xc3\x81" } else { &lower };
            assert_eq!(answer, expected);
            assert_eq!(answered(Voice::Same, &[octets]), octets);
        }
    }

    #[test]
    fn it_closes_so_long_after_its_peer_but_not_before_all_is_sent_back() {
        let mut echo = Echo::new(Voice::Same, Duration::from_millis(30));
        echo.readable(Duration::ZERO, b"abc");
        echo.peer_closed(Duration::from_millis(90));
        assert!(!wants_close(&mut echo, Duration::from_millis(200)), "three octets are not sent");
        assert_eq!(echo.poll_deadline(), None);
        echo.wrote(3);
        assert_eq!(echo.poll_deadline(), Some(Duration::from_millis(120)));
        assert!(!wants_close(&mut echo, Duration::from_millis(119)));
        assert!(wants_close(&mut echo, Duration::from_millis(120)));
        assert!(!wants_close(&mut echo, Duration::from_millis(121)), "once is enough");
    }

    #[test]
    fn it_stops_reading_when_nobody_takes_its_answers() {
        let mut echo = Echo::new(Voice::Same, Duration::ZERO);
        echo.readable(Duration::ZERO, &[1; LIMIT]);
        assert_eq!(echo.appetite(Duration::ZERO), 0);
        echo.wrote(10);
        assert_eq!(echo.appetite(Duration::ZERO), 10);
    }
}
