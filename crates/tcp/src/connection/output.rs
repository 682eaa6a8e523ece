//! Turning needs into segments: what leaves, in which order, and why.
//!
//! RFC 9293 §3.8.6.2.1 (silly-window avoidance), §3.7.4 (Nagle), RFC 6675 §5 (what may be sent in
//! recovery). A segment is planned first and then shown to the caller as a header and slices of
//! the send buffer; nothing is copied here.

use aperto_time::{Duration, Instant};
use aperto_wire::SeqNumber;
use aperto_wire::tcp::{Control, Header, Options, Timestamps};

use super::{Connection, Fin, Hold, Nagle};
use crate::chunks::Slices;
use crate::diagram::Cause;
use crate::note::{Note, Timer, WindowChange};
use crate::reason::{DataCause, Reason, ResetCause, RetransmissionCause};
use crate::recovery::{Hole, Phase};
use crate::state::State;
use crate::timestamps;

/// A segment that leaves: its header, its text and why.
///
/// The header has no ports and no checksum: they belong to whoever knows the addresses.
#[derive(Clone, Debug)]
pub struct Outgoing<'a> {
    /// The header.
    pub header: Header,
    /// The text.
    pub payload: Payload<'a>,
    /// Why it leaves.
    pub reason: Reason,
}

/// The text of a segment, as slices of the send buffer.
#[derive(Clone, Debug)]
pub struct Payload<'a> {
    slices: Slices<'a>,
    length: usize,
}

impl<'a> Payload<'a> {
    /// Octets of text.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.length
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The slices, in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        self.slices.clone()
    }
}

/// A segment before it is shown: where it begins, what it carries and why.
#[derive(Clone, Copy, Debug)]
struct Plan {
    seq: SeqNumber,
    control: Control,
    /// Octets of text.
    length: u32,
    reason: Reason,
}

impl Plan {
    /// A segment without text.
    const fn bare(seq: SeqNumber, control: Control, reason: Reason) -> Self {
        Self { seq, control, length: 0, reason }
    }
}

impl Connection {
    /// The next segment that leaves. To be called until there is none.
    pub fn poll_segment(&mut self, now: Instant) -> Option<Outgoing<'_>> {
        let plan = self.plan(now)?;
        let window = self.window_field(plan.control);
        let ack = self.ack_field(plan.control);
        let urgent_pointer = self.urgent_pointer(&plan);
        let timestamps = self.timestamps.map(|state| state.option(now));
        // Text with nothing but timestamps beside it is written once, where the caller wants it.
        let rare = (plan.control.syn() || plan.control.rst() || self.reports_sack())
            .then(|| self.rare_options(&plan, now));
        let length = usize::try_from(plan.length).unwrap_or(0);
        let slices =
            self.send.slices(if length == 0 { 0 } else { self.send.position(plan.seq) }, plan.length);
        let Plan { seq, control, reason, .. } = plan;
        let payload = Payload { slices, length };
        if let Some(options) = rare {
            let header = Header { seq, ack, control, window, urgent_pointer, options };
            return Some(Outgoing { header, payload, reason });
        }
        let options = Options { timestamps, ..Options::NONE };
        Some(Outgoing {
            header: Header { seq, ack, control, window, urgent_pointer, options },
            payload,
            reason,
        })
    }

    #[inline]
    fn plan(&mut self, now: Instant) -> Option<Plan> {
        if !self.needs.nothing_seldom() {
            if let Some(seq) = self.needs.take(|it| &mut it.reply) {
                let cause = ResetCause::UnacceptableAck { ack: seq };
                return Some(Plan::bare(seq, Control::RST, Reason::Reset(cause)));
            }
            if let Some(cause) = self.needs.take(|it| &mut it.reset) {
                return Some(Plan::bare(self.send.nxt, Control::RST, Reason::Reset(cause)));
            }
        }
        match self.state {
            State::Closed | State::Listen => None,
            State::SynSent => self.plan_syn(now, Control::SYN),
            State::SynReceived => self.plan_syn(now, Control::SYN | Control::ACK).or_else(|| self.plan_ack()),
            State::FinWait1 if self.send.una == self.send.iss => {
                // Closed in SYN-RECEIVED: the SYN,ACK is still on its way.
                self.plan_syn(now, Control::SYN | Control::ACK).or_else(|| self.plan_ack())
            }
            State::Established | State::FinWait1 | State::CloseWait | State::Closing | State::LastAck => {
                self.plan_in_order(now)
            }
            State::FinWait2 | State::TimeWait => self.plan_probe(now).or_else(|| self.plan_ack()),
        }
    }

    /// What was lost, then a probe, then new text, then what is perhaps lost, then an acknowledgment.
    #[inline]
    fn plan_in_order(&mut self, now: Instant) -> Option<Plan> {
        let recovering = self.recovery.phase() != Phase::Open;
        if recovering && let Some(again) = self.plan_retransmission(now) {
            return Some(again);
        }
        if !self.needs.nothing_seldom()
            && let Some(probe) = self.plan_probe(now)
        {
            return Some(probe);
        }
        if let Some(text) = self.plan_text(now) {
            return Some(text);
        }
        if recovering && let Some(again) = self.plan_perhaps_lost(now) {
            return Some(again);
        }
        self.plan_ack()
    }

    #[inline(never)]
    fn plan_syn(&mut self, now: Instant, control: Control) -> Option<Plan> {
        let reason = self.needs.take(|it| &mut it.syn)?;
        let first = self.send.nxt == self.send.iss;
        self.send.nxt = self.send.iss + 1;
        self.send.max = self.send.max.later(self.send.nxt);
        if first {
            self.rtt.sent(self.send.nxt, now);
            self.waiting_since = now;
        } else {
            self.rtt.sent_again(now);
        }
        if !self.timers.runs(Timer::Retransmission) {
            self.start(Timer::Retransmission, self.rtt.due(now, &self.config));
        }
        if control.ack() {
            self.acknowledgments.one_left();
        }
        Some(Plan::bare(self.send.iss, control, reason))
    }

    #[inline]
    fn plan_ack(&mut self) -> Option<Plan> {
        if core::mem::take(&mut self.needs.handshake_ack) {
            self.acknowledgments.one_left();
            let reason = Reason::HandshakeAck { irs: self.receive.irs };
            return Some(Plan::bare(self.send.nxt, Control::ACK, reason));
        }
        let cause = self.acknowledgments.pending()?;
        self.acknowledgments.one_left();
        // From behind a window that has shrunk, an acknowledgment would not be acceptable.
        let edge = self.send.una + self.send.window;
        let opened = self.send.una != self.send.iss;
        let seq = if opened { self.send.nxt.earlier(edge) } else { self.send.nxt };
        Some(Plan::bare(seq, Control::ACK, Reason::Ack(cause)))
    }

    /// What was lost is sent again before anything new. RFC 6675 §5 (C).
    #[inline(never)]
    fn plan_retransmission(&mut self, now: Instant) -> Option<Plan> {
        let hole = self.recovery.next_lost(self.send.una, self.segment_room())?;
        let hole = self.inside_window(hole)?;
        let pipe = self.recovery.pipe(self.send.una, self.send.nxt);
        if !self.recovery.forced && pipe.saturating_add(hole.length) > self.congestion.cwnd() {
            return None;
        }
        let because = self.why_again(pipe);
        Some(self.send_again(now, hole, because))
    }

    /// Where nothing else may be sent, what is perhaps lost. RFC 6675 §4 (NextSeg), rule 3.
    #[inline(never)]
    fn plan_perhaps_lost(&mut self, now: Instant) -> Option<Plan> {
        if !matches!(self.recovery.phase(), Phase::Fast { .. }) || self.send.unsent() > 0 {
            return None;
        }
        let hole = self.recovery.next_perhaps_lost(self.send.una, self.segment_room())?;
        let hole = self.inside_window(hole)?;
        let pipe = self.recovery.pipe(self.send.una, self.send.nxt);
        let cwnd = self.congestion.cwnd();
        if pipe.saturating_add(hole.length) > cwnd {
            return None;
        }
        Some(self.send_again(now, hole, RetransmissionCause::SackHole { pipe, cwnd }))
    }

    /// What of a hole lies in the peer's window: all of it, unless the window has shrunk.
    ///
    /// RFC 9293 §3.8.6 \[SHLD-16\]; MAY-7 is declined.
    fn inside_window(&self, hole: Hole) -> Option<Hole> {
        let edge = self.send.una + self.send.window;
        let room = if edge.after(hole.start) { edge.since(hole.start) } else { 0 };
        (room > 0).then(|| Hole { length: hole.length.min(room), ..hole })
    }

    fn why_again(&self, pipe: u32) -> RetransmissionCause {
        let cwnd = self.congestion.cwnd();
        match self.recovery.phase() {
            Phase::Timeout { .. } if self.recovery.too_big => {
                RetransmissionCause::PathTooNarrow { mss: self.effective_mss() }
            }
            Phase::Timeout { .. } if self.recovery.forced => RetransmissionCause::Timeout {
                attempt: self.rtt.attempts(),
                rto: self.rtt.last_rto(),
                next_rto: self.rtt.rto(&self.config),
                cwnd,
            },
            Phase::Timeout { .. } => RetransmissionCause::AfterTimeout { cwnd },
            Phase::Fast { recover } if self.recovery.partial_ack => {
                RetransmissionCause::PartialAck { recover }
            }
            Phase::Fast { .. } if self.recovery.forced => RetransmissionCause::FastRetransmit {
                duplicate_acks: self.recovery.duplicate_acks(),
                cwnd,
                ssthresh: self.congestion.ssthresh(),
            },
            Phase::Open | Phase::Fast { .. } => RetransmissionCause::SackHole { pipe, cwnd },
        }
    }

    fn send_again(&mut self, now: Instant, hole: Hole, because: RetransmissionCause) -> Plan {
        let end = hole.start + hole.length;
        let text_end = self.send.text_end();
        let fin = end.after(text_end);
        let length = if fin { text_end.since(hole.start) } else { hole.length };
        self.recovery.sent_again(end);
        self.rtt.sent_again(now);
        if !self.timers.runs(Timer::Retransmission) {
            self.start(Timer::Retransmission, self.rtt.due(now, &self.config));
        }
        self.acknowledgments.left_with_text();
        let reason = Reason::Retransmission { because, octets: length };
        Plan { seq: hole.start, control: self.control(hole.start, length, fin), length, reason }
    }

    /// ACK, and PSH where the segment completes what the application pushed or empties the queue, and
    /// URG, and FIN.
    ///
    /// RFC 9293 §3.9.1.2 \[MUST-61\] \[MAY-15\], §3.8.5.
    fn control(&self, seq: SeqNumber, length: u32, fin: bool) -> Control {
        let mut control = Control::ACK;
        let end = seq + length;
        let completes = self.send.push.after(seq) && self.send.push.at_or_before(end);
        if length > 0 && (completes || end == self.send.text_end()) {
            control |= Control::PSH;
        }
        if self.send.urgent.is_some_and(|urgent| urgent.after(seq)) {
            control |= Control::URG;
        }
        if fin {
            control |= Control::FIN;
        }
        control
    }

    /// A probe that a timer asked for.
    #[inline(never)]
    fn plan_probe(&mut self, now: Instant) -> Option<Plan> {
        let reason = self.needs.take(|it| &mut it.probe)?;
        match reason {
            Reason::WindowProbe { .. } => Some(self.probe_window(now, reason)),
            // RFC 9293 §3.8.4 [SHLD-12]: an empty segment just before SND.NXT, which must be answered.
            _ => Some(Plan::bare(self.send.nxt - 1, Control::ACK, reason)),
        }
    }

    /// One octet of text, or the FIN, beyond the closed window.
    ///
    /// SND.NXT does not move over it: the peer has no room for it, and would find an acknowledgment
    /// from behind it unacceptable. RFC 9293 §3.8.6.1 \[MUST-36\].
    fn probe_window(&mut self, now: Instant, reason: Reason) -> Plan {
        let seq = self.send.una;
        let text = self.send.text_end().after(seq);
        let fin = !text && self.send.fin == Fin::Queued;
        let length = u32::from(text);
        self.send.max = self.send.max.later(seq + u32::from(text || fin));
        self.rtt.sent_again(now);
        if fin && self.state == State::CloseWait {
            self.enter(State::LastAck, Cause::FinSent);
        }
        Plan { seq, control: self.control(seq, length, fin), length, reason }
    }

    /// New text and the FIN, as far as the windows, Nagle and silly-window avoidance allow.
    ///
    /// RFC 9293 §3.8.6.2.1 \[MUST-38\], §3.7.4 \[SHLD-7\], §3.9.1.2 \[SHLD-27\] \[SHLD-28\]: segments are cut
    /// from all that waits, full ones where there is enough.
    #[inline]
    fn plan_text(&mut self, now: Instant) -> Option<Plan> {
        let unsent = self.send.unsent();
        let fin_waits = self.send.fin_waits();
        if (unsent == 0 && !fin_waits) || self.timers.runs(Timer::Persist) {
            return None;
        }
        let mss = self.segment_room();
        let pipe = self.recovery.pipe(self.send.una, self.send.nxt);
        let room = self.congestion.cwnd().saturating_sub(pipe);
        let usable = self.send.usable();
        let length = unsent.min(mss).min(room).min(usable);
        if usable == 0 {
            return self.window_is_closed(now);
        }
        if length < unsent.min(mss) && !self.may_send_part(now, length, room, usable) {
            return None;
        }
        let whole = length == unsent;
        if length < mss && unsent > 0 && length > 0 && whole && !self.may_send_small(now, fin_waits) {
            return None;
        }
        let fin = fin_waits && whole && usable > length;
        if length == 0 && !fin {
            return None;
        }
        Some(self.send_new(now, length, fin, pipe))
    }

    /// The peer's window is closed: with nothing in flight, the persist timer must run.
    ///
    /// RFC 9293 §3.8.6.1 \[MUST-36\].
    fn window_is_closed(&mut self, now: Instant) -> Option<Plan> {
        self.send.hold = Hold::PeersWindow;
        if self.flight() == 0 {
            self.start(Timer::Persist, self.rtt.due(now, &self.config));
        }
        None
    }

    /// Whether a segment may leave that is shorter than text and segment size would allow, because
    /// a window stands in the way.
    ///
    /// RFC 9293 §3.8.6.2.1, conditions 3 and 4.
    fn may_send_part(&mut self, now: Instant, length: u32, room: u32, usable: u32) -> bool {
        if length == 0 || room < usable {
            self.send.hold = Hold::CongestionWindow;
            return false;
        }
        let idle = self.flight() == 0;
        let half_window = length >= self.send.max_window / 2 && (idle || self.nagle == Nagle::Off);
        if half_window || self.needs.override_due {
            return true;
        }
        self.send.hold = Hold::PeersWindow;
        if idle && !self.timers.runs(Timer::Override) {
            self.start(Timer::Override, now + OVERRIDE);
        }
        false
    }

    /// Whether all that is queued may leave although it does not fill a segment.
    ///
    /// RFC 9293 §3.8.6.2.1, condition 2, and §3.7.4 (Nagle); §3.9.1.2 \[MAY-16\]: what is not pushed may
    /// wait for more, \[MUST-60\] but not for ever.
    fn may_send_small(&mut self, now: Instant, fin_waits: bool) -> bool {
        let idle = self.flight() == 0;
        let pushed = self.send.push.after(self.send.nxt) || fin_waits;
        if pushed && (idle || fin_waits || self.nagle == Nagle::Off) {
            return true;
        }
        if self.needs.override_due {
            return true;
        }
        self.send.hold = Hold::Nagle;
        if !pushed && !self.timers.runs(Timer::Override) {
            self.start(Timer::Override, now + OVERRIDE);
        }
        false
    }

    #[inline]
    fn send_new(&mut self, now: Instant, length: u32, fin: bool, pipe: u32) -> Plan {
        let seq = self.send.nxt;
        let acknowledges = self.receive.next.since(self.receive.last_ack);
        let mss = self.effective_mss();
        let flight = self.flight();
        if length > 0 && self.congestion.sending(now, flight, &self.rtt, &self.config, mss) {
            self.note_congestion(WindowChange::IdleRestart);
        }
        if flight == 0 {
            self.waiting_since = now;
        }
        let reason = if fin {
            Reason::Fin { octets: length, peer_closed_first: self.receive.fin.is_some() }
        } else {
            Reason::Data { octets: length, because: self.why_now(length, pipe), acknowledges }
        };
        let end = seq + length + u32::from(fin);
        let again = end.at_or_before(self.send.max);
        self.send.nxt = end;
        self.send.max = self.send.max.later(end);
        if again {
            self.rtt.sent_again(now);
        } else {
            self.rtt.sent(end, now);
        }
        if self.send.unsent() == 0 {
            self.send.hold = Hold::Nothing;
        }
        self.needs.override_due = false;
        self.timers.stop(Timer::Override);
        if !self.timers.runs(Timer::Retransmission) {
            self.start(Timer::Retransmission, self.rtt.due(now, &self.config));
        }
        self.acknowledgments.left_with_text();
        if fin && self.state == State::CloseWait {
            self.enter(State::LastAck, Cause::FinSent);
        }
        Plan { seq, control: self.control(seq, length, fin), length, reason }
    }

    #[inline]
    fn why_now(&self, length: u32, pipe: u32) -> DataCause {
        let cwnd = self.congestion.cwnd();
        if self.recovery.phase() != Phase::Open {
            return DataCause::Recovery { pipe, cwnd };
        }
        if self.needs.override_due {
            return DataCause::OverrideTimeout;
        }
        let duplicate_acks = self.recovery.duplicate_acks();
        if duplicate_acks > 0 && self.flight().saturating_add(length) > cwnd {
            return DataCause::LimitedTransmit { duplicate_acks };
        }
        match self.send.hold {
            Hold::Nothing => DataCause::Written,
            Hold::CongestionWindow => DataCause::CongestionWindowOpened { cwnd },
            Hold::PeersWindow => DataCause::WindowOpened { window: self.send.window },
            Hold::Nagle if length >= self.effective_mss() => DataCause::Filled,
            Hold::Nagle => DataCause::NagleReleased,
        }
    }

    /// SEG.WND; nothing in a reset.
    #[inline]
    fn window_field(&mut self, control: Control) -> u16 {
        if control.rst() {
            return 0;
        }
        self.advertise(if control.syn() { 0 } else { self.receive.scale })
    }

    /// SEG.ACK, which counts as sent from here on.
    #[inline]
    fn ack_field(&mut self, control: Control) -> SeqNumber {
        if !control.ack() || control.rst() {
            return SeqNumber::default();
        }
        self.needs.handshake_ack = false;
        self.receive.last_ack = self.receive.next;
        self.timers.stop(Timer::DelayedAck);
        self.receive.next
    }

    #[inline]
    fn urgent_pointer(&self, plan: &Plan) -> u16 {
        if !plan.control.urg() {
            return 0;
        }
        let distance = self.send.urgent.map_or(0, |urgent| urgent.since(plan.seq));
        u16::try_from(distance).unwrap_or(u16::MAX)
    }

    /// Whether SACK blocks may go with the next acknowledgment.
    #[inline]
    fn reports_sack(&self) -> bool {
        self.sack && (self.receive.queue.has_hole() || self.receive.duplicate.is_some())
    }

    /// The options of a SYN, of a reset, and of what tells of a hole.
    #[cold]
    fn rare_options(&mut self, plan: &Plan, now: Instant) -> Options {
        let control = plan.control;
        if control.rst() {
            return Options::NONE;
        }
        if control.syn() {
            return self.syn_options(now, control);
        }
        let timestamps = self.timestamps.map(|state| state.option(now));
        let mut options = Options { timestamps, ..Options::NONE };
        if control.ack() && self.sack {
            self.add_sack(&mut options, plan.length > 0);
        }
        options
    }

    /// The options of a SYN: what we offer, or in a SYN,ACK what was agreed.
    ///
    /// RFC 9293 §3.7.1 \[MUST-14\] \[SHLD-5\] \[MAY-3\], §3.2 \[MUST-65\]: the segment size in every SYN, and
    /// nowhere else; RFC 7323 §2.2 and §3.2; RFC 2018 §2.
    fn syn_options(&self, now: Instant, control: Control) -> Options {
        let offers = !control.ack();
        let scaling = if offers { self.config.window_scaling } else { self.receive.scaling_agreed };
        let stamps = if offers {
            let first = timestamps::clock(self.opening.timestamp_offset, now);
            self.config.timestamps.then_some(Timestamps { value: first, echo: 0 })
        } else {
            self.timestamps.map(|state| state.option(now))
        };
        Options {
            mss: Some(self.opening.mss),
            window_scale: scaling.then_some(self.receive.scale),
            sack_permitted: if offers { self.config.sack } else { self.sack },
            timestamps: stamps,
            ..Options::NONE
        }
    }

    /// Octets of text that fit into the next segment: SACK blocks take room too.
    ///
    /// RFC 9293 §3.7.1 [MUST-16].
    fn segment_room(&self) -> u32 {
        let mss = self.effective_mss();
        if !self.sack || !self.receive.queue.has_hole() {
            return mss;
        }
        let blocks = if self.timestamps.is_some() { 3 } else { 4 };
        mss.saturating_sub(4 + 8 * blocks).max(1)
    }

    /// What lies beyond the hole. RFC 2018 §3: three blocks beside timestamps, four without; what
    /// came twice is reported first (RFC 2883 §4).
    fn add_sack(&mut self, options: &mut Options, with_text: bool) {
        let most = if self.timestamps.is_some() { 3 } else { 4 };
        if let Some(block) = self.receive.duplicate.take_if(|_| !with_text) {
            options.sack.push(block);
        }
        if self.receive.queue.has_hole() {
            let left = most - options.sack.as_slice().len();
            for block in self.receive.queue.sack_blocks(self.receive.next, left) {
                options.sack.push(block);
            }
        }
    }

    /// Notes the congestion window.
    pub(crate) fn note_congestion(&mut self, because: WindowChange) {
        let (cwnd, ssthresh) = (self.congestion.cwnd(), self.congestion.ssthresh());
        let flight = self.flight();
        self.note(|| Note::CongestionWindow { cwnd, ssthresh, flight, because });
    }
}

/// How long silly-window avoidance may hold small text: 0.1 to 1 s. RFC 9293 §3.8.6.2.1.
const OVERRIDE: Duration = Duration::from_millis(200);
