//! Why a segment leaves, in two or three sentences, in English.

use alloc::format;
use alloc::string::{String, ToString};

use aperto_tcp::{AckCause, ChallengeCause, DataCause, ResetCause, RetransmissionCause};
use aperto_tcp::{Reason, State};
use aperto_time::Duration;

use crate::context::Context;
use crate::{Language, quantity};

fn time(duration: Duration) -> String {
    quantity::duration(Language::English, duration)
}

pub(crate) fn long(reason: &Reason, context: &Context) -> String {
    match reason {
        Reason::ActiveOpen => "The application asked to connect. The SYN carries the initial sequence number: \
            the place from which this side will count its bytes. It takes one number itself, so that it can be \
            acknowledged."
            .to_string(),
        Reason::PassiveOpen { irs } => format!(
            "A SYN reached a port on which an application listens. The answer does two things at once: it \
             acknowledges the other side's SYN, which used number {}, and carries a SYN of its own, because each \
             direction counts its own bytes.",
            context.numbers.other(*irs)
        ),
        Reason::SimultaneousOpen { .. } => "Both sides sent a SYN before either had seen the other's. Neither is \
            server nor client: each acknowledges the SYN of the other, and the result is one connection, not two."
            .to_string(),
        Reason::HandshakeAck { irs } => {
            let (used, next) = (context.numbers.other(*irs), context.numbers.other(*irs + 1));
            format!(
                "The third segment confirms the other side's SYN: {used} + 1 = {next}. Only now does the other \
                 side know that its own segments arrive here, and that the first SYN was not an old copy."
            )
        }
        Reason::Data { because, acknowledges, .. } => data(because, *acknowledges),
        Reason::Fin { peer_closed_first, .. } => if *peer_closed_first {
            "This side closes too. TCP has two directions, and each is closed by its own FIN: the first one only \
             said that the other side had nothing more to send."
        } else {
            "The application closed, so this side has no more bytes to send. The FIN takes one sequence number, so \
             that it can be acknowledged and sent again like data. The other direction stays open."
        }
        .to_string(),
        Reason::Retransmission { because, .. } => retransmission(because),
        Reason::Ack(cause) => ack(cause, context),
        Reason::WindowProbe { next, .. } => format!(
            "The other side's window is 0: it has no room. When it has room again it says so in an ACK, but that \
             ACK could be lost, and both would wait for ever. So this side probes from time to time; the next \
             probe follows in {}.",
            time(*next)
        ),
        Reason::KeepAlive { idle, .. } => format!(
            "Nothing was heard for {}. The probe has a sequence number that was acknowledged long ago; whoever is \
             there must answer with an ACK. Without any answer the connection is given up.",
            time(*idle)
        ),
        Reason::Reset(cause) => reset(cause),
    }
}

fn data(because: &DataCause, acknowledges: u32) -> String {
    match because {
        DataCause::Written if acknowledges > 0 => "Every segment has room for an acknowledgment. Since there was \
            data to send, the ACK travels with it and no segment of its own is needed: that is what delaying ACKs \
            is good for.",
        DataCause::Written => "The application wrote, and nothing held it back: the other side's window has room, \
            the congestion window has room, and Nagle does not wait. TCP numbers bytes, not messages or letters.",
        DataCause::CongestionWindowOpened { .. } => "The data had been waiting: the congestion window limits how \
            many bytes may be on their way at once. An ACK said that some have left the network, and made room.",
        DataCause::WindowOpened { .. } => "The data had been waiting for the other side: its window is the room \
            that its application leaves in the receive buffer. The window has grown, so data may go again. That \
            is flow control.",
        DataCause::NagleReleased => "Nagle's algorithm lets only one small segment be on its way. Everything \
            before this one has been acknowledged now, so it may go. Together with a delayed ACK at the other \
            side, that wait can be long.",
        DataCause::Filled => "A small segment had been held back, in the hope that the application would write \
            more. It has: now there is enough for a full segment.",
        DataCause::OverrideTimeout => "A small segment was held back to avoid sending crumbs (silly window). No \
            more data and no more room came, and a timer sees to it that the data does not wait for ever.",
        DataCause::LimitedTransmit { .. } => "One or two duplicate ACKs may mean a loss or only a change of \
            order. Each of them says that a segment has left the network, so one new segment may enter. That \
            keeps ACKs coming, and brings the third duplicate sooner.",
        DataCause::Recovery { .. } => "A loss is being repaired. Meanwhile as many segments may enter the network \
            as have left it: pipe estimates how many bytes are still on their way, and there was room below cwnd.",
    }
    .to_string()
}

fn retransmission(because: &RetransmissionCause) -> String {
    match because {
        RetransmissionCause::Timeout { rto, next_rto, attempt, .. } => format!(
            "No ACK came for {}, the retransmission timeout (attempt {attempt}). The timeout is {} from now on, \
             because impatience would make congestion worse. The congestion window falls to one segment: loss is \
             read as congestion.",
            time(*rto),
            time(*next_rto)
        ),
        RetransmissionCause::AfterTimeout { .. } => "The timer had found the first of several losses. What was sent \
            before it is counted as lost too, and is sent again as the congestion window grows: slow start."
            .to_string(),
        RetransmissionCause::FastRetransmit { .. } => "Each duplicate ACK says: something arrived, but not what I \
            am waiting for. Three of them are taken for a loss, because a mere change of order rarely goes that \
            far. The missing segment is sent again at once, long before the timer."
            .to_string(),
        RetransmissionCause::SackHole { .. } => "With SACK the other side lists what it has received beyond the \
            hole, so this side sees each hole and can fill several of them within one round trip."
            .to_string(),
        RetransmissionCause::PartialAck { .. } => "The ACK covers the segment that was sent again, but not \
            everything sent before the loss was noticed: so the next segment was lost too. It is sent again \
            without waiting for three more duplicates."
            .to_string(),
        RetransmissionCause::PathTooNarrow { .. } => "A router on the way could not pass the packet on: it is \
            larger than its next link carries, and may not be divided. What was out is sent again in smaller \
            segments; that is no sign of congestion."
            .to_string(),
        RetransmissionCause::SynAgain => "Whoever sends its SYN again has not received our SYN,ACK. It is sent \
            again at once, without waiting for our own timer."
            .to_string(),
    }
}

fn ack(cause: &AckCause, context: &Context) -> String {
    match cause {
        AckCause::SecondSegment { .. } => "An ACK may wait a little for data to travel with, but at least every \
            second full segment must be acknowledged. ACKs are what makes the sender's window move."
            .to_string(),
        AckCause::Delayed { waited, .. } => format!(
            "delayed ACK: it waited {} for data to travel with and none came. At most 500 ms, and at least every \
             second full segment",
            time(*waited)
        ),
        AckCause::NotDelayed { .. } => "Delayed ACKs are switched off here, so every segment with data is \
            acknowledged at once: more segments, and a sender that knows sooner."
            .to_string(),
        AckCause::OutOfOrder { expected, arrived } => format!(
            "A segment with seq {} arrived while byte {} is still missing. The ACK can only say what has arrived \
             in order, so it repeats itself, and at once: the sender counts these duplicates.",
            context.numbers.other(*arrived),
            context.numbers.other(*expected)
        ),
        AckCause::HoleFilled { .. } => "The missing piece arrived. What had been kept beyond the hole counts at \
            once, so a single ACK jumps forward over all of it."
            .to_string(),
        AckCause::Duplicate { .. } => "Everything in the segment had been received before: perhaps our ACK was \
            lost. Silence would make the other side resend for ever, so it is told again what is expected next."
            .to_string(),
        AckCause::Unacceptable { .. } => "No part of the segment lies in the receive window, so nothing of it is \
            used. It is answered with an ACK that says which byte is expected, so that both sides agree again."
            .to_string(),
        AckCause::OldTimestamp { .. } => "The timestamp is older than the last one seen, so this is an old copy, \
            even though its sequence number would fit: in a fast connection the numbers come round again."
            .to_string(),
        AckCause::AckOfUnsent { .. } => "The segment acknowledges bytes that this side has never sent. It is not \
            used; the answer says where this side really is."
            .to_string(),
        AckCause::FinArrived { half_closed: true } => "The other side has closed its direction. The FIN took one \
            number, so the ACK is one higher. This side may go on sending as long as it likes: the connection is \
            half-closed."
            .to_string(),
        AckCause::FinArrived { half_closed: false } => match context.state {
            Some(State::Closing | State::FinWait1) => "Both sides sent a FIN before either had seen the other's. \
                Each acknowledges the other's, and both end in TIME_WAIT."
                .to_string(),
            _ => "This is the last segment. If it is lost, the other side sends its FIN again, and somebody must \
                be there to answer: that is why this side stays in TIME_WAIT for twice the maximum segment \
                lifetime (2×MSL)."
                .to_string(),
        },
        AckCause::WindowUpdate { .. } => "The application has read, so the receive buffer has room again. The window \
            is told only when it has grown enough: at least a full segment or half the buffer, never crumb by crumb."
            .to_string(),
        AckCause::Challenge(cause) => challenge(cause),
        AckCause::ProbeAnswered => "A probe asks whether anybody is there and whether there is room. The answer is \
            an ordinary ACK: it shows the next byte expected and the window of this moment."
            .to_string(),
    }
}

fn challenge(cause: &ChallengeCause) -> String {
    match cause {
        ChallengeCause::Reset { .. } => "A stranger could guess a number inside the window and kill the connection \
            with a forged RST. Only a RST at exactly the next expected byte counts; this one is challenged: if it \
            is true, the other side answers the ACK with a RST that fits.",
        ChallengeCause::Syn => "A SYN on an open connection is either an old copy, a forgery, or the other side has \
            restarted and forgotten the connection. The ACK makes the difference: whoever has forgotten answers it \
            with a RST.",
        ChallengeCause::OldAck { .. } => "The acknowledgment is older than anything that could still be on its way. \
            Whoever injects data blindly has to guess that number too; the ACK tells an honest peer where we are.",
    }
    .to_string()
}

fn reset(cause: &ResetCause) -> String {
    match cause {
        ResetCause::NoConnection => {
            "Nobody listens on this port and no such connection exists. The RST says so at \
            once; the other side's application gets \"connection refused\" or \"connection reset\"."
        }
        ResetCause::UnacceptableAck { .. } => {
            "The segment acknowledges something that was never sent here, before \
            the connection is open: it must belong to an older connection. The RST ends that one."
        }
        ResetCause::Abort => {
            "The application aborted instead of closing. Data not yet sent is thrown away, and the \
            other side is told with a RST; nobody waits for anything."
        }
        ResetCause::UnreadData { .. } => {
            "The application is gone while data for it was, or still is, arriving. A FIN \
            would claim that all is well; the RST tells the other side honestly that its data was not read."
        }
        ResetCause::GaveUp => {
            "The other side did not answer for longer than the application is willing to wait. \
            The RST is for the case that it is there after all."
        }
    }
    .to_string()
}
