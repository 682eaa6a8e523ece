//! Looks at the head of each record that comes, before rustls does.
//!
//! RFC 8446 §5.1 and §5.2. A protected record says `application_data` and version 3.3, always; rustls
//! does not ask. Nobody could gain anything by changing these octets, but a channel that changes
//! them is a channel that changes octets, and that should be told. Also the one unprotected record
//! between hello and secrets, `change_cipher_spec`, is looked at here: rustls drops it unread (§5).
//!
//! Left out: what is inside of records, which is rustls's business.

use std::ops::RangeInclusive;

use crate::Trouble;

const HEAD: usize = 5;
/// Of a hello: type and length, version, random.
const HELLO: usize = 4 + 2 + 32;
const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
const KINDS: RangeInclusive<u8> = CHANGE_CIPHER_SPEC..=APPLICATION_DATA;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
/// A ServerHello with this random asks for another ClientHello. RFC 8446 §4.1.3.
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Whose records are looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    /// We are the server.
    Client,
    /// We are the client.
    Server,
}

/// Follows the records of a stream. See the module's text.
#[derive(Clone, Debug)]
pub struct Guard {
    peer: Peer,
    head: [u8; HEAD],
    /// How many octets of the head have come.
    has: usize,
    /// How many octets of the record's body are still to come.
    left: usize,
    /// The first octets of a handshake record.
    hello: Vec<u8>,
    records: u64,
    /// Nothing but protected records may come.
    protected: bool,
    /// The record before was a hello.
    after_hello: bool,
    trouble: Option<Trouble>,
}

impl Guard {
    /// A guard at the beginning of a stream.
    #[must_use]
    pub const fn new(peer: Peer) -> Self {
        Self {
            peer,
            head: [0; HEAD],
            has: 0,
            left: 0,
            hello: Vec::new(),
            records: 0,
            protected: false,
            after_hello: false,
            trouble: None,
        }
    }

    /// Looks at the next octets, and says how many of them may pass. If not all, there is a
    /// [`trouble`](Self::trouble), and nothing passes any more.
    pub fn pass(&mut self, octets: &[u8]) -> usize {
        let mut passed = 0;
        // What stands before a bad head in the same record's head is held back with it only if it
        // came now; four octets of a head are nothing that rustls could deliver.
        while self.trouble.is_none() {
            let rest = octets.get(passed..).unwrap_or_default();
            let Some(first) = rest.first() else { break };
            if self.left > 0 {
                let now = self.left.min(rest.len());
                if !self.body(rest.get(..now).unwrap_or_default()) {
                    break;
                }
                passed += now;
                self.left -= now;
                if self.left == 0 {
                    self.record_ends();
                }
                continue;
            }
            if let Some(place) = self.head.get_mut(self.has) {
                *place = *first;
            }
            self.has += 1;
            // The first octet of plain text is enough: more may never come.
            if self.records == 0 && self.has == 1 && !KINDS.contains(first) {
                self.trouble = Some(Trouble::PlainPeer);
                break;
            }
            if self.has == HEAD && !self.record_begins() {
                break;
            }
            passed += 1;
        }
        passed
    }

    /// What is wrong, if anything is.
    #[must_use]
    pub const fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    /// The head of a record is whole. Says whether it may be.
    fn record_begins(&mut self) -> bool {
        let [kind, major, minor, high, low] = self.head;
        let length = usize::from(u16::from_be_bytes([high, low]));
        // The first record of a client may say 3.1, for servers of old. RFC 8446 §5.1.
        // An echo sends it back to us.
        let old = self.records == 0 && kind == HANDSHAKE && minor == 1;
        let version = major == 3 && (minor == 3 || old);
        let fits = match kind {
            HANDSHAKE => !self.protected,
            ALERT => self.peer == Peer::Client || !self.protected,
            CHANGE_CIPHER_SPEC => length == 1 && (self.after_hello || self.peer == Peer::Client),
            APPLICATION_DATA => self.protected || self.peer == Peer::Client,
            _ => false,
        };
        if !(version && fits && length > 0) {
            // A peer whose very first octets are no record of TLS speaks something else.
            let plain =
                self.records == 0 && !(version && (CHANGE_CIPHER_SPEC..=APPLICATION_DATA).contains(&kind));
            self.trouble = Some(if plain { Trouble::PlainPeer } else { Trouble::Tampered });
            return false;
        }
        self.has = 0;
        self.left = length;
        self.hello.clear();
        true
    }

    /// Octets of a record's body. Says whether they may be.
    fn body(&mut self, octets: &[u8]) -> bool {
        let [kind, _, minor, ..] = self.head;
        let begins = kind == HANDSHAKE && self.hello.is_empty();
        let old = begins && minor == 1 && octets.first() != Some(&CLIENT_HELLO);
        if self.peer == Peer::Server && begins && octets.first() == Some(&CLIENT_HELLO) {
            // Only clients say this one: it is ours, and came back.
            self.trouble = Some(Trouble::Echoed);
            return false;
        }
        if old || kind == CHANGE_CIPHER_SPEC && octets != [1] {
            self.trouble = Some(Trouble::Tampered);
            return false;
        }
        if kind == HANDSHAKE {
            let wanted = HELLO.saturating_sub(self.hello.len()).min(octets.len());
            self.hello.extend_from_slice(octets.get(..wanted).unwrap_or_default());
        }
        true
    }

    fn record_ends(&mut self) {
        self.records += 1;
        let [kind, ..] = self.head;
        self.after_hello = kind == HANDSHAKE;
        match (self.peer, kind, self.hello.first()) {
            (Peer::Server, HANDSHAKE, Some(&SERVER_HELLO)) => {
                self.protected = self.hello.get(6..HELLO) != Some(RETRY.as_slice());
            }
            // A second ClientHello may follow; what is protected comes after that.
            (Peer::Client, HANDSHAKE, Some(&CLIENT_HELLO)) => {}
            (Peer::Client, APPLICATION_DATA, _) => self.protected = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(peer: Peer, octets: &[u8]) -> (usize, Option<Trouble>) {
        let mut guard = Guard::new(peer);
        let whole = (guard.pass(octets), guard.trouble().cloned());
        // Cut into single octets it is the same, but for the beginning of a head.
        let mut single = Guard::new(peer);
        let passed = octets.iter().map(|octet| single.pass(&[*octet])).sum::<usize>();
        assert_eq!((passed, single.trouble().cloned()), whole);
        whole
    }

    fn hello(kind: u8, random: [u8; 32]) -> Vec<u8> {
        let mut octets = vec![22, 3, 3, 0, 40, kind, 0, 0, 36, 3, 3];
        octets.extend(random);
        octets.extend([0, 0]);
        octets
    }

    #[test]
    fn the_records_of_a_server_come_in_one_order() {
        let sound =
            [hello(2, [7; 32]), vec![20, 3, 3, 0, 1, 1], vec![23, 3, 3, 0, 2, 9, 9], vec![23, 3, 3, 0, 1, 9]];
        let stream = sound.concat();
        assert_eq!(passes(Peer::Server, &stream), (stream.len(), None));
        for (place, changed) in [(45, 22), (46, 2), (47, 2), (50, 0), (51, 22), (52, 2), (58, 21), (60, 1)] {
            let mut stream = stream.clone();
            stream[place] = changed;
            assert_eq!(passes(Peer::Server, &stream).1, Some(Trouble::Tampered), "octet {place}");
        }
    }

    #[test]
    fn a_server_may_ask_for_another_hello() {
        let stream =
            [hello(2, RETRY), vec![20, 3, 3, 0, 1, 1], hello(2, [1; 32]), vec![23, 3, 3, 0, 1, 9]].concat();
        assert_eq!(passes(Peer::Server, &stream), (stream.len(), None));
        // After a ServerHello that is none, there is no other.
        let twice = [hello(2, [1; 32]), hello(2, [1; 32])].concat();
        assert_eq!(passes(Peer::Server, &twice).1, Some(Trouble::Tampered));
    }

    #[test]
    fn a_client_begins_with_a_hello_of_old_and_goes_on_protected() {
        let mut first = hello(1, [1; 32]);
        first[2] = 1;
        let stream =
            [first, vec![20, 3, 3, 0, 1, 1], vec![23, 3, 3, 0, 1, 9], vec![23, 3, 3, 0, 1, 9]].concat();
        assert_eq!(passes(Peer::Client, &stream), (stream.len(), None));
        let mut late = stream.clone();
        let last = late.len() - 6;
        late[last] = 22;
        assert_eq!(passes(Peer::Client, &late).1, Some(Trouble::Tampered));
    }

    #[test]
    fn what_is_no_record_at_the_beginning_is_plain() {
        for (text, passing) in
            [(&b"hello, there"[..], 0), (b"G", 0), (b"\x16\x07\x03\x00\x01", 4), (b"\0\0\0\0\0", 0)]
        {
            for peer in [Peer::Client, Peer::Server] {
                assert_eq!(passes(peer, text), (passing, Some(Trouble::PlainPeer)), "{text:?}");
            }
        }
    }
}
