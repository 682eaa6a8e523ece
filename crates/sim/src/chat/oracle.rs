//! What must hold in a chat, checked as it happens.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use aperto_app::Tally;
use aperto_app::chat::{client, room};
use aperto_time::Instant;

use super::{Broken, Counts};

/// What one member has shown.
#[derive(Clone, Debug, Default)]
struct Viewer {
    /// The last message that it has shown, from its first connection on.
    last: Option<u64>,
    /// The messages that it gave these ids, from 1.
    said: Vec<String>,
    confirmed: BTreeSet<u64>,
    refused: BTreeSet<u64>,
}

/// See the module's text.
#[derive(Clone, Debug, Default)]
pub(super) struct Oracle {
    viewers: Vec<Viewer>,
    /// The one order, as the room has confirmed it: by place, who and what.
    order: BTreeMap<u64, (String, String)>,
    /// And back: a text is said once in a run.
    places: BTreeMap<String, u64>,
    /// What the operator said.
    operator: BTreeSet<String>,
    /// A connection whose first octet is damaged in silence is taken for a person's.
    repaired: bool,
    pub(super) counts: Counts,
    hash: Tally,
}

type Checked = Result<(), Broken>;

fn broken(invariant: &'static str, at: Instant, what: String) -> Checked {
    Err(Broken { invariant, at, what })
}

impl Oracle {
    pub(super) fn new(members: usize, repaired: bool) -> Self {
        let mut viewers = Vec::new();
        viewers.resize_with(members, Viewer::default);
        Self { viewers, repaired, ..Self::default() }
    }

    /// A hash of everything that was told.
    pub(super) const fn hash(&self) -> u64 {
        self.hash.hash
    }

    fn hashes(&mut self, now: Instant, what: &[u8]) {
        self.hash.add(&now.as_nanos().to_le_bytes());
        self.hash.add(what);
    }

    pub(super) fn said(&mut self, member: usize, id: u64, text: &str) {
        if let Some(viewer) = self.viewers.get_mut(member) {
            viewer.said.push(text.to_string());
            debug_assert_eq!(viewer.said.len() as u64, id);
        }
        self.counts.said += 1;
    }

    pub(super) fn operator_says(&mut self, text: &str) {
        self.operator.insert(text.to_string());
    }

    /// The room tells something.
    pub(super) fn room(&mut self, now: Instant, event: &room::Event) -> Checked {
        match event {
            room::Event::Said { seq, name, text, .. } => {
                self.hashes(now, text.as_bytes());
                if let Some((_, before)) = self.order.insert(*seq, (name.clone(), text.clone())) {
                    return broken("I-25", now, format!("place {seq} was {before:?} and is {text:?}"));
                }
                match self.places.insert(text.clone(), *seq) {
                    Some(before) => broken("I-25", now, format!("{text:?} is at {before} and at {seq}")),
                    None => self.was_said(now, name, text),
                }
            }
            room::Event::Damaged { .. } => {
                self.counts.damaged += 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn was_said(&self, now: Instant, name: &str, text: &str) -> Checked {
        let by_member = || {
            let place: usize = name.strip_prefix('m').and_then(|digits| digits.parse().ok())?;
            Some(self.viewers.get(place)?.said.iter().any(|said| said == text))
        };
        let is_person = self.repaired && name.starts_with('c');
        if is_person || self.operator.contains(text) || by_member() == Some(true) {
            return Ok(());
        }
        broken("I-25", now, format!("{name} never said {text:?}"))
    }

    /// A member tells something.
    pub(super) fn member(&mut self, now: Instant, member: usize, event: &client::Event) -> Checked {
        let Some(viewer) = self.viewers.get_mut(member) else { return Ok(()) };
        match event {
            client::Event::In { after, another_room, .. } => {
                if *another_room {
                    return broken("I-25", now, format!("m{member} came back to another room"));
                }
                viewer.last = viewer.last.or(Some(*after));
                Ok(())
            }
            client::Event::Shown { seq, name, text, own } => {
                let expected = viewer.last.map(|last| last + 1);
                viewer.last = Some(*seq);
                if expected != Some(*seq) {
                    return broken("I-25", now, format!("m{member} shows {seq}, not {expected:?}"));
                }
                let own_text = own.map(|id| viewer.said.get(usize::try_from(id - 1).unwrap_or(usize::MAX)));
                if own_text.is_some_and(|said| said != Some(text)) {
                    return broken("I-25", now, format!("m{member} never said {text:?} as {own:?}"));
                }
                self.counts.shown += 1;
                self.hashes(now, text.as_bytes());
                let kept = self.order.get(seq);
                if kept.is_none_or(|(by, what)| by != name || what != text) {
                    return broken("I-25", now, format!("m{member} shows {text:?} at {seq}, kept: {kept:?}"));
                }
                Ok(())
            }
            client::Event::Confirmed { id } => {
                self.counts.confirmed += 1;
                if !viewer.confirmed.insert(*id) {
                    return broken("I-25", now, format!("m{member}: {id} is confirmed twice"));
                }
                let text = viewer.said.get(usize::try_from(id - 1).unwrap_or(usize::MAX)).cloned();
                if text.as_ref().is_none_or(|text| !self.places.contains_key(text)) {
                    return broken("I-25", now, format!("m{member}: {id} is confirmed and not kept"));
                }
                self.hashes(now, &id.to_le_bytes());
                Ok(())
            }
            client::Event::Refused { id, why } => {
                viewer.refused.insert(*id);
                broken("I-25", now, format!("m{member}: {id} is refused: {why:?}"))
            }
            client::Event::Missed { messages } => {
                broken("I-25", now, format!("m{member} missed {messages} that are kept"))
            }
            client::Event::Damaged => {
                self.counts.damaged += 1;
                Ok(())
            }
            client::Event::Broken { .. } => {
                self.counts.broken += 1;
                Ok(())
            }
            client::Event::Over(client::Over::Left { closed: false, .. }) => Ok(()),
            client::Event::Over(how) => broken("I-25", now, format!("m{member} is over: {how:?}")),
            client::Event::Came(_) | client::Event::Left(_) => Ok(()),
        }
    }

    /// The server has started again, and its room has confirmed so many messages.
    pub(super) fn restarted(&mut self, now: Instant, room: &room::Room) -> Checked {
        self.counts.restarts += 1;
        let last = self.order.last_key_value().map_or(0, |(seq, _)| *seq);
        if room.confirmed() < last {
            let what = format!("{last} messages were confirmed, {} are there", room.confirmed());
            return broken("I-28", now, what);
        }
        // What was written and not waited for may be there: it is confirmed from now on.
        for entry in room.messages().filter(|entry| entry.seq > last) {
            let event = room::Event::Said {
                seq: entry.seq,
                name: entry.name.clone(),
                text: entry.text.clone(),
                operator: false,
            };
            self.room(now, &event)?;
        }
        Ok(())
    }

    /// Whether a member that is in has shown everything.
    pub(super) fn has_all(&self, member: usize, confirmed: u64) -> bool {
        self.viewers.get(member).is_some_and(|viewer| viewer.last == Some(confirmed))
    }

    /// The end: what was said by a member that stayed is confirmed.
    pub(super) fn ends(&self, now: Instant, member: usize, stayed: bool) -> Checked {
        let Some(viewer) = self.viewers.get(member) else { return Ok(()) };
        for (place, text) in viewer.said.iter().enumerate() {
            let id = place as u64 + 1;
            if stayed && !viewer.confirmed.contains(&id) {
                return broken("I-25", now, format!("m{member}: {id} was never confirmed ({text:?})"));
            }
        }
        Ok(())
    }
}
