//! Who has been connected to a server: its connections by their four numbers.
//!
//! Bounded: of those that are over the oldest is forgotten first.

use std::cell::RefCell;
use std::net::SocketAddr;

use aperto_explain::program::ports::FourTuple;
use aperto_host::Endpoints;
use aperto_tokio::Stack;

/// How many are remembered.
const MOST: usize = 1_000;

struct Entry {
    row: FourTuple,
    endpoints: Option<Endpoints>,
    over: bool,
}

/// See the module's text.
#[derive(Default)]
pub(crate) struct Roll(RefCell<Vec<Entry>>);

impl Roll {
    /// A client came.
    pub(crate) fn opened(&self, label: &str, ends: (SocketAddr, SocketAddr), endpoints: Option<Endpoints>) {
        let mut entries = self.0.borrow_mut();
        if entries.len() >= MOST
            && let Some(oldest) = entries.iter().position(|entry| entry.over)
        {
            entries.remove(oldest);
        }
        let row = FourTuple {
            label: label.into(),
            local: ends.0,
            remote: ends.1,
            state: String::new(),
            received: 0,
            sent: 0,
        };
        entries.push(Entry { row, endpoints, over: false });
    }

    /// Text went one way or the other.
    pub(crate) fn went(&self, label: &str, sent: bool, octets: usize) {
        self.change(label, |entry| {
            let count = if sent { &mut entry.row.sent } else { &mut entry.row.received };
            *count += octets as u64;
        });
    }

    /// It is over, and so much was read and written.
    pub(crate) fn ended(&self, label: &str, received: u64, sent: u64) {
        self.change(label, |entry| {
            (entry.row.received, entry.row.sent, entry.over) = (received, sent, true);
        });
    }

    fn change(&self, label: &str, change: impl FnOnce(&mut Entry)) {
        let mut entries = self.0.borrow_mut();
        if let Some(entry) = entries.iter_mut().rev().find(|entry| entry.row.label == label && !entry.over) {
            change(entry);
        }
    }

    /// All of them, with the state in which each is now. The system's sockets do not tell theirs: what
    /// is open is established.
    pub(crate) fn rows(&self, stack: Option<&Stack>) -> Vec<FourTuple> {
        let states = stack.map(Stack::connections).unwrap_or_default();
        let entries = self.0.borrow();
        let state = |entry: &Entry| {
            let known = states.iter().find(|(_, ends, _)| Some(*ends) == entry.endpoints);
            match known {
                Some((_, _, state)) => state.name(),
                None if entry.over || stack.is_some() => aperto_tcp::State::Closed.name(),
                None => aperto_tcp::State::Established.name(),
            }
        };
        entries.iter().map(|entry| FourTuple { state: state(entry).into(), ..entry.row.clone() }).collect()
    }
}
