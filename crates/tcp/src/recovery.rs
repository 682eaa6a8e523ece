//! Which octets were lost, and what may be sent while they are sent again.
//!
//! RFC 6675 (with SACK), RFC 6582 (without), RFC 5681 §3.2. The scoreboard is a short sorted list
//! of what the peer holds beyond SND.UNA. Everything that is not on it and lies before
//! `lost_edge` counts as lost; `high_rxt` tells how far that has been sent again.
//!
//! Left out: the rescue retransmission of RFC 6675 §5 (NextSeg rule 4) and PRR (RFC 6937); RACK
//! and tail loss probes (RFC 8985) are to stand beside this as a type of their own.

use alloc::vec::Vec;

use aperto_wire::SeqNumber;
use aperto_wire::tcp::SackBlock;

/// The scoreboard and the phase of loss recovery.
#[derive(Clone, Debug)]
pub(crate) struct Recovery {
    phase: Phase,
    /// What the peer holds beyond SND.UNA: sorted, disjoint, not touching.
    sacked: Vec<SackBlock>,
    /// How many octets that is.
    sacked_octets: u32,
    /// What is before this and not SACKed is lost.
    lost_edge: SeqNumber,
    /// HighRxt: what is before this, lost and not SACKed, has been sent again.
    high_rxt: SeqNumber,
    /// Duplicate ACKs in a row.
    duplicate_acks: u32,
    /// Without SACK: octets that duplicate ACKs say have left the network.
    credit: u32,
    /// SND.UNA is exactly where the last recovery ended.
    held: bool,
    /// The next retransmission leaves whatever the window says.
    pub(crate) forced: bool,
    /// Why the next retransmission would leave.
    pub(crate) partial_ack: bool,
    /// Whether what is out was too big for the path, and not lost to a timeout.
    pub(crate) too_big: bool,
}

/// The phase of recovery. `recover` is SND.NXT when it began (RFC 6582, RFC 6675 "RecoveryPoint").
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    /// Nothing is known to be lost.
    Open,
    /// Fast recovery.
    Fast {
        /// It ends when this is acknowledged.
        recover: SeqNumber,
    },
    /// After a timeout.
    Timeout {
        /// It ends when this is acknowledged.
        recover: SeqNumber,
    },
}

/// A stretch of sequence space to be sent again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Hole {
    pub(crate) start: SeqNumber,
    pub(crate) length: u32,
}

impl Recovery {
    pub(crate) fn new(una: SeqNumber) -> Self {
        Self {
            phase: Phase::Open,
            sacked: Vec::new(),
            sacked_octets: 0,
            lost_edge: una,
            high_rxt: una,
            duplicate_acks: 0,
            credit: 0,
            held: false,
            forced: false,
            partial_ack: false,
            too_big: false,
        }
    }

    pub(crate) const fn phase(&self) -> Phase {
        self.phase
    }

    pub(crate) const fn duplicate_acks(&self) -> u32 {
        self.duplicate_acks
    }

    /// Takes the blocks of an acknowledgment that make sense: beyond UNA and not beyond NXT.
    ///
    /// RFC 2018 §5, RFC 6675 §4 (Update). Says whether something new was learnt; what made no
    /// sense goes to `ignored`, a report of something received twice (RFC 2883 §4) included.
    pub(crate) fn take_sack(
        &mut self,
        blocks: &[SackBlock],
        una: SeqNumber,
        nxt: SeqNumber,
        most: usize,
        mut ignored: impl FnMut(SackBlock),
    ) -> bool {
        let mut news = false;
        for &block in blocks {
            let sensible = block.start.before(block.end)
                && block.start.after(una)
                && block.end.at_or_before(nxt)
                && block.start.before(nxt);
            if sensible {
                news |= self.add(block, una, most);
            } else {
                ignored(block);
            }
        }
        news
    }

    /// Merges a block; says whether it held something new.
    fn add(&mut self, block: SackBlock, una: SeqNumber, most: usize) -> bool {
        let place = |seq: SeqNumber| seq.since(una);
        let first = self.sacked.partition_point(|b| place(b.end) < place(block.start));
        let last = self.sacked.partition_point(|b| place(b.start) <= place(block.end));
        if first == last && self.sacked.len() >= most {
            return false;
        }
        let before: u32 = self.sacked[first..last].iter().map(|b| b.end.since(b.start)).sum();
        let merged = self.sacked[first..last]
            .iter()
            .fold(block, |all, b| SackBlock { start: all.start.earlier(b.start), end: all.end.later(b.end) });
        let gained = merged.end.since(merged.start) - before;
        if gained > 0 {
            self.sacked.splice(first..last, [merged]);
            self.sacked_octets += gained;
        }
        gained > 0
    }

    /// SND.UNA moved to `una`: forgets what lies before it.
    pub(crate) fn advance(&mut self, una: SeqNumber) {
        if !self.sacked.is_empty() {
            self.sacked.retain_mut(|block| {
                if block.end.at_or_before(una) {
                    return false;
                }
                block.start = block.start.later(una);
                true
            });
            self.sacked_octets = self.sacked.iter().map(|b| b.end.since(b.start)).sum();
            if self.sacked.is_empty() {
                self.sacked = Vec::new();
            }
        }
        self.lost_edge = self.lost_edge.later(una);
        self.high_rxt = self.high_rxt.later(una);
    }

    /// Sets `lost_edge` by the rule of RFC 6675 §4 (IsLost): lost is what has `threshold` separate
    /// blocks beyond it, or more than `threshold - 1` segments' worth of octets.
    pub(crate) fn mark_lost(&mut self, mss: u32, threshold: u32) {
        let enough = (threshold.saturating_sub(1)).saturating_mul(mss);
        let mut beyond = 0;
        for (count, block) in (1..).zip(self.sacked.iter().rev()) {
            beyond += block.end.since(block.start);
            if count >= threshold || beyond > enough {
                self.lost_edge = self.lost_edge.later(block.start);
                break;
            }
        }
    }

    /// Whether the first octet that is not acknowledged counts as lost.
    pub(crate) fn first_is_lost(&self, una: SeqNumber) -> bool {
        self.lost_edge.after(una)
    }

    /// Octets from `from` to `to` that the peer has not reported.
    fn not_sacked(&self, from: SeqNumber, to: SeqNumber) -> u32 {
        let mut octets = to.since(from);
        for block in &self.sacked {
            let start = block.start.later(from);
            let end = block.end.earlier(to);
            if start.before(end) {
                octets -= end.since(start);
            }
        }
        octets
    }

    /// An estimate of the octets in the network. RFC 6675 §4 (SetPipe).
    pub(crate) fn pipe(&self, una: SeqNumber, nxt: SeqNumber) -> u32 {
        if self.phase == Phase::Open && self.sacked.is_empty() {
            return nxt.since(una).saturating_sub(self.credit);
        }
        let not_lost = self.not_sacked(self.lost_edge.later(una), nxt);
        let sent_again = self.not_sacked(una, self.high_rxt.later(una));
        (not_lost + sent_again).saturating_sub(self.credit)
    }

    /// What to send again next. RFC 6675 §4 (NextSeg), rule 1.
    pub(crate) fn next_lost(&self, una: SeqNumber, mss: u32) -> Option<Hole> {
        self.hole_before(self.lost_edge, una, mss)
    }

    /// What to send again where nothing else may be sent. RFC 6675 §4 (NextSeg), rule 3.
    pub(crate) fn next_perhaps_lost(&self, una: SeqNumber, mss: u32) -> Option<Hole> {
        if !matches!(self.phase, Phase::Fast { .. }) {
            return None;
        }
        self.hole_before(self.sacked.last()?.start, una, mss)
    }

    /// The first stretch from HighRxt on that is not SACKed and lies before `edge`.
    fn hole_before(&self, edge: SeqNumber, una: SeqNumber, mss: u32) -> Option<Hole> {
        let mut start = self.high_rxt.later(una);
        let mut end = edge;
        for block in &self.sacked {
            if block.end.at_or_before(start) {
                continue;
            }
            if block.start.after(start) {
                end = end.earlier(block.start);
                break;
            }
            start = block.end;
        }
        start.before(end).then(|| Hole { start, length: end.since(start).min(mss) })
    }

    /// Octets up to `end` have been sent again.
    pub(crate) fn sent_again(&mut self, end: SeqNumber) {
        self.high_rxt = self.high_rxt.later(end);
        self.forced = false;
        self.partial_ack = false;
    }

    /// A duplicate acknowledgment arrived; returns how many in a row. `segment` is the credit that
    /// it gives where there is no SACK: a segment has left the network.
    pub(crate) fn duplicate_ack(&mut self, segment: u32, flight: u32) -> u32 {
        self.duplicate_acks = self.duplicate_acks.saturating_add(1);
        self.credit = self.credit.saturating_add(segment).min(flight);
        self.duplicate_acks
    }

    /// Whether nothing beyond the end of the last recovery was acknowledged: duplicates are then of
    /// what was sent twice, and no new loss. RFC 6582 §3.2 (2).
    pub(crate) const fn is_held(&self) -> bool {
        self.held
    }

    /// Begins fast recovery. `credit`: without SACK, the segments that the duplicate ACKs say have left.
    ///
    /// RFC 6675 §5 (4), RFC 6582 §3.2 (2), RFC 5681 §3.2 (3).
    pub(crate) fn begin_fast(&mut self, una: SeqNumber, nxt: SeqNumber, mss: u32, credit: u32) {
        self.credit = self.credit.max(credit);
        self.phase = Phase::Fast { recover: nxt };
        self.lost_edge = self.lost_edge.later((una + mss).earlier(nxt));
        self.high_rxt = una;
        self.forced = true;
    }

    /// Begins again from SND.UNA after a timeout: everything that is out counts as lost, and what
    /// the peer reported is forgotten, since it may have changed its mind. RFC 2018 §8.
    pub(crate) fn begin_timeout(&mut self, una: SeqNumber, nxt: SeqNumber) {
        self.phase = Phase::Timeout { recover: nxt };
        self.too_big = false;
        self.forget_sack();
        self.lost_edge = nxt;
        self.high_rxt = una;
        self.duplicate_acks = 0;
        self.credit = 0;
        self.forced = true;
    }

    /// Begins again from SND.UNA because the peer's window has opened that had shrunk over what is out.
    pub(crate) fn begin_again(&mut self, una: SeqNumber, nxt: SeqNumber) {
        self.begin_timeout(una, nxt);
        self.forced = false;
    }

    /// Begins again from SND.UNA because what is out was too big for the path. RFC 1191 §6.4.
    pub(crate) fn begin_smaller(&mut self, una: SeqNumber, nxt: SeqNumber) {
        self.begin_timeout(una, nxt);
        self.too_big = true;
    }

    fn forget_sack(&mut self) {
        self.sacked = Vec::new();
        self.sacked_octets = 0;
    }

    /// An acknowledgment moved SND.UNA by `octets` in recovery, but not to its end, and there is
    /// no SACK: the next segment is lost too. RFC 6582 §3.2 (3).
    pub(crate) fn partial_ack(&mut self, octets: u32, una: SeqNumber, nxt: SeqNumber, mss: u32) {
        self.credit = self.credit.saturating_sub(octets);
        if octets >= mss {
            self.credit = self.credit.saturating_add(mss).min(nxt.since(una));
        }
        self.lost_edge = (una + mss).earlier(nxt);
        self.high_rxt = una;
        self.forced = true;
        self.partial_ack = true;
    }

    /// Something new was acknowledged outside of fast recovery: duplicates count from 0 again.
    pub(crate) fn forget_duplicates(&mut self) {
        self.duplicate_acks = 0;
        self.credit = 0;
        self.held = false;
    }

    /// Everything that was out when recovery began has been acknowledged.
    pub(crate) fn end(&mut self, una: SeqNumber) {
        let recover = match self.phase {
            Phase::Open => None,
            Phase::Fast { recover } | Phase::Timeout { recover } => Some(recover),
        };
        self.phase = Phase::Open;
        self.too_big = false;
        self.lost_edge = una;
        self.high_rxt = una;
        self.forced = false;
        self.partial_ack = false;
        self.forget_duplicates();
        self.held = recover == Some(una);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MSS: u32 = 100;

    fn at(offset: u32) -> SeqNumber {
        SeqNumber::new(u32::MAX - 300) + offset
    }

    fn block(start: u32, end: u32) -> SackBlock {
        SackBlock { start: at(start), end: at(end) }
    }

    fn with(blocks: &[SackBlock], nxt: u32) -> Recovery {
        let mut recovery = Recovery::new(at(0));
        recovery.take_sack(blocks, at(0), at(nxt), 1024, |_| {});
        recovery.mark_lost(MSS, 3);
        recovery
    }

    /// RFC 6675 §4, IsLost: three blocks beyond, or more than two segments' worth of octets.
    #[test]
    fn lost_is_what_has_three_blocks_or_more_than_two_segments_beyond_it() {
        assert!(!with(&[block(100, 300)], 1000).first_is_lost(at(0)));
        assert!(with(&[block(100, 301)], 1000).first_is_lost(at(0)));
        assert!(!with(&[block(100, 110), block(200, 210)], 1000).first_is_lost(at(0)));
        assert!(with(&[block(100, 110), block(200, 210), block(300, 310)], 1000).first_is_lost(at(0)));
    }

    /// RFC 6675 §4, SetPipe, counted by hand: 0-100 is lost, 100-400 is SACKed, 400-1000 is out.
    #[test]
    fn pipe_counts_what_is_neither_lost_nor_reported() {
        let mut recovery = with(&[block(100, 400)], 1000);
        recovery.begin_fast(at(0), at(1000), MSS, 0);
        assert_eq!(recovery.pipe(at(0), at(1000)), 600);
        assert_eq!(recovery.next_lost(at(0), MSS), Some(Hole { start: at(0), length: 100 }));
        recovery.sent_again(at(100));
        assert_eq!(recovery.pipe(at(0), at(1000)), 700);
        assert_eq!(recovery.next_lost(at(0), MSS), None);
    }

    /// RFC 2018 §5, RFC 2883 §4: what was never sent, is reversed or is old changes nothing.
    #[test]
    fn impossible_blocks_are_ignored_one_by_one() {
        let mut recovery = Recovery::new(at(500));
        let mut ignored = 0;
        let blocks = [block(900, 1100), block(700, 600), block(400, 450), block(500, 600), block(700, 800)];
        assert!(recovery.take_sack(&blocks, at(500), at(1000), 1024, |_| ignored += 1));
        assert_eq!(ignored, 4);
        assert_eq!(recovery.sacked, [block(700, 800)]);
    }

    /// RFC 6582 §3.2: a partial acknowledgment uncovers the next segment.
    #[test]
    fn a_partial_acknowledgment_uncovers_the_next_hole() {
        let mut recovery = Recovery::new(at(0));
        for _ in 0..3 {
            recovery.duplicate_ack(MSS, 1000);
        }
        recovery.begin_fast(at(0), at(1000), MSS, 0);
        recovery.sent_again(at(100));
        recovery.advance(at(300));
        recovery.partial_ack(300, at(300), at(1000), MSS);
        assert_eq!(recovery.next_lost(at(300), MSS), Some(Hole { start: at(300), length: 100 }));
    }

    proptest! {
        /// The scoreboard equals a set of octets, and so do pipe and the next hole.
        #[test]
        fn the_scoreboard_equals_a_set_of_octets(
            blocks in prop::collection::vec((1u32..900, 1u32..100), 0..30),
            una in 0u32..500,
        ) {
            let nxt = 1000;
            let mut recovery = Recovery::new(at(0));
            let mut held = [false; 1000];
            for (start, length) in blocks {
                let end = (start + length).min(nxt);
                recovery.take_sack(&[block(start, end)], at(0), at(nxt), 1024, |_| {});
                held[start as usize..end as usize].fill(true);
            }
            recovery.advance(at(una));
            recovery.begin_fast(at(una), at(nxt), MSS, 0);
            recovery.mark_lost(MSS, 3);
            let lost = recovery.lost_edge.since(at(0)) as usize;
            let missing = |from: usize, to: usize| held[from.min(to)..to].iter().filter(|h| !**h).count() as u32;
            prop_assert_eq!(recovery.pipe(at(una), at(nxt)), missing(lost.max(una as usize), 1000));
            let first = (una as usize..lost).find(|&i| !held[i]);
            prop_assert_eq!(recovery.next_lost(at(una), MSS).map(|h| h.start), first.map(|i| at(i as u32)));
        }
    }
}
