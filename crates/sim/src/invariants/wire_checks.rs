//! What a segment that leaves must be like.

use alloc::format;

use aperto_tcp::{AckCause, Reason, ResetCause};
use aperto_time::Instant;
use aperto_trace::{Packet, Segment};
use aperto_wire::checksum::PseudoHeader;
use aperto_wire::ip::{Protocol, Version};
use aperto_wire::{ipv4, ipv6, tcp};

use super::shadow::{Shadow, Side};
use super::{Check, Limits, broken};
use crate::channel::Direction;

/// I-12: the frame is sound and says what the trace says.
pub(super) fn frame(packet: &Packet, limits: &Limits) -> Check {
    let octets: &[u8] = &packet.frame;
    if octets.len() > limits.mtu {
        return broken(
            12,
            format!("{} is {} octets long, the MTU is {}", packet.number, octets.len(), limits.mtu),
        );
    }
    let Some(segment) = packet.tcp() else { return Ok(()) };
    let (payload, pseudo) = match Version::of(octets) {
        Some(Version::V4) => {
            let Ok(ip) = ipv4::parse(octets) else {
                return broken(12, format!("{} is no IPv4 packet", packet.number));
            };
            let header = ip.header;
            (ip.payload, PseudoHeader::ipv4(header.source, header.destination, Protocol::TCP))
        }
        Some(Version::V6) => {
            let Ok(ip) = ipv6::parse(octets) else {
                return broken(12, format!("{} is no IPv6 packet", packet.number));
            };
            let header = ip.header;
            (ip.payload, PseudoHeader::ipv6(header.source, header.destination, Protocol::TCP))
        }
        None => return broken(12, format!("{} is no IP packet", packet.number)),
    };
    if !tcp::verify(pseudo, payload) {
        return broken(12, format!("{} has a wrong checksum", packet.number));
    }
    match tcp::parse(payload) {
        Ok(parsed) if parsed.options_fault.is_some() => {
            broken(12, format!("{}: malformed options {:?}", packet.number, parsed.options_fault))
        }
        Ok(parsed) if parsed.segment.header != segment.header => {
            broken(12, format!("{} is not what the trace says", packet.number))
        }
        Ok(_) => Ok(()),
        Err(error) => broken(12, format!("{}: {error}", packet.number)),
    }
}

/// What must hold of a segment when it leaves this side.
pub(super) fn segment_leaves(
    shadow: &mut Shadow,
    side: Direction,
    packet: &Packet,
    limits: &Limits,
    at: Instant,
    reset_now: bool,
) -> Check {
    let Some(segment) = packet.tcp() else { return Ok(()) };
    let control = segment.header.control;
    if control.rst() {
        return reset_leaves(packet, segment, reset_now);
    }
    if control.syn() && shadow.side(side).is_forgotten(segment.header.seq) {
        shadow.haunted = true;
    }
    if shadow.haunted {
        return Ok(());
    }
    let (own, other) = shadow.both(side);
    if control.syn() {
        own.iss = Some(segment.header.seq);
        own.sent_to = own.sent_to.max(1);
        own.mss = segment.header.options.mss;
        own.scale = segment.header.options.window_scale;
    }
    text_leaves(own, other, side, packet, segment)?;
    if control.ack() {
        acknowledgment_leaves(own, other, side, packet, segment, limits)?;
        cause_of_acknowledgment(own, side, packet, segment, limits, at)?;
    }
    timestamps_leave(own, side, packet, segment)
}

/// I-14: nobody answers a reset with a reset.
fn reset_leaves(packet: &Packet, segment: &Segment, reset_now: bool) -> Check {
    if reset_now && segment.reason == Some(Reason::Reset(ResetCause::NoConnection)) {
        return broken(14, format!("{} answers a reset", packet.number));
    }
    Ok(())
}

/// I-04 and I-12: text keeps to what was written, the peer's window and the peer's MSS.
fn text_leaves(own: &mut Side, other: &Side, side: Direction, packet: &Packet, segment: &Segment) -> Check {
    let control = segment.header.control;
    let number = packet.number;
    let Some(start) = own.place(segment.header.seq) else {
        return broken(2, format!("{number}: {side} sends before its SYN"));
    };
    let text = u64::from(packet.payload_length);
    let text_start = start + u64::from(control.syn());
    let text_end = text_start + text;
    if text > 0 && text_end > own.written + 1 {
        return broken(
            4,
            format!("{number}: {side} sends up to {text_end}, {} octets were written", own.written),
        );
    }
    let is_probe = matches!(segment.reason, Some(Reason::WindowProbe { .. }));
    if let Some(edge) = other.right_edge
        && text > 0
        && text_end > edge
        && text_end > own.sent_to
        && !(is_probe && text == 1)
    {
        return broken(4, format!("{number}: {side} sends up to {text_end}, the right edge is {edge}"));
    }
    if control.fin() && text_end != own.written + 1 {
        return broken(
            4,
            format!("{number}: {side} has its FIN at {text_end}, {} were written", own.written),
        );
    }
    let options = u64::from(packet.payload_at) - ip_and_tcp_header(packet);
    let mss = u64::from(other.mss.unwrap_or(if packet.endpoints.source.is_ipv4() { 536 } else { 1220 }));
    // A peer's MSS below our own floor is not believed (RFC 9293 §3.7.1 leaves that to us).
    if text > 0 && text + options > mss.max(48 + options) {
        return broken(12, format!("{number}: {text} octets and {options} of options, the MSS is {mss}"));
    }
    if control.fin() {
        own.fin = Some(text_end);
    }
    own.sent_to = own.sent_to.max(text_end + u64::from(control.fin()));
    Ok(())
}

/// Octets of the headers without TCP's options.
fn ip_and_tcp_header(packet: &Packet) -> u64 {
    if packet.endpoints.source.is_ipv4() { 40 } else { 60 }
}

/// I-03, I-05, I-13.
fn acknowledgment_leaves(
    own: &mut Side,
    other: &Side,
    side: Direction,
    packet: &Packet,
    segment: &Segment,
    limits: &Limits,
) -> Check {
    let (number, header) = (packet.number, &segment.header);
    let Some(ack) = other.place(header.ack) else {
        return broken(3, format!("{number}: {side} acknowledges before anything came"));
    };
    if ack < own.acked_to {
        return broken(3, format!("{number}: {side} acknowledges {ack} after {}", own.acked_to));
    }
    if ack > own.contiguous() {
        return broken(
            3,
            format!("{number}: {side} acknowledges {ack}, only {} came without a hole", own.contiguous()),
        );
    }
    own.acked_to = ack;
    let scale = match (own.scale, other.scale) {
        (Some(scale), Some(_)) if !header.control.syn() => scale.min(14),
        _ => 0,
    };
    let edge = ack + (u64::from(header.window) << scale);
    // RFC 7323 §2.4: in units of the scale, an edge may seem to go back by less than one.
    let before = own.right_edge.unwrap_or(0);
    if edge + (1 << scale) <= before {
        return broken(5, format!("{number}: {side} moves its right edge from {before} back to {edge}"));
    }
    own.right_edge = Some(edge.max(before));
    // The edge is one after the last octet; the SYN before the first octet takes one number, and so
    // does a FIN that is acknowledged.
    let fin = u64::from(other.fin.is_some_and(|fin| ack > fin));
    let offered = edge.saturating_sub(1 + fin + own.read);
    // A scaled window is rounded up by less than one unit rather than let the edge move left.
    if offered >= limits.tcp.receive_buffer as u64 + (1 << scale) {
        return broken(
            5,
            format!("{number}: {side} offers {offered} octets, its buffer has {}", limits.tcp.receive_buffer),
        );
    }
    sack_blocks(own, other, side, packet, segment, ack, edge)
}

/// I-13: a block names what has arrived; the first may repeat what came twice (RFC 2883).
fn sack_blocks(
    own: &Side,
    other: &Side,
    side: Direction,
    packet: &Packet,
    segment: &Segment,
    ack: u64,
    edge: u64,
) -> Check {
    for (place, block) in segment.header.options.sack.as_slice().iter().enumerate() {
        let number = packet.number;
        let (Some(start), Some(end)) = (other.place(block.start), other.place(block.end)) else {
            return broken(13, format!("{number}: {side} has a SACK block before the stream"));
        };
        if start >= end || !own.has(start, end) {
            return broken(13, format!("{number}: {side} says that {start}-{end} arrived"));
        }
        let duplicate = place == 0 && end <= ack;
        let inside_another = place == 0
            && segment.header.options.sack.as_slice().iter().skip(1).any(|outer| {
                other.place(outer.start).is_some_and(|from| from <= start)
                    && other.place(outer.end).is_some_and(|to| to >= end)
            });
        if !duplicate && !inside_another && (start <= ack || end > edge) {
            return broken(13, format!("{number}: {side} has block {start}-{end} outside {ack}-{edge}"));
        }
    }
    Ok(())
}

/// I-15: an acknowledgment that answers something needs something to answer.
fn cause_of_acknowledgment(
    own: &mut Side,
    side: Direction,
    packet: &Packet,
    segment: &Segment,
    limits: &Limits,
    at: Instant,
) -> Check {
    let Some(Reason::Ack(cause)) = segment.reason else { return Ok(()) };
    match cause {
        AckCause::WindowUpdate { .. } | AckCause::Delayed { .. } => return Ok(()),
        AckCause::Challenge(_) => {
            if let Some(before) = own.challenged_at
                && at.since(before) < limits.tcp.challenge_interval
            {
                return broken(
                    15,
                    format!("{}: {side} challenges {:?} after the last", packet.number, at.since(before)),
                );
            }
            own.challenged_at = Some(at);
        }
        _ => {}
    }
    own.answers += 1;
    if own.answers > own.arrivals {
        return broken(15, format!("{}: {side} answers more than arrived: {}", packet.number, own.answers));
    }
    Ok(())
}

/// I-17.
fn timestamps_leave(own: &mut Side, side: Direction, packet: &Packet, segment: &Segment) -> Check {
    let Some(timestamps) = segment.header.options.timestamps else { return Ok(()) };
    if let Some(before) = own.last_timestamp
        && timestamps.value.wrapping_sub(before) > 1 << 31
    {
        return broken(
            17,
            format!("{}: {side} has timestamp {} after {before}", packet.number, timestamps.value),
        );
    }
    own.last_timestamp = Some(timestamps.value);
    Ok(())
}
