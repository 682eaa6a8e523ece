//! The lines below a packet: why it left, what the channel did, why it was not used.

use aperto_arq::Reason as ArqReason;
use aperto_tcp::Reason;
use aperto_trace::{ChannelEvent, DropReason, Origin, Packet};

use super::{Aside, Calls, View};
use crate::context::Context;
use crate::text::{self, ArqContext, Word, rules};
use crate::{Rule, Wording};

/// Of a comment in a capture, so many columns are shown.
const LONGEST_COMMENT: usize = 200;

/// Why a segment left.
pub(super) fn why(reason: &Reason, context: &Context, view: &View) -> Aside {
    Aside {
        about: Word::Why,
        says: text::short(view.language, reason, context),
        rule: Some(rules::of(reason, context)),
        congestion: None,
    }
}

/// What a segment carries, where its octets say so by themselves.
pub(super) fn carried(packet: &Packet, view: &View) -> Option<Aside> {
    let says = crate::carried::carried(packet, view.language)?;
    Some(Aside { about: Word::Carries, says: Wording::one(says), rule: None, congestion: None })
}

/// What somebody wrote beside the packet in a capture, where there is no reason: the state change, which
/// our own comments begin with, stands in its column anyway.
pub(super) fn comment(packet: &Packet) -> Option<Aside> {
    let text = packet.comment.as_deref()?.lines().next()?;
    let says = crate::wording::cut(
        text.split(" | ").find(|part| !part.contains('→')).unwrap_or(text),
        LONGEST_COMMENT,
    );
    Some(Aside { about: Word::Why, says: Wording::one(says), rule: None, congestion: None })
}

/// What the channel did, where that is worth a line: luck that only delays is not.
pub(super) fn channel(event: &ChannelEvent, view: &View) -> Option<Aside> {
    let tell = match event {
        ChannelEvent::Lost(_)
        | ChannelEvent::Damaged { .. }
        | ChannelEvent::Duplicated { .. }
        | ChannelEvent::Reordered { .. }
        | ChannelEvent::Delayed { by: Origin::Picked { .. }, .. } => true,
        ChannelEvent::Delayed { by: Origin::Random, .. } | ChannelEvent::Queued { .. } => false,
    };
    tell.then(|| Aside {
        about: Word::Channel,
        says: text::channel(view.language, event),
        rule: None,
        congestion: None,
    })
}

/// Why a packet was not used.
pub(super) fn not_used(reason: &DropReason, view: &View) -> Aside {
    let rule = match reason {
        DropReason::Tcp(reason) => rules::of_drop(reason),
        DropReason::BadChecksum { .. } | DropReason::Malformed { .. } | DropReason::Host { .. } => None,
    };
    Aside { about: Word::IgnoredBecause, says: text::not_used(view.language, reason), rule, congestion: None }
}

/// Why a packet of a textbook protocol left, where that is worth a line: what is new and in order, and
/// what the row of a timer has announced, is not.
pub(super) fn textbook(reason: &ArqReason, context: &ArqContext, view: &View) -> Option<Aside> {
    let tell = match reason {
        ArqReason::FirstTransmission { .. }
        | ArqReason::TimerExpired { .. }
        | ArqReason::WentBackOnTimer { .. }
        | ArqReason::Delivered => view.calls == Calls::Shown,
        ArqReason::AskedForAgain
        | ArqReason::WentBackOnNack { .. }
        | ArqReason::Buffered { .. }
        | ArqReason::AlreadyDelivered { .. }
        | ArqReason::RepeatsLastInOrder { .. }
        | ArqReason::GroupComplete { .. }
        | ArqReason::Missing { .. }
        | ArqReason::Damaged => true,
    };
    tell.then(|| Aside {
        about: Word::Why,
        says: text::arq_reason(view.language, reason, context),
        rule: context.protocol.map(rules::of_protocol),
        congestion: None,
    })
}

/// Why a textbook protocol threw a packet away.
pub(super) fn discarded(what: &aperto_arq::Discard, context: &ArqContext, view: &View) -> Aside {
    Aside {
        about: Word::Why,
        says: text::arq_discard(view.language, what, context),
        rule: context.protocol.map(rules::of_protocol),
        congestion: None,
    }
}

/// What there is to say about a datagram.
pub(super) fn datagram(says: text::Datagram, view: &View) -> Aside {
    Aside {
        about: Word::Why,
        says: text::datagram(view.language, says),
        rule: Some(Rule::Rfc(768, "")),
        congestion: None,
    }
}
