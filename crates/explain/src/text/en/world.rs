//! What the channel, the host and the application do, in English.

use alloc::format;

use aperto_trace::{Call, ChannelEvent, ChecksumAfter, DropReason, LossCause, Origin};

use crate::quantity::{bytes, duration};
use crate::text::Datagram;
use crate::wording::cut;
use crate::{Language, Wording};

const EN: Language = Language::English;
const FLAG_COLUMNS: usize = 24;

fn by(origin: &Origin) -> alloc::string::String {
    match origin {
        Origin::Picked { flag } => format!("because you asked ({})", cut(flag, FLAG_COLUMNS)),
        Origin::Random => "by chance".into(),
    }
}

pub(crate) fn channel(event: &ChannelEvent) -> Wording {
    match event {
        ChannelEvent::Lost(cause) => lost(cause),
        ChannelEvent::Damaged { by: origin, octets, checksum } => {
            let count = octets.len();
            let noticed = match checksum {
                ChecksumAfter::Broken => "the checksum shows it",
                ChecksumAfter::Repaired => "the checksum still fits: only the app can notice",
            };
            let what = format!("{} damaged {}", bytes(count as u64), by(origin));
            Wording::one(format!("{what}; {noticed}")).or(what)
        }
        ChannelEvent::Duplicated { by: origin } => Wording::one(format!("duplicated {}", by(origin))),
        ChannelEvent::Delayed { by: origin, extra } => {
            Wording::one(format!("delayed by {} more {}", duration(EN, *extra), by(origin)))
                .or(format!("delayed by {}", duration(EN, *extra)))
        }
        ChannelEvent::Reordered { by: origin, overtaken_by: Some(number) } => {
            Wording::one(format!("overtaken by {number} {}", by(origin)))
        }
        ChannelEvent::Reordered { by: origin, overtaken_by: None } => {
            Wording::one(format!("overtaken by a later one {}", by(origin)))
        }
        ChannelEvent::Queued { wait, ahead } => {
            Wording::one(format!("waits {} behind {ahead} in the queue", duration(EN, *wait)))
        }
    }
}

fn lost(cause: &LossCause) -> Wording {
    match cause {
        LossCause::Picked { flag } => {
            Wording::one(format!("dropped because you asked ({})", cut(flag, FLAG_COLUMNS)))
                .or("dropped because you asked")
        }
        LossCause::Random => Wording::one("lost by chance, as --loss says"),
        LossCause::Burst => Wording::one("lost in a burst: the channel is in its bad state"),
        LossCause::QueueFull { packets } => {
            Wording::one(format!("dropped: the queue is full ({packets} packets)"))
        }
        LossCause::TooBig { mtu } => Wording::one(format!("dropped: larger than the MTU of {mtu} bytes")),
        LossCause::LinkDown => Wording::one("lost: the link is down"),
        LossCause::Unknown => Wording::one("lost: it was seen to leave and never to arrive"),
    }
}

pub(crate) fn not_used(reason: &DropReason) -> Wording {
    match reason {
        DropReason::Tcp(reason) => Wording::one(super::engine::dropped(reason)),
        DropReason::BadChecksum { format } => {
            Wording::one(format!("wrong {} checksum: damaged on the way", cut(format, 12)))
        }
        DropReason::Malformed { what, at } => {
            Wording::one(format!("cannot be read: {} (at byte {at})", cut(what, 40)))
                .or(format!("cannot be read at byte {at}"))
        }
        DropReason::Host { code } => Wording::one(host(code)),
    }
}

/// The host's codes; one that is not known here is told as it is.
fn host(code: &str) -> alloc::string::String {
    match code {
        "no-checksum" => "UDP over IPv6 must have a checksum".into(),
        "other-card" => "for another network card".into(),
        "unknown-ether-type" => "carries something that is not spoken here".into(),
        "not-for-us" => "for another address: a host is no router".into(),
        "invalid-source" => "nobody can have this source address".into(),
        "to-group" => "sent to a group where one host must be meant".into(),
        "port-zero" => "port 0 belongs to nobody".into(),
        "source-route" => "it names its own route, which is refused".into(),
        "refused-option" => "an unknown IPv6 option forbids going on".into(),
        "unknown-protocol" => "nobody here speaks its protocol".into(),
        "nobody-there" => "nobody has opened this port".into(),
        "no-route" => "no route leads there".into(),
        "neighbor-silent" => "no neighbour answers at that address".into(),
        "fragment-overlap" => "fragments overlap: the datagram is given up".into(),
        "fragment-of-nothing" => "fragment of a datagram that was given up".into(),
        "fragment-timeout" => "the other fragments did not come in time".into(),
        "fragment-limit" => "too many fragments at once".into(),
        "too-large" => "larger than the way allows".into(),
        "queue-full" => "too much waits already".into(),
        "accept-queue-full" => "too many connections wait to be accepted".into(),
        "half-open-gave-way" => "the oldest half-open connection gave way".into(),
        "time-wait-gave-way" => "the oldest connection in TIME_WAIT gave way".into(),
        "too-many-connections" => "there are as many connections as are allowed".into(),
        "unrelated-icmp" => "an ICMP error about nothing that was sent".into(),
        "unused-icmp" => "an ICMP message for nobody here".into(),
        "rate-limited" => "no ICMP error: enough were sent a moment ago".into(),
        "unused-neighbor" => "an ARP or ND message for others".into(),
        "other-remote" => "not from the one the socket is connected with".into(),
        "seal-malformed" => "not a sealed datagram: damaged or forged".into(),
        "seal-version" => "sealed by another version".into(),
        "seal-unknown-session" => "sealed under keys that are not there: damaged, forged or too late".into(),
        "seal-tag" => "damaged or forged: the tag does not fit".into(),
        "seal-replayed" => "sealed, but it was taken before: a copy".into(),
        "seal-too-old" => "sealed, but too late to tell from a copy".into(),
        "seal-own-key" => "the other one shows our own key: reflected".into(),
        "seal-other-key" => "the other one shows another key than it must".into(),
        "seal-too-many" => "too many handshakes at once".into(),
        other => cut(other, 40),
    }
}

pub(crate) fn call(call: &Call) -> Wording {
    match call {
        Call::Listen { local } => Wording::one(format!("app listens on {local} (passive open)")),
        Call::Connect { remote } => Wording::one(format!("app connects to {remote} (active open)")),
        Call::Accept => Wording::one("app takes the connection (accept)"),
        Call::Send { length, .. } => Wording::one(format!("app writes {}", bytes(u64::from(*length)))),
        Call::Close => Wording::one("app closes: it will write no more"),
        Call::Release => Wording::one("app is gone"),
        Call::Abort => Wording::one("app aborts the connection"),
    }
}

pub(crate) fn datagram(says: Datagram) -> Wording {
    match says {
        Datagram::Lost => Wording::one("nobody will resend it: UDP keeps no copy and expects no answer"),
        Datagram::AfterLoss { missing } => {
            Wording::one(format!("delivered at once; UDP does not know that {missing} is missing"))
        }
    }
}
