//! A packet read aloud, for a screen reader: everything that its row shows, in words.

use alloc::string::String;
use alloc::vec::Vec;

use aperto_tcp::State;
use aperto_trace::{Direction, DropReason, Fact, Flow, FlowId, Number, Trace, Transport};

use crate::context::Side;
use crate::facts::sender;
use crate::text::spoken::{Noun, Spoken};
use crate::{Language, text};

/// A packet of a trace, read aloud; none if the trace has no such packet in a flow.
#[must_use]
pub fn of(trace: &Trace, number: Number, language: Language) -> Option<String> {
    let journey = trace.journey(number)?;
    let packet = trace.packet(number)?;
    let record = trace.records().get(journey.packet?)?;
    let (flow, direction) = trace.flow_of(number)?;
    let facts = |places: &[usize]| -> Vec<&Fact> {
        places.iter().filter_map(|&place| trace.records().get(place)).map(|record| &record.fact).collect()
    };
    let events = facts(&journey.channel)
        .into_iter()
        .filter_map(|fact| match fact {
            Fact::Channel { copy: 0, what, .. } => Some(what),
            _ => None,
        })
        .collect();
    let ignored = facts(&journey.drops).into_iter().find_map(|fact| match fact {
        Fact::Dropped { reason, .. } => Some(reason),
        _ => None,
    });
    let segment = packet.tcp();
    let header = segment.map(|segment| segment.header);
    let (noun, label) = name_of(&packet.transport);
    let spoken = Spoken {
        noun,
        number,
        from: sender(direction),
        at: record.at.since(beginning(trace, flow.id)),
        control: header.map(|header| header.control),
        label,
        seq: header.and_then(|header| flow.relative_seq(direction, header.seq)),
        ack: header.filter(|header| header.control.ack()).and_then(|header| {
            let before = previous_ack(trace, flow.id, number, direction);
            let ack = flow.relative_ack(direction, header.ack)?;
            (before != Some(header.ack)).then_some(ack)
        }),
        octets: packet.payload_length,
        of: segment.and_then(|segment| segment.of),
        duplicate: segment.and_then(|segment| segment.duplicate_ack),
        events,
        ignored: ignored.and_then(|reason| match reason {
            DropReason::BadChecksum { .. } => None,
            reason => Some(text::not_used(language, reason).full().into()),
        }),
        states: states(trace, flow, &journey.states),
    };
    Some(text::sentence(language, &spoken))
}

/// What it is, and what it is called where it has no flags.
fn name_of(transport: &Transport) -> (Noun, Option<String>) {
    match transport {
        Transport::Tcp(_) => (Noun::Segment, None),
        Transport::Udp => (Noun::Datagram, None),
        Transport::Arq(arq) => {
            use aperto_arq::Kind;
            let kind = match arq.kind {
                Kind::Data => "DATA",
                Kind::Ack => "ACK",
                Kind::Nack => "NACK",
                Kind::GroupAck => "GROUP ACK",
            };
            (Noun::Packet, Some(alloc::format!("{kind} {}", arq.sequence)))
        }
        _ => (Noun::Packet, None),
    }
}

/// The states that it moved.
fn states(trace: &Trace, flow: &Flow, places: &[usize]) -> Vec<(Side, State)> {
    places
        .iter()
        .filter_map(|&place| {
            let record = trace.records().get(place)?;
            let host = record.vantage.host_id()?;
            let side = if flow.client == Some(host) { Side::Client } else { Side::Server };
            match record.fact {
                Fact::State { to, .. } => Some((side, to)),
                _ => None,
            }
        })
        .collect()
}

fn beginning(trace: &Trace, flow: FlowId) -> aperto_time::Instant {
    let shows = |fact: &Fact| matches!(fact, Fact::Left(_) | Fact::Arrived { .. });
    let first = trace.records().iter().find(|record| record.flow == Some(flow) && shows(&record.fact));
    first.map_or(aperto_time::Instant::ZERO, |record| record.at)
}

/// What the segment before this one from the same side acknowledged.
fn previous_ack(
    trace: &Trace,
    flow: FlowId,
    number: Number,
    direction: Direction,
) -> Option<aperto_wire::SeqNumber> {
    (1..number.0).rev().map(Number).take(1_000).find_map(|earlier| {
        let (of, way) = trace.flow_of(earlier)?;
        let header = trace.packet(earlier)?.tcp()?.header;
        (of.id == flow && way == direction && header.control.ack()).then_some(header.ack)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story;

    #[test]
    fn a_lost_segment_is_read_aloud() {
        let trace = story::fourth_lost();
        assert_eq!(
            of(&trace, Number(4), Language::English).as_deref(),
            Some(
                "Segment 4, client to server, 40 milliseconds, push and acknowledge, sequence 1, 11 bytes, \
                 lost in the channel, because you asked"
            )
        );
        assert_eq!(
            of(&trace, Number(4), Language::Portuguese).as_deref(),
            Some(
                "Segmento 4, do cliente para o servidor, 40 milissegundos, empurra e reconhece, sequência 1, \
                 11 bytes, perdido no canal, porque você pediu"
            )
        );
        assert_eq!(
            of(&trace, Number(1), Language::English).as_deref(),
            Some(
                "Segment 1, client to server, 0 milliseconds, synchronize, sequence 0, client becomes SYN SENT, \
                 server becomes SYN RECEIVED"
            )
        );
        assert!(of(&trace, Number(5), Language::English).unwrap().contains("sent again, first as 4"));
        assert_eq!(of(&trace, Number(99), Language::English), None);
    }
}
