//! A connection as the wire, the calls and the deliveries show it, in numbers that never wrap.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;

use aperto_tcp::diagram::{self, Cause};
use aperto_tcp::{End, Note, State, Status, Timer};
use aperto_time::{Duration, Instant};
use aperto_trace::Packet;
use aperto_wire::SeqNumber;

use super::{Check, Limits, broken};
use crate::channel::Direction;

/// Both sides of a connection; `up` is the client.
#[derive(Clone, Debug, Default)]
pub(super) struct Shadow {
    pub(super) up: Side,
    pub(super) down: Side,
    /// Whether an old SYN has come back after one side had forgotten everything. It opens a
    /// connection that the other side will refuse (RFC 9293 §3.5, Figure 9); what either says then
    /// is about different streams, and nothing is checked any more.
    pub(super) haunted: bool,
}

/// What one side has said and heard. Places in a stream count from its SYN, which is 0.
#[derive(Clone, Debug, Default)]
pub(super) struct Side {
    pub(super) iss: Option<SeqNumber>,
    /// The place after the last that was sent.
    pub(super) sent_to: u64,
    /// The highest acknowledgment sent: a place in the other side's stream.
    pub(super) acked_to: u64,
    /// The highest acknowledgment plus window sent: a place in the other side's stream.
    pub(super) right_edge: Option<u64>,
    /// Its MSS option, and its window scale.
    pub(super) mss: Option<u16>,
    pub(super) scale: Option<u8>,
    /// Where its FIN stands, once it has left.
    pub(super) fin: Option<u64>,
    /// Octets that the application wrote.
    pub(super) written: u64,
    /// Those of them that the other application has not read.
    unread: VecDeque<u8>,
    /// Octets of the other side that this application read.
    pub(super) read: u64,
    /// What has arrived of the other side's stream: start to end, apart from each other.
    arrived: BTreeMap<u64, u64>,
    /// Segments that have arrived.
    pub(super) arrivals: u64,
    /// Acknowledgments that answer an arrival.
    pub(super) answers: u64,
    pub(super) challenged_at: Option<Instant>,
    pub(super) last_timestamp: Option<u32>,
    state: State,
    timeout: Option<(u32, Duration)>,
    end: Option<End>,
    released: bool,
    receive_next: u64,
}

impl Side {
    /// Whether a SYN with this number begins another connection than the one that was here.
    pub(super) fn is_forgotten(&self, iss: SeqNumber) -> bool {
        let over = self.state == State::Closed && self.acked_to > 0;
        self.iss.is_some_and(|known| known != iss || over)
    }

    /// Where a number stands in this side's stream, near what was sent last.
    pub(super) fn place(&self, number: SeqNumber) -> Option<u64> {
        place_near(self.iss?, self.sent_to, number)
    }

    /// How far this side has the other's stream without a hole.
    pub(super) fn contiguous(&self) -> u64 {
        self.arrived.first_key_value().filter(|(start, _)| **start == 0).map_or(0, |(_, end)| *end)
    }

    /// Whether all of this has arrived.
    pub(super) fn has(&self, start: u64, end: u64) -> bool {
        self.arrived.range(..=start).next_back().is_some_and(|(_, held)| *held >= end)
    }

    fn arrive(&mut self, mut start: u64, mut end: u64) {
        if start >= end {
            return;
        }
        while let Some((&held_start, &held_end)) = self.arrived.range(..=end).next_back() {
            if held_end < start {
                break;
            }
            self.arrived.remove(&held_start);
            start = start.min(held_start);
            end = end.max(held_end);
        }
        self.arrived.insert(start, end);
    }
}

/// The place of a number in a stream that starts at `iss`, nearest to a place that is known.
fn place_near(iss: SeqNumber, near: u64, number: SeqNumber) -> Option<u64> {
    // The low 32 bits of the known place are its number; a place is near by half of the space.
    let known = iss + (near & 0xffff_ffff) as u32;
    let offset = i64::from(number.offset_from(known));
    near.checked_add_signed(offset)
}

impl Shadow {
    pub(super) const fn side(&mut self, side: Direction) -> &mut Side {
        match side {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        }
    }

    /// One side, and the other.
    pub(super) const fn both(&mut self, side: Direction) -> (&mut Side, &mut Side) {
        match side {
            Direction::Up => (&mut self.up, &mut self.down),
            Direction::Down => (&mut self.down, &mut self.up),
        }
    }

    /// A segment arrives at this side as it left the other.
    pub(super) fn segment_arrives(&mut self, side: Direction, packet: &Packet) {
        let Some(segment) = packet.tcp() else { return };
        let (own, other) = self.both(side);
        own.arrivals += 1;
        let Some(start) = other.place(segment.header.seq) else { return };
        let length = u64::from(packet.payload_length) + u64::from(segment.header.control.sequence_length());
        if !segment.header.control.rst() {
            own.arrive(start, start + length);
        }
    }

    /// I-08.
    pub(super) fn state_moves(&mut self, side: Direction, from: State, cause: Cause, to: State) -> Check {
        if !diagram::has(from, cause, to) {
            return broken(8, format!("{side}: {from} to {to} by {cause:?} is no arc"));
        }
        // A listener's connection begins in LISTEN; a reset may bring it back there, out of sight.
        if self.haunted {
            return Ok(());
        }
        let own = self.side(side);
        let begins = matches!(from, State::Listen | State::Closed)
            || (own.state == State::Closed && from == State::SynSent);
        if own.state != from && !begins {
            return broken(8, format!("{side}: moved from {from}, but was in {}", own.state));
        }
        own.state = to;
        Ok(())
    }

    pub(super) fn written(&mut self, side: Direction, octets: &[u8]) {
        let own = self.side(side);
        own.written += octets.len() as u64;
        own.unread.extend(octets);
    }

    pub(super) const fn released(&mut self, side: Direction) {
        self.side(side).released = true;
    }

    /// I-01.
    pub(super) fn delivered(&mut self, side: Direction, octets: &[u8], repairs: bool) -> Check {
        let (own, other) = self.both(side);
        let from = own.read;
        for (place, octet) in (from..).zip(octets) {
            match other.unread.pop_front() {
                Some(written) if written == *octet || repairs => {}
                Some(written) => {
                    return broken(
                        1,
                        format!("{side}: read {octet:#04x} at {place}, written was {written:#04x}"),
                    );
                }
                None => return broken(1, format!("{side}: read an octet at {place} that nobody wrote")),
            }
        }
        own.read += octets.len() as u64;
        Ok(())
    }

    /// I-18.
    pub(super) fn ended(&mut self, side: Direction, end: End) -> Check {
        let own = self.side(side);
        if let Some(before) = own.end {
            return broken(18, format!("{side}: told to have ended twice: {before}, {end}"));
        }
        own.end = Some(end);
        Ok(())
    }

    /// I-10.
    pub(super) fn note(&mut self, side: Direction, note: &Note, limits: &Limits, at: Instant) -> Check {
        let own = self.side(side);
        match *note {
            Note::RetransmissionTimeout { rto, attempt, .. } => {
                if let Some((before, was)) = own.timeout
                    && attempt == before + 1
                {
                    let doubled = (was * 2).min(limits.tcp.rto_max);
                    if rto != doubled {
                        return broken(10, format!("{side}: timeout {rto:?} after {was:?}, not {doubled:?}"));
                    }
                }
                own.timeout = Some((attempt, rto));
                Ok(())
            }
            Note::TimerStarted { timer: Timer::Retransmission, at: due } => {
                let runs = due.since(at);
                if runs > limits.tcp.rto_max {
                    return broken(10, format!("{side}: retransmission timer of {runs:?}"));
                }
                Ok(())
            }
            Note::RttSample { rto, .. } if rto > limits.tcp.rto_max || rto < limits.tcp.rto_min => {
                broken(10, format!("{side}: timeout of {rto:?} after a sample"))
            }
            _ => Ok(()),
        }
    }

    /// I-02, I-06, I-09, I-11, I-19: what STATUS says against what was seen.
    pub(super) fn look_inside(&mut self, side: Direction, status: &Status, limits: &Limits) -> Check {
        let state = status.state;
        if self.haunted {
            return Ok(());
        }
        let (own, other) = self.both(side);
        if state == State::Closed {
            let armed = [
                status.retransmission_at,
                status.persist_at,
                status.delayed_ack_at,
                status.keep_alive_at,
                status.time_wait_at,
            ];
            if armed.iter().any(Option::is_some) {
                return broken(9, format!("{side}: a timer runs in CLOSED: {status:?}"));
            }
            return Ok(());
        }
        if status.send_queued > limits.tcp.send_buffer.max(1) {
            return broken(19, format!("{side}: {} octets to send are buffered", status.send_queued));
        }
        // What was offered was rounded up by less than one unit of the scale.
        let room = limits.tcp.receive_buffer.max(1) + (1 << status.receive_window_scale.min(14));
        if status.receive_queued + status.out_of_order >= room {
            return broken(19, format!("{side}: more is kept than the buffer holds: {status:?}"));
        }
        if status.send_unacknowledged.after(status.send_next) {
            return broken(2, format!("{side}: SND.UNA is beyond SND.NXT: {status:?}"));
        }
        if status.cwnd < status.send_mss {
            return broken(
                11,
                format!("{side}: cwnd {} below a segment of {}", status.cwnd, status.send_mss),
            );
        }
        if !state.is_synchronized() {
            return Ok(());
        }
        let unacknowledged = status.send_unacknowledged != status.send_next;
        let waits = status.retransmission_at.is_some() || status.persist_at.is_some();
        if unacknowledged && !waits {
            return broken(9, format!("{side}: something is out and no timer runs: {status:?}"));
        }
        if status.send_window == 0 && status.send_queued > 0 && !waits {
            return broken(9, format!("{side}: the window is closed and nobody will probe it: {status:?}"));
        }
        if state == State::TimeWait && status.time_wait_at.is_none() {
            return broken(9, format!("{side}: TIME-WAIT without an end: {status:?}"));
        }
        if !own.released {
            queues(side, own, other, status)?;
        }
        Ok(())
    }
}

/// I-02 and I-06: how much is buffered, worked out from the streams.
fn queues(side: Direction, own: &mut Side, other: &Side, status: &Status) -> Check {
    let state = status.state;
    let una = place_near(status.iss, own.sent_to, status.send_unacknowledged).unwrap_or(0);
    let acknowledged = una.saturating_sub(1).min(own.written);
    if status.send_queued as u64 != own.written - acknowledged {
        let text = format!(
            "{side}: {} octets to send are buffered, {} written less {acknowledged} acknowledged",
            status.send_queued, own.written
        );
        return broken(6, text);
    }
    let next = place_near(status.irs, other.sent_to, status.receive_next).unwrap_or(0);
    if next < own.receive_next {
        return broken(2, format!("{side}: RCV.NXT went back from {} to {next}", own.receive_next));
    }
    own.receive_next = next;
    let fin =
        u64::from(matches!(state, State::CloseWait | State::Closing | State::LastAck | State::TimeWait));
    let received = next.saturating_sub(1 + fin);
    if status.receive_queued as u64 + own.read != received {
        let text = format!(
            "{side}: {} octets wait to be read and {} were read, {received} came in order",
            status.receive_queued, own.read
        );
        return broken(6, text);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(check: &Check) -> Option<u8> {
        check.as_ref().err().map(|(number, _)| *number)
    }

    #[test]
    fn an_octet_that_nobody_wrote_breaks_the_prefix() {
        let mut shadow = Shadow::default();
        shadow.written(Direction::Up, b"abc");
        assert_eq!(number(&shadow.delivered(Direction::Down, b"ab", false)), None);
        assert_eq!(number(&shadow.clone().delivered(Direction::Down, b"d", false)), Some(1));
        assert_eq!(number(&shadow.clone().delivered(Direction::Down, b"cd", false)), Some(1));
        assert_eq!(number(&shadow.delivered(Direction::Down, b"c", false)), None);
        assert_eq!(number(&shadow.delivered(Direction::Up, b"a", true)), Some(1));
    }

    #[test]
    fn a_state_moves_along_the_arcs_and_from_where_it_was() {
        let mut shadow = Shadow::default();
        let mut moves = |from, cause, to| number(&shadow.state_moves(Direction::Up, from, cause, to));
        assert_eq!(moves(State::Closed, Cause::ActiveOpen, State::SynSent), None);
        assert_eq!(moves(State::SynSent, Cause::SynAckArrived, State::Established), None);
        assert_eq!(moves(State::Established, Cause::FinArrived, State::TimeWait), Some(8));
        assert_eq!(moves(State::FinWait1, Cause::FinArrived, State::Closing), Some(8));
    }

    #[test]
    fn an_ending_is_told_once_and_a_timeout_doubles() {
        let mut shadow = Shadow::default();
        assert_eq!(number(&shadow.ended(Direction::Up, End::Closed)), None);
        assert_eq!(number(&shadow.ended(Direction::Up, End::Reset)), Some(18));
        let limits = Limits { mtu: 1_500, tcp: aperto_tcp::Config::classroom() };
        let mut fires = |attempt, seconds| {
            let note = Note::RetransmissionTimeout {
                una: SeqNumber::new(1),
                rto: Duration::from_secs(seconds),
                srtt: None,
                rttvar: Duration::ZERO,
                minimum: Duration::from_secs(1),
                attempt,
            };
            number(&shadow.note(Direction::Up, &note, &limits, Instant::ZERO))
        };
        assert_eq!([fires(1, 1), fires(2, 2), fires(3, 4), fires(4, 4)], [None, None, None, Some(10)]);
    }

    #[test]
    fn places_go_on_across_the_wrap_and_pieces_that_touch_become_one() {
        let iss = SeqNumber::new(u32::MAX - 9);
        assert_eq!(place_near(iss, 5, SeqNumber::new(0)), Some(10));
        assert_eq!(place_near(iss, (1 << 33) + 7, iss + 3), Some((1 << 33) + 3));
        assert_eq!(place_near(iss, 2, iss + u32::MAX), None, "before the SYN there is nothing");
        let mut side = Side::default();
        for (start, end) in [(10, 20), (30, 40), (0, 5), (20, 30)] {
            side.arrive(start, end);
        }
        assert_eq!(side.contiguous(), 5);
        assert!(side.has(10, 40) && !side.has(5, 10) && !side.has(39, 41));
        side.arrive(4, 11);
        assert_eq!(side.contiguous(), 40);
    }
}
