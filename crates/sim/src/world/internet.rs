//! A host of `aperto-host` with applications on its connections.
//!
//! After each input the host is emptied in its own order (frames, events, notes), then the
//! applications that something happened to are asked what they want, until nobody wants anything.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use aperto_app::{Application, Ending, Machine, Want};
use aperto_host::CallError;
use aperto_host::{About, ConnectionId, Host, ListenerId, UdpId};
use aperto_tcp::{End as TcpEnd, Event as TcpEvent, Reason, ReceiveError};
use aperto_time::Instant;
use aperto_trace::recorder::Meaning;
use aperto_trace::{Call, Endpoints, Protocol};

use super::stage::{Class, End, Stage};
use super::textbook::socket;
use crate::channel::Hint;
use crate::recipe::{Opening, RecipeError, Service};

/// The most octets that an application is given at once.
const READ_AT_ONCE: usize = 1 << 16;

/// An application and its connection.
#[derive(Clone, Debug)]
pub struct Attached {
    /// The application.
    pub application: Machine,
    /// Its ends: ours as source, the peer's as destination.
    pub endpoints: Endpoints,
    /// How the connection ended, once it has.
    pub end: Option<TcpEnd>,
    /// Whether it was opened by us.
    pub opened_by_us: bool,
    peer_closed: bool,
    released: bool,
}

/// Something to be opened at its time.
#[derive(Clone, Debug)]
struct Planned {
    opening: Opening,
    remote: SocketAddr,
}

/// Somebody who sends datagrams, or answers them.
#[derive(Clone, Debug)]
struct Talker {
    socket: UdpId,
    endpoints: Endpoints,
    /// What is still to be said.
    message: VecDeque<u8>,
    payload: usize,
    spacing: Duration,
    next_at: Instant,
    application: Option<Machine>,
    heard: Vec<u8>,
}

/// A host and what runs on it.
#[derive(Clone, Debug)]
pub(super) struct Internet {
    pub(super) host: Box<Host>,
    end: End,
    local: core::net::IpAddr,
    planned: VecDeque<Planned>,
    services: Vec<(ListenerId, Machine)>,
    attached: BTreeMap<ConnectionId, Attached>,
    /// Those that something happened to.
    awake: BTreeSet<ConnectionId>,
    /// Connections that are over, with their applications, in the order in which they ended.
    over: Vec<Attached>,
    talkers: Vec<Talker>,
    buffer: Vec<u8>,
    /// When the host wants to be called.
    host_at: Option<Instant>,
}

impl Internet {
    pub(super) fn new(host: Host, end: End, local: core::net::IpAddr, mtu: usize) -> Self {
        Self {
            host: Box::new(host),
            end,
            local,
            planned: VecDeque::new(),
            services: Vec::new(),
            attached: BTreeMap::new(),
            awake: BTreeSet::new(),
            over: Vec::new(),
            talkers: Vec::new(),
            buffer: vec![0; mtu + 64],
            host_at: None,
        }
    }

    /// Offers a service over TCP.
    pub(super) fn offer(&mut self, stage: &mut Stage, service: &Service) -> Result<(), RecipeError> {
        let local = socket(self.local, service.port);
        let listener =
            self.host.listen(local, service.backlog).map_err(|error| RecipeError::Host(error.to_string()))?;
        stage.recorder.call(stage.now, self.end.host, None, Call::Listen { local });
        self.services.push((listener, service.application.clone()));
        Ok(())
    }

    /// Its address.
    pub(super) const fn address(&self) -> core::net::IpAddr {
        self.local
    }

    /// Will open this, to that address.
    pub(super) fn plan(&mut self, opening: Opening, remote: core::net::IpAddr) {
        let remote = socket(remote, opening.remote_port);
        let place = self.planned.iter().position(|other| other.opening.at > opening.at);
        let planned = Planned { opening, remote };
        match place {
            Some(place) => self.planned.insert(place, planned),
            None => self.planned.push_back(planned),
        }
    }

    /// Will say a message over UDP, or answer what comes.
    #[expect(clippy::too_many_arguments, reason = "one call site, each argument from the recipe")]
    pub(super) fn talk(
        &mut self,
        port: u16,
        remote: SocketAddr,
        message: &[u8],
        payload: usize,
        spacing: Duration,
        application: Option<Machine>,
        now: Instant,
    ) -> Result<(), RecipeError> {
        let local = socket(self.local, port);
        let bound = self.host.bind_udp(local).map_err(|error| RecipeError::Host(error.to_string()))?;
        let mut talker = Talker {
            socket: bound,
            endpoints: Endpoints { source: local, destination: remote },
            message: message.iter().copied().collect(),
            payload: payload.max(1),
            spacing,
            next_at: now,
            application,
            heard: Vec::new(),
        };
        if let Some(application) = &mut talker.application {
            application.opened(now.since(Instant::ZERO));
        }
        self.talkers.push(talker);
        Ok(())
    }

    /// What its UDP socket heard.
    pub(super) fn heard(&self) -> &[u8] {
        self.talkers.first().map_or(&[], |talker| talker.heard.as_slice())
    }

    /// Its applications: those whose connection is over first.
    pub(super) fn applications(&self) -> impl Iterator<Item = &Attached> {
        self.over.iter().chain(self.attached.values())
    }

    /// The connections that applications hold.
    pub(super) fn attached(&self) -> impl Iterator<Item = (ConnectionId, &Attached)> {
        self.attached.iter().map(|(id, attached)| (*id, attached))
    }

    pub(super) fn frame_arrives(&mut self, stage: &mut Stage, interface: usize, frame: &[u8]) {
        let id = self.host.interfaces().nth(interface).map(|(id, _)| id);
        if let Some(id) = id {
            self.host.frame_arrives(stage.now, id, frame);
        }
        self.settle(stage);
    }

    /// Time has passed: timers of the host, applications that wanted to be woken, openings.
    pub(super) fn deadline_passed(&mut self, stage: &mut Stage) {
        let now = stage.now;
        if self.host_at.is_some_and(|at| at <= now) {
            self.host.deadline_passed(now);
        }
        let elapsed = now.since(Instant::ZERO);
        for (id, attached) in &mut self.attached {
            if attached.application.poll_deadline().is_some_and(|due| due <= elapsed) {
                attached.application.deadline_passed(elapsed);
                self.awake.insert(*id);
            }
        }
        while self.planned.front().is_some_and(|planned| planned.opening.at <= elapsed) {
            let Some(planned) = self.planned.pop_front() else { break };
            self.open(stage, planned);
        }
        self.settle(stage);
    }

    /// When it wants to be called.
    pub(super) fn poll_deadline(&self) -> Option<Instant> {
        [self.host_at, self.poll_own_deadline()].into_iter().flatten().min()
    }

    /// When one of its applications, openings or talkers wants to be called.
    pub(super) fn poll_own_deadline(&self) -> Option<Instant> {
        let applications = self.attached.values().filter_map(|attached| attached.application.poll_deadline());
        let planned = self.planned.front().map(|planned| planned.opening.at);
        let first = applications.chain(planned).min().map(|due| Instant::ZERO + due);
        let talkers = self.talkers.iter().filter(|talker| !talker.message.is_empty());
        let next = talkers.map(|talker| talker.next_at).min();
        [first, next].into_iter().flatten().min()
    }

    fn open(&mut self, stage: &mut Stage, planned: Planned) {
        let local = socket(self.local, planned.opening.local_port);
        let opened = self.host.connect(stage.now, Some(local), planned.remote);
        let elapsed = stage.now.since(Instant::ZERO);
        let mut application = planned.opening.application;
        let Ok(id) = opened else {
            application.ended(elapsed, Ending::Unreachable);
            let endpoints = Endpoints { source: local, destination: planned.remote };
            self.over.push(Attached {
                application,
                endpoints,
                end: Some(TcpEnd::Unreachable),
                opened_by_us: true,
                peer_closed: false,
                released: true,
            });
            return;
        };
        let endpoints = self.endpoints(id, local, planned.remote);
        stage.recorder.call(
            stage.now,
            self.end.host,
            Some(endpoints),
            Call::Connect { remote: planned.remote },
        );
        self.attach(id, endpoints, application, true);
    }

    fn attach(&mut self, id: ConnectionId, endpoints: Endpoints, application: Machine, opened_by_us: bool) {
        let attached =
            Attached { application, endpoints, end: None, opened_by_us, peer_closed: false, released: false };
        self.attached.insert(id, attached);
        self.awake.insert(id);
    }

    fn endpoints(&self, id: ConnectionId, local: SocketAddr, remote: SocketAddr) -> Endpoints {
        self.host.endpoints(id).map_or(Endpoints { source: local, destination: remote }, |ends| Endpoints {
            source: ends.local,
            destination: ends.remote,
        })
    }

    /// Empties the host and lets the applications act, until nothing more happens.
    pub(super) fn settle(&mut self, stage: &mut Stage) {
        loop {
            self.talk_now(stage);
            self.flush(stage);
            self.take_events(stage);
            self.take_notes(stage);
            let Some(id) = self.awake.pop_first() else { break };
            self.run_application(stage, id);
        }
        self.host_at = self.host.poll_deadline().map(|deadline| deadline.at);
    }

    fn flush(&mut self, stage: &mut Stage) {
        while let Some(departure) = self.host.poll_frame(stage.now, &mut self.buffer) {
            let Some(frame) = self.buffer.get(..departure.length) else { continue };
            let (meaning, hint) = match departure.about {
                About::Tcp { reason: reason @ Reason::WindowProbe { .. }, .. } => {
                    (Meaning::Tcp(reason), Hint::Probe)
                }
                About::Tcp { reason, .. } => (Meaning::Tcp(reason), Hint::None),
                About::Udp { .. } | About::Icmp(_) | About::Fragment { .. } | About::Neighbor(_) => {
                    (Meaning::Plain, Hint::None)
                }
            };
            let interface = u8::try_from(departure.interface.index()).unwrap_or(u8::MAX);
            let from = End { host: self.end.host, interface };
            stage.depart(from, frame, meaning, Class::Frame(hint));
        }
    }

    fn take_notes(&mut self, stage: &mut Stage) {
        while let Some(note) = self.host.poll_note() {
            stage.recorder.host_note(stage.now, self.end.host, &note);
        }
    }

    fn take_events(&mut self, stage: &mut Stage) {
        while let Some(event) = self.host.poll_event() {
            match event {
                aperto_host::Event::Incoming(listener) => self.accept(stage, listener),
                aperto_host::Event::Tcp(id, event) => self.tcp_event(stage, id, event),
                aperto_host::Event::Udp(socket) => self.hear(stage, socket),
                aperto_host::Event::UdpError { .. }
                | aperto_host::Event::Echo { .. }
                | aperto_host::Event::EchoError { .. } => {}
            }
        }
    }

    fn accept(&mut self, stage: &mut Stage, listener: ListenerId) {
        let application = self.services.iter().find(|(id, _)| *id == listener).map(|(_, machine)| machine);
        let Some(application) = application.cloned() else { return };
        while let Ok(Some(id)) = self.host.accept(listener) {
            let Some(ends) = self.host.endpoints(id) else { continue };
            let endpoints = Endpoints { source: ends.local, destination: ends.remote };
            stage.recorder.call(stage.now, self.end.host, Some(endpoints), Call::Accept);
            self.attach(id, endpoints, application.clone(), false);
            if let Some(attached) = self.attached.get_mut(&id) {
                attached.application.opened(stage.now.since(Instant::ZERO));
            }
        }
    }

    fn tcp_event(&mut self, stage: &mut Stage, id: ConnectionId, event: TcpEvent) {
        let elapsed = stage.now.since(Instant::ZERO);
        let Some(attached) = self.attached.get_mut(&id) else { return };
        stage.recorder.event(stage.now, self.end.host, attached.endpoints, event);
        match event {
            TcpEvent::Established if attached.opened_by_us => attached.application.opened(elapsed),
            TcpEvent::Ended(end) => attached.end = Some(end),
            TcpEvent::Established
            | TcpEvent::Readable
            | TcpEvent::Writable
            | TcpEvent::Urgent
            | TcpEvent::PeerClosed
            | TcpEvent::DeliveryTrouble => {}
        }
        self.awake.insert(id);
    }

    /// Lets one application write, read, and end.
    fn run_application(&mut self, stage: &mut Stage, id: ConnectionId) {
        loop {
            let wrote = self.let_write(stage, id);
            let read = self.let_read(stage, id);
            if !wrote && !read {
                break;
            }
        }
        let Some(attached) = self.attached.get(&id) else { return };
        let may_go = match attached.end {
            // What had arrived before the end may still be read.
            Some(TcpEnd::Closed) => attached.peer_closed || self.host.readable(id) == 0,
            Some(_) => true,
            None => attached.released,
        };
        if may_go {
            self.let_go(stage, id);
        }
    }

    /// The connection is over, or its application is.
    fn let_go(&mut self, stage: &mut Stage, id: ConnectionId) {
        let Some(mut attached) = self.attached.remove(&id) else { return };
        if !attached.released {
            // Who is gone already need not be let go.
            let _ = self.host.release(stage.now, id);
        }
        if let Some(end) = attached.end {
            attached.application.ended(stage.now.since(Instant::ZERO), ending(end));
        }
        attached.released = true;
        self.over.push(attached);
    }

    fn let_write(&mut self, stage: &mut Stage, id: ConnectionId) -> bool {
        let (now, elapsed) = (stage.now, stage.now.since(Instant::ZERO));
        let mut acted = false;
        loop {
            let Some(attached) = self.attached.get_mut(&id) else { return acted };
            if attached.released {
                return acted;
            }
            let endpoints = attached.endpoints;
            match attached.application.poll_want(elapsed) {
                None => return acted,
                Some(Want::Write(octets)) => {
                    let taken = self.host.send(now, id, octets).unwrap_or(0);
                    let octets = octets.get(..taken).unwrap_or_default();
                    if octets.is_empty() {
                        return acted;
                    }
                    stage.recorder.sent(now, self.end.host, endpoints, octets);
                    attached.application.wrote(taken);
                }
                Some(Want::Close) => {
                    stage.recorder.call(now, self.end.host, Some(endpoints), Call::Close);
                    // Closing what has ended meanwhile is no fault of the application's.
                    let _ = self.host.close(now, id);
                }
                Some(Want::Abort) => {
                    stage.recorder.call(now, self.end.host, Some(endpoints), Call::Abort);
                    let _ = self.host.abort(now, id);
                    attached.end = attached.end.or(Some(TcpEnd::Aborted));
                }
                Some(Want::Release) => {
                    stage.recorder.call(now, self.end.host, Some(endpoints), Call::Release);
                    let _ = self.host.release(now, id);
                    attached.released = true;
                }
            }
            acted = true;
        }
    }

    fn let_read(&mut self, stage: &mut Stage, id: ConnectionId) -> bool {
        let (now, elapsed) = (stage.now, stage.now.since(Instant::ZERO));
        let mut acted = false;
        let mut buffer = Vec::new();
        loop {
            let Some(attached) = self.attached.get_mut(&id) else { return acted };
            if attached.released {
                return acted;
            }
            let appetite = attached.application.appetite(elapsed).min(READ_AT_ONCE);
            let offered = self.host.readable(id).min(appetite);
            if offered > 0 {
                buffer.resize(offered, 0);
                let read = self.host.receive(now, id, &mut buffer).unwrap_or(0);
                let octets = buffer.get(..read).unwrap_or_default();
                if octets.is_empty() {
                    return acted;
                }
                stage.recorder.delivered(now, self.end.host, attached.endpoints, octets);
                attached.application.readable(elapsed, octets);
                acted = true;
            } else {
                if !attached.peer_closed
                    && self.host.readable(id) == 0
                    && is_finished(&mut self.host, now, id)
                {
                    attached.peer_closed = true;
                    attached.application.peer_closed(elapsed);
                    acted = true;
                }
                return acted;
            }
        }
    }

    /// Sends the datagrams that are due.
    fn talk_now(&mut self, stage: &mut Stage) {
        let now = stage.now;
        for talker in &mut self.talkers {
            while !talker.message.is_empty() && talker.next_at <= now {
                let length = talker.payload.min(talker.message.len());
                let datagram: Vec<u8> = talker.message.drain(..length).collect();
                talker.next_at = now + talker.spacing;
                stage.recorder.sent_over(now, self.end.host, Protocol::Udp, talker.endpoints, &datagram);
                // A host that cannot send it says so in a note.
                let _ = self.host.send_to(now, talker.socket, &datagram, talker.endpoints.destination);
                if talker.spacing.is_zero() {
                    continue;
                }
            }
        }
    }

    /// Datagrams wait to be read.
    fn hear(&mut self, stage: &mut Stage, socket: UdpId) {
        let (now, elapsed) = (stage.now, stage.now.since(Instant::ZERO));
        let Some(talker) = self.talkers.iter_mut().find(|talker| talker.socket == socket) else { return };
        let mut buffer = vec![0; 1 << 16];
        while let Ok(Some((length, remote))) = self.host.receive_from(socket, &mut buffer) {
            let Some(datagram) = buffer.get(..length) else { continue };
            let endpoints = Endpoints { destination: remote, ..talker.endpoints };
            stage.recorder.delivered_over(now, self.end.host, Protocol::Udp, endpoints, datagram);
            talker.heard.extend_from_slice(datagram);
            let Some(application) = &mut talker.application else { continue };
            application.readable(elapsed, datagram);
            while let Some(Want::Write(answer)) = application.poll_want(elapsed) {
                let answer = answer.get(..answer.len().min(talker.payload)).unwrap_or_default().to_vec();
                application.wrote(answer.len());
                stage.recorder.sent_over(now, self.end.host, Protocol::Udp, endpoints, &answer);
                let _ = self.host.send_to(now, socket, &answer, remote);
            }
        }
    }
}

/// Whether the peer has closed and everything that it sent has been read.
fn is_finished(host: &mut Host, now: Instant, id: ConnectionId) -> bool {
    matches!(host.receive(now, id, &mut [0]), Err(CallError::Connection(ReceiveError::Finished)))
}

/// How an application hears it.
const fn ending(end: TcpEnd) -> Ending {
    match end {
        TcpEnd::Closed => Ending::Closed,
        TcpEnd::Refused => Ending::Refused,
        TcpEnd::Reset => Ending::Reset,
        TcpEnd::TimedOut => Ending::TimedOut,
        TcpEnd::Unreachable => Ending::Unreachable,
        TcpEnd::Aborted => Ending::Aborted,
    }
}
