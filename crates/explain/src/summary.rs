//! Counts: what a footer says, and all that `--view none` shows.

use aperto_arq::Kind;
use aperto_tcp::{End, Event, Reason, RetransmissionCause};
use aperto_time::{Duration, Instant};
use aperto_trace::{ChannelEvent, Direction, Fact, Flow, FlowId, Record, Trace, Transport};

/// What happened, in numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// Packets that left, or that arrived from a stranger: the rows of a ladder.
    pub packets: u64,
    /// Those with payload, from the client.
    pub data_packets: u64,
    /// Those that the channel lost.
    pub lost: u64,
    /// Those that were damaged on the way.
    pub damaged: u64,
    /// Retransmissions of any kind.
    pub resent: u64,
    /// Retransmissions because a timer fired.
    pub resent_by_timer: u64,
    /// Retransmissions because of duplicate ACKs, SACK or a NACK.
    pub resent_by_acks: u64,
    /// Octets that reached an application.
    pub delivered_octets: u64,
    /// Octets that the client's application was to get across, each counted once.
    pub sent_octets: u64,
    /// Octets that the server's application was to get across, each counted once.
    pub sent_down_octets: u64,
    /// Datagrams, or packets of a textbook protocol, whose payload reached an application.
    pub delivered_packets: u64,
    /// Acknowledgments without data.
    pub acknowledgments: u64,
    /// When the last packet arrived or left, counted from the first.
    pub lasted: Duration,
    /// How the connection ended, where it did: as the client heard it.
    pub ended: Option<End>,
    first: Option<Instant>,
}

impl Summary {
    /// Of a whole trace, or of one flow of it.
    #[must_use]
    pub fn of(trace: &Trace, flow: Option<FlowId>) -> Self {
        let mut summary = Self::default();
        for record in trace.records() {
            if flow.is_none() || record.flow == flow {
                let of = record.flow.and_then(|id| trace.flow(id));
                summary.count(record, of);
            }
        }
        summary
    }

    /// Takes a record into account.
    pub fn count(&mut self, record: &Record, flow: Option<&Flow>) {
        match &record.fact {
            Fact::Left(packet) => {
                self.packets += 1;
                self.time(record.at);
                let direction = flow.and_then(|flow| flow.direction(packet.endpoints));
                self.leaves(&packet.transport, packet.payload_length, direction);
            }
            Fact::Arrived { packet, .. } => {
                self.time(record.at);
                if let Some(packet) = packet
                    && !matches!(packet.transport, Transport::Other { .. })
                    && flow.is_some_and(|flow| {
                        flow.direction(packet.endpoints).is_some_and(|way| flow.sender(way).is_none())
                    })
                {
                    self.packets += 1;
                }
            }
            Fact::Channel { what, .. } => match what {
                ChannelEvent::Lost(_) => self.lost += 1,
                ChannelEvent::Damaged { .. } => self.damaged += 1,
                ChannelEvent::Duplicated { .. }
                | ChannelEvent::Delayed { .. }
                | ChannelEvent::Reordered { .. }
                | ChannelEvent::Queued { .. } => {}
            },
            Fact::Delivered { length, .. } => {
                self.delivered_octets += u64::from(*length);
                self.delivered_packets += 1;
            }
            Fact::Event(Event::Ended(end)) => {
                self.ended.get_or_insert(*end);
            }
            _ => {}
        }
    }

    fn leaves(&mut self, transport: &Transport, payload: u32, direction: Option<Direction>) {
        let from_client = direction == Some(Direction::Up);
        let mut first_time = true;
        match transport {
            Transport::Tcp(segment) => {
                first_time = segment.of.is_none();
                if let Some(Reason::Retransmission { because, .. }) = segment.reason {
                    first_time = false;
                    match because {
                        RetransmissionCause::Timeout { .. } | RetransmissionCause::AfterTimeout { .. } => {
                            self.resent_by_timer += 1;
                        }
                        RetransmissionCause::FastRetransmit { .. }
                        | RetransmissionCause::SackHole { .. }
                        | RetransmissionCause::PartialAck { .. } => self.resent_by_acks += 1,
                        RetransmissionCause::SynAgain | RetransmissionCause::PathTooNarrow { .. } => {}
                    }
                }
                if payload == 0 && segment.header.control.sequence_length() == 0 {
                    self.acknowledgments += 1;
                }
            }
            Transport::Arq(packet) => {
                use aperto_arq::Reason as R;
                first_time = packet.of.is_none();
                match packet.reason {
                    Some(R::TimerExpired { .. } | R::WentBackOnTimer { .. }) => self.resent_by_timer += 1,
                    Some(R::AskedForAgain | R::WentBackOnNack { .. }) => self.resent_by_acks += 1,
                    _ => {}
                }
                if packet.kind != Kind::Data {
                    self.acknowledgments += 1;
                }
            }
            _ => {}
        }
        if from_client && payload > 0 {
            self.data_packets += 1;
            if first_time {
                self.sent_octets += u64::from(payload);
            }
        }
        if direction == Some(Direction::Down) && first_time {
            self.sent_down_octets += u64::from(payload);
        }
        if !first_time {
            self.resent += 1;
        }
    }

    fn time(&mut self, at: Instant) {
        let first = *self.first.get_or_insert(at);
        self.lasted = self.lasted.max(at.since(first));
    }
}
