//! What a segment of a chat carries, for whoever draws it: HELLO and frames, read from octets alone.
//!
//! Only what is sure is told: octets that are a HELLO, or that are whole frames from their first
//! octet to the last. A segment that begins in the middle of something is told of as nothing.

use alloc::vec::Vec;

use super::MOST_MESSAGE;
use super::decoder::{Decoder, Found};
use super::frame::{Frame, OVERHEAD, Seal};
use crate::hello::{Ask, Hello, Refusal, Terms};

/// Something that a segment carries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Carried {
    /// What a member asks for.
    Asks(Ask),
    /// What the room grants.
    Grants(Terms),
    /// Why the room grants nothing.
    Refuses(Refusal),
    /// A frame.
    Frame(Frame),
}

/// How many things are told of one segment.
const MOST: usize = 8;

/// What is in these octets; nothing where they are not sure to be of a chat.
///
/// Frames tell by themselves only that they fit: `known` says that their connection began with a
/// HELLO.
#[must_use]
pub fn carried(octets: &[u8], known: bool) -> Vec<Carried> {
    let mut all = Vec::new();
    let mut rest = octets;
    if let Ok((hello, taken)) = Hello::decode(octets) {
        all.push(match hello {
            Hello::Ask { ask, .. } => Carried::Asks(ask),
            Hello::Grant { terms, .. } => Carried::Grants(terms),
            Hello::Refuse { why, .. } => Carried::Refuses(why),
        });
        rest = octets.get(taken..).unwrap_or_default();
    } else if !known {
        return all;
    }
    // With a digest or without one: only one of both fits.
    let frames = [Seal::Digest, Seal::None].into_iter().find_map(|seal| frames(rest, seal));
    all.extend(frames.unwrap_or_default().into_iter().map(Carried::Frame));
    all
}

fn frames(octets: &[u8], seal: Seal) -> Option<Vec<Frame>> {
    let mut decoder = Decoder::new(MOST_MESSAGE + OVERHEAD, seal);
    let (mut rest, mut frames) = (octets, Vec::new());
    while !rest.is_empty() && frames.len() < MOST {
        match decoder.take(&mut rest) {
            Ok(Some(Found::Frame(frame))) => frames.push(frame),
            _ => return None,
        }
    }
    Some(frames)
}

#[cfg(test)]
mod tests {
    use super::super::frame::{Part, Say};
    use super::*;
    use crate::hello::Mode;

    #[test]
    fn hello_and_the_frames_behind_it_are_told() {
        let ask = Ask::new(Mode::Tcp);
        let mut octets = Hello::Ask { session: 1, ask: ask.clone() }.encode();
        let join = Frame::Join(super::super::frame::Join {
            token: [1; 16],
            connection: 1,
            room: [0; 16],
            seen: 0,
            name: "ana".into(),
        });
        join.put(&mut octets, Seal::None);
        assert_eq!(carried(&octets, false), [Carried::Asks(ask), Carried::Frame(join)]);
    }

    #[test]
    fn frames_are_told_only_where_all_octets_are_frames_of_a_chat() {
        let say = Frame::Say(Say { id: 3, part: Part::WHOLE, piece: b"oi".to_vec() });
        for seal in [Seal::None, Seal::Digest] {
            let mut octets = Vec::new();
            say.put(&mut octets, seal);
            assert_eq!(carried(&octets, true), [Carried::Frame(say.clone())]);
            assert_eq!(carried(&octets, false), []);
            assert_eq!(carried(&octets[1..], true), []);
            assert_eq!(carried(&octets[..octets.len() - 1], true), []);
        }
        assert_eq!(carried(b"hello", true), []);
    }
}
