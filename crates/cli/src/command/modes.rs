//! `--proto saw|gbn|sr` on a real wire: sessions of the textbook protocols over UDP.
//!
//! The session, HELLO and all, is a machine of `aperto-app`; the channel, the recording and the
//! screen stand between it and the socket (`live/line.rs`). Here is what drives them: a server with
//! many peers (`modes/server.rs`) and a client with one (`modes/client.rs`).

pub(crate) mod client;
mod sealed;
pub(crate) mod server;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use aperto_app::session::{Datagram, Settings, What};
use aperto_arq::Observe;
use aperto_explain::program::Fault;
use aperto_explain::program::modes::{Broke, ModeSaying};
use aperto_explain::program::saying::Saying;
use aperto_secure::Fingerprint;
use aperto_sim::channel::{Direction, Framing, Impairments, Settings as ChannelSettings};
use aperto_time::Instant;
use aperto_tokio::{Datagrams, clock};
use aperto_trace::HostId;

use crate::arguments::read::Live;
use crate::live::line::Line;
use crate::live::net::{self, End};
use crate::live::printer::Printer;
use crate::live::scribe::{Scribe, SharedScribe, keep_telling};
use crate::live::spoil::{Spoiler, Wishes};
use crate::looks::{Looks, View};
use crate::record::Recording;

/// The largest datagram over IPv4.
const LARGEST: usize = 65_507;
/// What fits into a packet on Ethernet; for a recording's header only.
const MTU: u32 = 1_500;

/// A socket and what stands between it and the sessions.
struct Post<'a> {
    socket: Datagrams,
    line: Line,
    scribe: Option<SharedScribe>,
    wishes: Wishes,
    /// DATA packets that left for a peer, and how many of them had left before.
    counts: BTreeMap<SocketAddr, (u64, u64)>,
    local: SocketAddr,
    /// A server that seals: its key.
    key: Option<Fingerprint>,
    looks: &'a Looks,
    printer: &'a Printer,
}

impl<'a> Post<'a> {
    /// Puts it all together around a socket.
    fn around(
        socket: Datagrams,
        live: &Live,
        end: End,
        looks: &'a Looks,
        printer: &'a Printer,
    ) -> Result<Self, Fault> {
        let local = socket.local_addr().map_err(|error| Fault::System { what: error.to_string() })?;
        let perfect = Impairments::only_delay(Duration::ZERO);
        let (up, down) = live.channel.impairments((perfect.clone(), perfect));
        let header = net::header_of(live, end, vec![local.ip()], MTU, &up, &down);
        let watched = looks.live_view() != View::Nothing || live.record.file.is_some();
        let scribe = if watched {
            let file = live.record.file.as_deref();
            let recording = file.map(|file| Recording::create(file, &header, looks.language)).transpose()?;
            let scribe = SharedScribe::new(Scribe::new(header, HostId(0), looks, printer.clone(), recording));
            tokio::spawn(keep_telling(scribe.clone()));
            Some(scribe)
        } else {
            None
        };
        let settings = ChannelSettings {
            seed: live.channel.seed,
            framing: Framing::Textbook,
            up,
            down,
            picks: live.channel.picks.clone(),
        };
        let out = if matches!(end, End::Client { .. }) { Direction::Up } else { Direction::Down };
        let wishes = Wishes::default();
        let spoiler = Spoiler::new(settings, out, wishes.clone(), scribe.clone());
        let mut line = Line::new(local, spoiler, scribe.clone());
        let mut key = None;
        if live.secure.is_some() {
            let (sealing, servers) = sealed::sealing(live, end)?;
            line.seal_with(sealing);
            key = servers;
        }
        Ok(Self { socket, line, scribe, wishes, counts: BTreeMap::new(), local, key, looks, printer })
    }

    /// Whether machines take notes.
    const fn observe(&self) -> Observe {
        if self.scribe.is_some() { Observe::Yes } else { Observe::No }
    }

    /// Sends what the channel let through. A peer that is gone is found out by silence.
    async fn send(&self, octets: &[u8], peer: SocketAddr) -> std::io::Result<()> {
        self.socket.send_to(octets, peer).await
    }

    fn noted(&self, now: Instant, peer: SocketAddr, note: aperto_arq::Note) {
        if let Some(scribe) = &self.scribe {
            scribe.lock().arq_noted(now, self.line.endpoints(peer), note);
        }
    }

    fn message(&self, now: Instant, peer: SocketAddr, sent: bool, octets: &[u8]) {
        if let Some(scribe) = &self.scribe {
            scribe.lock().message(now, self.line.endpoints(peer), sent, octets);
        }
    }

    /// Says something, after all that was seen before.
    fn say(&self, saying: ModeSaying) {
        self.say_any(&Saying::Mode(saying));
    }

    fn say_any(&self, saying: &Saying) {
        if self.looks.quiet || self.looks.live_view() != View::Lines {
            return;
        }
        if let Some(scribe) = &self.scribe {
            scribe.lock().tell();
        }
        for line in saying.lines(self.looks.language) {
            self.printer.line(line);
        }
    }

    /// What the seal did, once all is over.
    fn say_totals(&self) {
        if let Some(totals) = sealed::totals(self.line.sealing()) {
            self.say_any(&Saying::Seal(totals));
        }
    }

    /// A datagram leaves its session.
    fn leaves(&mut self, now: Instant, peer: SocketAddr, datagram: &Datagram) {
        if let What::Packet(outgoing) = &datagram.what
            && outgoing.ordinal.is_some()
        {
            let (all, again) = self.counts.entry(peer).or_default();
            *all += 1;
            *again += u64::from(outgoing.reason.is_retransmission());
        }
        self.line.leaves(now, peer, datagram);
    }

    /// The end of a session, told with its DATA packets that left and those of them sent again.
    fn say_closed(&mut self, label: String, peer: SocketAddr) {
        let (packets, resent) = self.counts.remove(&peer).unwrap_or_default();
        self.say(ModeSaying::Closed { label, packets, resent });
    }
}

/// A text for a message's line: the message itself, where it can be shown.
fn quoted(octets: &[u8]) -> String {
    match aperto_explain::context::printable(octets) {
        Some(text) => format!(": {}", aperto_explain::wording::cut(text, 40)),
        None => String::new(),
    }
}

/// Waits until an instant of ours; for ever, if there is none.
async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep(at.since(clock::now())).await,
        None => std::future::pending().await,
    }
}

/// The patience of a session where `--timeout` says how long nobody may take.
fn settings(live: &Live) -> Settings {
    let mut settings = Settings::default();
    if let Some(after) = live.timeout {
        settings.idle = settings.idle.min(after);
    }
    settings
}

/// How an ending is told that is no close.
const fn broke(ending: aperto_app::session::Ending) -> Broke {
    use aperto_app::session::Ending;
    match ending {
        Ending::Reset => Broke::Reset,
        Ending::Broken | Ending::Foreign | Ending::Refused(_) => Broke::Terms,
        Ending::Aborted => Broke::Aborted,
        Ending::Silent | Ending::NoAnswer | Ending::FinUnanswered | Ending::Closed => Broke::Silent,
    }
}

/// The address that an error is about, as the system knows it.
const fn is_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback(),
        IpAddr::V6(address) => address.is_loopback(),
    }
}
