//! From what `aperto-host` says to records.
//!
//! Left out, because they are told otherwise: what arrived (the driver says so, with the frame), and
//! connections that were opened for a peer or forgotten (the flow and the moves of its state).

use alloc::string::ToString;

use aperto_host::{About, Departure, DropReason as HostDrop, Event, Host, Note};
use aperto_tcp::State;
use aperto_tcp::diagram::Cause;
use aperto_time::Instant;
use aperto_wire::error::Format;

use super::{Meaning, Recorder};
use crate::packet::Endpoints;
use crate::record::{DropReason, HostId, Number, Vantage};

impl From<aperto_host::Endpoints> for Endpoints {
    /// As packets that the host sends have them: its own as source.
    fn from(endpoints: aperto_host::Endpoints) -> Self {
        Self { source: endpoints.local, destination: endpoints.remote }
    }
}

impl Recorder {
    /// A frame of `aperto-host` leaves.
    pub fn departure(&mut self, now: Instant, host: HostId, departure: &Departure, frame: &[u8]) -> Number {
        let meaning = match departure.about {
            About::Tcp { reason, .. } => Meaning::Tcp(reason),
            About::Udp { .. } | About::Icmp(_) | About::Fragment { .. } | About::Neighbor(_) => {
                Meaning::Plain
            }
        };
        self.left(now, at(host, departure.interface), frame, meaning)
    }

    /// `aperto-host` notes something.
    pub fn host_note(&mut self, now: Instant, host: HostId, note: &Note) {
        match *note {
            Note::Tcp { endpoints, note, .. } => self.note(now, host, endpoints.into(), note),
            Note::Dropped { interface, reason } => {
                let vantage = interface.map_or(Vantage::host(host), |interface| at(host, interface));
                self.dropped(now, vantage, drop_reason(reason));
            }
            // The connection began to be watched after it had moved.
            Note::Opened { endpoints, listener: None, .. } => {
                let (from, to, cause) = (State::Closed, State::SynSent, Cause::ActiveOpen);
                self.note(now, host, endpoints.into(), aperto_tcp::Note::State { from, to, cause });
            }
            Note::TcpArrived { .. }
            | Note::UdpArrived { .. }
            | Note::IcmpArrived(_)
            | Note::Opened { .. }
            | Note::Queued { .. }
            | Note::Accepted { .. }
            | Note::Forgotten { .. }
            | Note::PathMtu { .. }
            | Note::NeighborFound { .. }
            | Note::Lost { .. } => {}
        }
    }

    /// `aperto-host` tells its applications something.
    pub fn host_event(&mut self, now: Instant, id: HostId, host: &Host, event: &Event) {
        match *event {
            Event::Tcp(connection, event) => {
                if let Some(endpoints) = host.endpoints(connection) {
                    self.event(now, id, endpoints.into(), event);
                }
            }
            Event::Echo { identifier, sequence, .. } => self.echo_replied(now, id, identifier, sequence),
            Event::Incoming(_) | Event::Udp(_) | Event::UdpError { .. } | Event::EchoError { .. } => {}
        }
    }
}

fn at(host: HostId, interface: aperto_host::InterfaceId) -> Vantage {
    Vantage::Host { host, interface: u8::try_from(interface.index()).unwrap_or(u8::MAX) }
}

/// A host's reason as a trace keeps it.
fn drop_reason(reason: HostDrop) -> DropReason {
    let code = match reason {
        HostDrop::Tcp(reason) => return DropReason::Tcp(reason),
        HostDrop::BadChecksum(format) => {
            return DropReason::BadChecksum { format: format_name(format).to_string() };
        }
        HostDrop::Malformed(error) => {
            let at = u32::try_from(error.at).unwrap_or(u32::MAX);
            return DropReason::Malformed { what: error.to_string(), at };
        }
        HostDrop::NoChecksum => "no-checksum",
        HostDrop::OtherCard => "other-card",
        HostDrop::UnknownEtherType(_) => "unknown-ether-type",
        HostDrop::NotForUs(_) => "not-for-us",
        HostDrop::InvalidSource(_) => "invalid-source",
        HostDrop::ToGroup(_) => "to-group",
        HostDrop::PortZero => "port-zero",
        HostDrop::SourceRoute => "source-route",
        HostDrop::RefusedOption => "refused-option",
        HostDrop::UnknownProtocol(_) => "unknown-protocol",
        HostDrop::NobodyThere(_) => "nobody-there",
        HostDrop::NoRoute(_) => "no-route",
        HostDrop::NeighborSilent(_) => "neighbor-silent",
        HostDrop::FragmentOverlap => "fragment-overlap",
        HostDrop::FragmentOfNothing => "fragment-of-nothing",
        HostDrop::FragmentTimeout => "fragment-timeout",
        HostDrop::FragmentLimit => "fragment-limit",
        HostDrop::TooLarge => "too-large",
        HostDrop::QueueFull => "queue-full",
        HostDrop::AcceptQueueFull(_) => "accept-queue-full",
        HostDrop::HalfOpenGaveWay => "half-open-gave-way",
        HostDrop::TimeWaitGaveWay => "time-wait-gave-way",
        HostDrop::TooManyConnections => "too-many-connections",
        HostDrop::UnrelatedIcmp => "unrelated-icmp",
        HostDrop::UnusedIcmp => "unused-icmp",
        HostDrop::RateLimited => "rate-limited",
        HostDrop::UnusedNeighbor => "unused-neighbor",
        HostDrop::OtherRemote(_) => "other-remote",
        // The host may learn more reasons before they are told apart here.
        _ => "other",
    };
    DropReason::Host { code: code.to_string() }
}

const fn format_name(format: Format) -> &'static str {
    match format {
        Format::Ethernet => "ethernet",
        Format::Arp => "arp",
        Format::Ipv4 => "ipv4",
        Format::Ipv6 => "ipv6",
        Format::Icmpv4 => "icmp",
        Format::Icmpv6 => "icmpv6",
        Format::Ndp => "ndp",
        Format::Udp => "udp",
        Format::Tcp => "tcp",
        _ => "other",
    }
}

#[cfg(test)]
mod tests;
