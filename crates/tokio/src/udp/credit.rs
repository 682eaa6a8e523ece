//! What we owe to strangers: never more octets than they sent.
//!
//! Anybody can put another's address into a datagram, and a server that answers with more than it
//! was asked is a weapon against that other. So a request (SYN) from outside earns its sender as
//! many octets as it had, and our answers to requests (SYN,ACK) and the resets that may follow
//! spend them; once a conversation goes on, the account is closed. A repetition of the answer
//! waits until the request is repeated.
//!
//! RFC 9000 §8.1 states the same concern for QUIC; RFC 4987 §2.3 for TCP.
//!
//! Left out: peers on this machine. Nobody outside can speak in their name.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use super::framing::Kind;

/// How many strangers have an account at most; the oldest is forgotten first.
const MOST: usize = 4096;
/// How much one account holds at most.
const MOST_EACH: usize = 1 << 16;

/// The accounts of the peers that have proved nothing yet.
#[derive(Debug, Default)]
pub(super) struct Credit {
    accounts: BTreeMap<SocketAddr, usize>,
    /// In order of opening; some may be closed already.
    opened: VecDeque<SocketAddr>,
}

impl Credit {
    /// Something arrived.
    pub(super) fn earn(&mut self, from: SocketAddr, kind: Kind, octets: usize) {
        if kind != Kind::Request {
            return;
        }
        if let Some(account) = self.accounts.get_mut(&from) {
            *account = account.saturating_add(octets).min(MOST_EACH);
            return;
        }
        while self.opened.len() >= MOST {
            if let Some(oldest) = self.opened.pop_front() {
                self.accounts.remove(&oldest);
            }
        }
        self.accounts.insert(from, octets.min(MOST_EACH));
        self.opened.push_back(from);
    }

    /// Something is about to leave: whether it may.
    ///
    /// # Errors
    ///
    /// How much credit there is, where that is not enough.
    pub(super) fn spend(&mut self, to: SocketAddr, kind: Kind, octets: usize) -> Result<(), usize> {
        match kind {
            Kind::Answer => {
                let account = self.accounts.get_mut(&to).ok_or(0_usize)?;
                *account = account.checked_sub(octets).ok_or(*account)?;
            }
            Kind::Reset => {
                // Without an account it answers a segment that was at least as long (a RST has no
                // text and no option), or ends a conversation.
                if let Some(account) = self.accounts.get_mut(&to) {
                    *account = account.checked_sub(octets).ok_or(*account)?;
                }
            }
            Kind::Other => {
                // `opened` keeps the place: it is what bounds the list.
                self.accounts.remove(&to);
            }
            Kind::Request => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: usize) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], u16::try_from(number % 60_000 + 1).unwrap()))
    }

    #[test]
    fn a_stranger_is_answered_with_as_much_as_he_sent_and_no_more() {
        let mut credit = Credit::default();
        credit.earn(peer(1), Kind::Request, 40);
        assert_eq!(credit.spend(peer(1), Kind::Answer, 40), Ok(()));
        assert_eq!(credit.spend(peer(1), Kind::Answer, 40), Err(0), "the repetition has to be asked for");
        assert_eq!(credit.spend(peer(1), Kind::Reset, 20), Err(0));
        credit.earn(peer(1), Kind::Request, 40);
        assert_eq!(credit.spend(peer(1), Kind::Answer, 40), Ok(()));
        credit.earn(peer(2), Kind::Request, 20);
        assert_eq!(credit.spend(peer(2), Kind::Answer, 24), Err(20));
        assert_eq!(credit.spend(peer(3), Kind::Answer, 24), Err(0));
    }

    #[test]
    fn a_conversation_that_goes_on_is_not_held_up() {
        let mut credit = Credit::default();
        credit.earn(peer(1), Kind::Request, 40);
        assert_eq!(credit.spend(peer(1), Kind::Answer, 40), Ok(()));
        assert_eq!(credit.spend(peer(1), Kind::Other, 1472), Ok(()));
        assert_eq!(credit.spend(peer(1), Kind::Reset, 20), Ok(()));
        assert_eq!(credit.spend(peer(7), Kind::Reset, 20), Ok(()), "one reset for one stray segment");
    }

    #[test]
    fn a_flood_of_strangers_does_not_grow_the_list() {
        let mut credit = Credit::default();
        for number in 0..50_000 {
            credit.earn(peer(number), Kind::Request, 40);
            if number % 3 == 0 {
                credit.spend(peer(number), Kind::Other, 1).unwrap();
            }
        }
        assert!(credit.accounts.len() <= MOST && credit.opened.len() <= MOST);
        assert_eq!(credit.spend(peer(0), Kind::Answer, 20), Err(0), "the oldest was forgotten");
        assert_eq!(credit.spend(peer(49_999), Kind::Answer, 40), Ok(()));
    }
}
