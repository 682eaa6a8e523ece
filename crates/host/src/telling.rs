//! What is told to applications: events, polled one by one.
//!
//! Whoever may have something to tell is in a list, at most once; what it is stays where it
//! happened until it is asked for. So nothing grows while an application does not ask.

use core::net::SocketAddr;

use crate::connections::{Body, Stage};
use crate::departure::IcmpKind;
use crate::event::Event;
use crate::host::Host;
use crate::ids::{ConnectionId, ListenerId, UdpId};
use crate::slab::Id;

/// Who may have something to tell.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Telling {
    Connection(Id),
    Listener(ListenerId),
    Socket(UdpId),
    Echo,
}

/// Most events about pings that wait; what comes beyond them is not told.
const MOST_ECHOES: usize = 256;

impl Host {
    /// The next event for the application.
    pub fn poll_event(&mut self) -> Option<Event> {
        loop {
            match *self.telling.front()? {
                Telling::Connection(id) => {
                    if let Some(event) = self.event_of(id) {
                        return Some(Event::Tcp(ConnectionId(id), event));
                    }
                    self.telling.pop_front();
                    if let Some(entry) = self.tcp.entries.get_mut(id) {
                        entry.telling = false;
                    }
                    // Only now, with nothing left to tell, may it become a record.
                    self.fold(id);
                }
                Telling::Listener(id) => {
                    self.telling.pop_front();
                    if let Some(listener) = self.tcp.listeners.get_mut(id.0) {
                        listener.telling = false;
                        return Some(Event::Incoming(id));
                    }
                }
                Telling::Socket(id) => {
                    if let Some(event) = self.event_of_socket(id) {
                        return Some(event);
                    }
                    self.telling.pop_front();
                }
                Telling::Echo => {
                    self.telling.pop_front();
                    if let Some(event) = self.echoes.pop_front() {
                        return Some(event);
                    }
                }
            }
        }
    }

    fn event_of(&mut self, id: Id) -> Option<aperto_tcp::Event> {
        let entry = self.tcp.entries.get_mut(id).filter(|entry| entry.stage == Stage::Held)?;
        match &mut entry.body {
            Body::Live(connection) => connection.poll_event(),
            Body::Record(_) => None,
        }
    }

    fn event_of_socket(&mut self, id: UdpId) -> Option<Event> {
        let socket = self.udp.sockets.get_mut(id.0)?;
        if let Some((remote, what)) = socket.error.take() {
            return Some(Event::UdpError { socket: id, remote, what });
        }
        core::mem::take(&mut socket.telling).then_some(Event::Udp(id))
    }

    /// Has a connection asked for events, if the application has it.
    pub(crate) fn tell_of(&mut self, id: Id) {
        if let Some(entry) = self.tcp.entries.get_mut(id)
            && entry.stage == Stage::Held
            && !core::mem::replace(&mut entry.telling, true)
        {
            self.telling.push_back(Telling::Connection(id));
        }
    }

    pub(crate) fn tell_of_listener(&mut self, id: ListenerId) {
        self.telling.push_back(Telling::Listener(id));
    }

    pub(crate) fn tell_of_datagram(&mut self, id: UdpId) {
        if let Some(socket) = self.udp.sockets.get_mut(id.0)
            && !core::mem::replace(&mut socket.telling, true)
        {
            self.telling.push_back(Telling::Socket(id));
        }
    }

    pub(crate) fn tell_of_error(&mut self, id: UdpId, remote: SocketAddr, what: IcmpKind) {
        if let Some(socket) = self.udp.sockets.get_mut(id.0)
            && socket.error.replace((remote, what)).is_none()
        {
            self.telling.push_back(Telling::Socket(id));
        }
    }

    pub(crate) fn tell_of_echo(&mut self, event: Event) {
        if self.echoes.len() < MOST_ECHOES {
            self.echoes.push_back(event);
            self.telling.push_back(Telling::Echo);
        }
    }
}
