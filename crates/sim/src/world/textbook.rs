//! A host that speaks stop-and-wait, Go-Back-N or Selective Repeat, in UDP datagrams.
//!
//! A sender's packet leaves at the instant at which it is polled, and the next no sooner than the
//! spacing after it; a receiver's answers leave at once. The datagrams carry no UDP checksum, so
//! that damage is the textbook protocol's to find.

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use aperto_arq::{Event, Kind as PacketKind, Observe, Outgoing, Receiver, Sender};
use aperto_time::Instant;
use aperto_trace::recorder::Meaning;
use aperto_trace::{Endpoints, Protocol};

use super::stage::{Class, End, Stage};
use crate::channel::{Kind, Textbook, Transmission};
use crate::datagram::{packet_of, payload_of};
use crate::recipe::RecipeError;

/// One end of a textbook protocol.
#[derive(Clone, Debug)]
pub(super) struct TextbookHost {
    end: End,
    endpoints: Endpoints,
    machine: Machine,
    spacing: Duration,
    /// Before this, the line is busy with the packet that left last.
    free_at: Instant,
    delivered: Vec<u8>,
    /// What became of the sender's message.
    outcome: Option<Event>,
}

#[derive(Clone, Debug)]
enum Machine {
    Sender(Sender),
    Receiver(Receiver),
}

impl TextbookHost {
    /// The side that says the messages.
    pub(super) fn sender<'m>(
        end: End,
        endpoints: Endpoints,
        mut sender: Sender,
        messages: impl Iterator<Item = &'m [u8]>,
        spacing: Duration,
    ) -> Result<Self, RecipeError> {
        sender.observe(Observe::Yes);
        for message in messages {
            sender.send(message).map_err(|_| RecipeError::MessageTooLong)?;
        }
        Ok(Self::new(end, endpoints, Machine::Sender(sender), spacing))
    }

    /// The side that hears it.
    pub(super) fn receiver(end: End, endpoints: Endpoints, mut receiver: Receiver) -> Self {
        receiver.observe(Observe::Yes);
        Self::new(end, endpoints, Machine::Receiver(receiver), Duration::ZERO)
    }

    const fn new(end: End, endpoints: Endpoints, machine: Machine, spacing: Duration) -> Self {
        Self {
            end,
            endpoints,
            machine,
            spacing,
            free_at: Instant::ZERO,
            delivered: Vec::new(),
            outcome: None,
        }
    }

    /// What it heard.
    pub(super) fn delivered(&self) -> &[u8] {
        &self.delivered
    }

    /// What became of what it said, once that is known.
    pub(super) const fn outcome(&self) -> Option<&Event> {
        self.outcome.as_ref()
    }

    pub(super) fn begin(&mut self, stage: &mut Stage, message: &[u8]) {
        if !message.is_empty() {
            stage.recorder.sent_over(stage.now, self.end.host, Protocol::Udp, self.endpoints, message);
        }
        self.settle(stage);
    }

    pub(super) fn frame_arrives(&mut self, stage: &mut Stage, frame: &[u8]) {
        let Some(octets) = payload_of(frame) else { return };
        match &mut self.machine {
            Machine::Sender(sender) => sender.packet_arrives(stage.now, octets),
            Machine::Receiver(receiver) => receiver.packet_arrives(stage.now, octets),
        }
        self.settle(stage);
    }

    pub(super) fn deadline_passed(&mut self, stage: &mut Stage) {
        if let Machine::Sender(sender) = &mut self.machine
            && sender.poll_deadline().is_some_and(|deadline| deadline.at <= stage.now)
        {
            sender.deadline_passed(stage.now);
        }
        self.settle(stage);
    }

    /// When it wants to be called: its timer, or the end of a packet on a busy line.
    pub(super) fn poll_deadline(&self, now: Instant) -> Option<Instant> {
        let Machine::Sender(sender) = &self.machine else { return None };
        let timer = sender.poll_deadline().map(|deadline| deadline.at);
        let line = (self.free_at > now).then_some(self.free_at);
        [timer, line].into_iter().flatten().min()
    }

    fn settle(&mut self, stage: &mut Stage) {
        self.observe(stage);
        loop {
            let outgoing = match &mut self.machine {
                Machine::Sender(sender) if self.free_at <= stage.now => sender.poll_packet(stage.now),
                Machine::Sender(_) => None,
                Machine::Receiver(receiver) => receiver.poll_packet(stage.now),
            };
            let Some(outgoing) = outgoing else { break };
            self.free_at = stage.now + self.spacing;
            self.depart(stage, &outgoing);
        }
        self.observe(stage);
    }

    fn depart(&self, stage: &mut Stage, outgoing: &Outgoing) {
        let again = outgoing.reason.is_retransmission();
        let packet = Textbook {
            kind: match outgoing.packet.kind {
                PacketKind::Data => Kind::Data,
                PacketKind::Ack | PacketKind::GroupAck => Kind::Ack,
                PacketKind::Nack => Kind::Nack,
            },
            place: outgoing.ordinal.unwrap_or_else(|| u64::from(outgoing.packet.sequence.value())),
            transmission: if again { Transmission::Again } else { Transmission::First },
        };
        let Some(frame) = packet_of(self.endpoints, &outgoing.octets()) else { return };
        stage.depart(self.end, &frame, Meaning::Arq(outgoing), Class::Packet(packet));
    }

    /// Writes down what the machine noted, and takes what it has for the application.
    fn observe(&mut self, stage: &mut Stage) {
        let (now, host) = (stage.now, self.end.host);
        loop {
            let note = match &mut self.machine {
                Machine::Sender(sender) => sender.poll_note(),
                Machine::Receiver(receiver) => receiver.poll_note(),
            };
            let Some(note) = note else { break };
            stage.recorder.arq_note(now, host, self.endpoints, note);
        }
        loop {
            let event = match &mut self.machine {
                Machine::Sender(sender) => sender.poll_event(),
                Machine::Receiver(receiver) => receiver.poll_event(),
            };
            match event {
                Some(Event::Delivered { octets, .. }) => {
                    stage.recorder.delivered_over(now, host, Protocol::Udp, self.endpoints, &octets);
                    self.delivered.extend_from_slice(&octets);
                }
                Some(event @ (Event::AllAcknowledged | Event::GaveUp { .. })) => self.outcome = Some(event),
                None => break,
            }
        }
    }
}

/// An address with a port.
pub(super) const fn socket(address: IpAddr, port: u16) -> SocketAddr {
    SocketAddr::new(address, port)
}
