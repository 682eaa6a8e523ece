//! What the channel did, in the trace's words.

use aperto_sim::channel::picks::Pick;
use aperto_sim::channel::{Because, Damage, Fate, Loss};
use aperto_time::Instant;
use aperto_trace::{ChannelEvent, ChecksumAfter, LossCause, Number, Origin, Recorder};

/// Writes it down.
pub(crate) fn record(recorder: &mut Recorder, now: Instant, number: Number, fate: &Fate) {
    match fate {
        Fate::Lost(loss) => recorder.channel(now, number, 0, ChannelEvent::Lost(cause(loss))),
        Fate::Damaged { damage, octets, because } => {
            let checksum = match damage {
                Damage::Detectable { .. } => ChecksumAfter::Broken,
                Damage::Repaired { .. } => ChecksumAfter::Repaired,
            };
            let event = ChannelEvent::Damaged { by: origin(because), octets: octets.clone(), checksum };
            recorder.channel(now, number, 0, event);
        }
        Fate::Duplicated { copies, because } => {
            for copy in 1..=*copies {
                recorder.channel(now, number, copy, ChannelEvent::Duplicated { by: origin(because) });
            }
        }
        Fate::Delayed { by, because } => {
            recorder.channel(now, number, 0, ChannelEvent::Delayed { by: origin(because), extra: *by });
        }
    }
}

fn flag(pick: &Pick) -> String {
    format!("{} {pick}", pick.action.flag())
}

fn origin(because: &Because) -> Origin {
    match because {
        Because::Picked(pick) => Origin::Picked { flag: flag(pick) },
        Because::Chance => Origin::Random,
    }
}

fn cause(loss: &Loss) -> LossCause {
    match loss {
        Loss::Picked(pick) => LossCause::Picked { flag: flag(pick) },
        Loss::Chance => LossCause::Random,
        Loss::Burst => LossCause::Burst,
        Loss::QueueFull { frames } => {
            LossCause::QueueFull { packets: u32::try_from(*frames).unwrap_or(u32::MAX) }
        }
        Loss::TooLong { mtu, .. } => LossCause::TooBig { mtu: u32::try_from(*mtu).unwrap_or(u32::MAX) },
        Loss::LinkDown => LossCause::LinkDown,
    }
}
