//! Which departure belongs to which arrival, and what the two clocks make of it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::Clocks;
use super::end::{End, Fate, Sight};
use crate::record::Record;

/// How an arrival belongs to a departure: the departure's place among the records of its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pair {
    pub(super) departure: usize,
    /// 0 for the packet itself, 1 for the first copy of it.
    pub(super) copy: u32,
    /// Whether it has other octets than it left with.
    pub(super) damaged: bool,
}

/// What was found.
pub(super) struct Pairs {
    /// By how much the clock of the second end is ahead.
    pub(super) ahead_ns: i128,
    one_way_ns: Option<i128>,
    /// For each end, by the place of an arrival there: where it left.
    pub(super) arrivals: [BTreeMap<usize, Pair>; 2],
    /// For each end, by the place of a departure there: how often it arrived.
    pub(super) departures: [BTreeMap<usize, u32>; 2],
}

/// More packets than this that look otherwise than they left are not looked for.
const MOST_STRANGE: usize = 4_096;

/// Departures that look the same, in order.
type Same<'a> = BTreeMap<u64, Vec<&'a Sight>>;

impl Pairs {
    /// Pairs the packets of the client's end with those of the server's; none if they have none in
    /// common.
    pub(super) fn find(ends: &[End<'_>; 2]) -> Option<Self> {
        let [client, server] = ends;
        let up = least(&client.departures, &server.arrivals);
        let down = least(&server.departures, &client.arrivals);
        let (ahead_ns, one_way_ns) = match (up, down) {
            (Some(up), Some(down)) => ((up - down) / 2, Some((up + down) / 2)),
            (Some(up), None) => (up, None),
            (None, Some(down)) => (-down, None),
            (None, None) => return None,
        };
        let mut pairs = Self {
            ahead_ns,
            one_way_ns,
            arrivals: [BTreeMap::new(), BTreeMap::new()],
            departures: [BTreeMap::new(), BTreeMap::new()],
        };
        pairs.assign(ends, 0);
        pairs.assign(ends, 1);
        Some(pairs)
    }

    pub(super) fn clocks(&self) -> Clocks {
        let narrow = |wide: i128| i64::try_from(wide).unwrap_or(if wide < 0 { i64::MIN } else { i64::MAX });
        Clocks { server_ahead_ns: narrow(self.ahead_ns), one_way_ns: self.one_way_ns.map(narrow) }
    }

    /// A time at an end, by the clock of the client's.
    pub(super) fn corrected(&self, end: usize, at_ns: i128) -> i128 {
        if end == 0 { at_ns } else { at_ns - self.ahead_ns }
    }

    /// The way that is usual.
    pub(super) fn one_way(&self) -> i128 {
        self.one_way_ns.unwrap_or(0)
    }

    /// Pairs what left at one end with what arrived at the other.
    fn assign(&mut self, ends: &[End<'_>; 2], from: usize) {
        let to = 1 - from;
        let (Some(sender), Some(receiver)) = (ends.get(from), ends.get(to)) else { return };
        let mut open: BTreeMap<u64, BTreeSet<(i128, usize)>> = BTreeMap::new();
        for sight in sender.departures.iter().filter(|sight| sight.fate != Fate::Lost) {
            let left = (self.corrected(from, sight.at_ns), sight.place);
            open.entry(sight.identity).or_default().insert(left);
        }
        let mut last: BTreeMap<u64, (usize, u32)> = BTreeMap::new();
        let mut strange = Vec::new();
        for sight in &receiver.arrivals {
            let arrives = self.corrected(to, sight.at_ns);
            let found = open.get(&sight.identity).and_then(|all| self.likeliest(all, arrives));
            let pair = if let Some(left) = found {
                open.get_mut(&sight.identity).map(|all| all.remove(&left));
                last.insert(sight.identity, (left.1, 0));
                Pair { departure: left.1, copy: 0, damaged: false }
            } else if let Some((departure, copy)) = last.get_mut(&sight.identity) {
                *copy += 1;
                Pair { departure: *departure, copy: *copy, damaged: false }
            } else {
                strange.push(sight);
                continue;
            };
            self.pair(from, sight.place, pair);
        }
        self.assign_damaged(ends, from, &strange);
    }

    /// Of departures that look the same the one whose way would have been the most usual, and that had
    /// left by then.
    fn likeliest(&self, all: &BTreeSet<(i128, usize)>, arrives: i128) -> Option<(i128, usize)> {
        let usual = arrives - self.one_way();
        let before = all.range(..(usual, usize::MAX)).next_back();
        let after = all.range((usual, usize::MAX)..).next();
        // Two clocks of different speed may make the least way negative.
        let had_left = |left: &&(i128, usize)| arrives - left.0 >= self.one_way().min(0);
        let away = |left: &&(i128, usize)| (usual - left.0).unsigned_abs();
        before.into_iter().chain(after).filter(had_left).min_by_key(away).copied()
    }

    /// What one end says was damaged arrives looking otherwise: as long as it was, soon after.
    fn assign_damaged(&mut self, ends: &[End<'_>; 2], from: usize, strange: &[&Sight]) {
        let to = 1 - from;
        let (Some(sender), Some(receiver)) = (ends.get(from), ends.get(to)) else { return };
        let length = |end: &End<'_>, place: usize| {
            end.trace.records().get(place).and_then(Record::packet).map(|packet| packet.frame_length)
        };
        let damaged: Vec<&Sight> =
            sender.departures.iter().filter(|left| left.fate == Fate::Damaged).take(MOST_STRANGE).collect();
        for sight in strange.iter().take(MOST_STRANGE) {
            let arrives = self.corrected(to, sight.at_ns);
            let fits = |left: &&&Sight| {
                !self.departures.get(from).is_some_and(|known| known.contains_key(&left.place))
                    && length(sender, left.place) == length(receiver, sight.place)
                    && self.corrected(from, left.at_ns) <= arrives
            };
            let found = damaged.iter().rfind(fits).map(|left| left.place);
            if let Some(departure) = found {
                self.pair(from, sight.place, Pair { departure, copy: 0, damaged: true });
            }
        }
    }

    fn pair(&mut self, from: usize, arrival: usize, pair: Pair) {
        if let Some(known) = self.arrivals.get_mut(1 - from) {
            known.insert(arrival, pair);
        }
        if let Some(known) = self.departures.get_mut(from) {
            *known.entry(pair.departure).or_insert(0) += 1;
        }
    }
}

/// The least time between a departure and its arrival, each by its own clock: of packets that look
/// like no other; if there are none, of those that look alike in their order.
fn least(departures: &[Sight], arrivals: &[Sight]) -> Option<i128> {
    let open = same(departures.iter().filter(|sight| sight.fate != Fate::Lost));
    let mut seen = BTreeMap::new();
    let (mut sure, mut likely): (Option<i128>, Option<i128>) = (None, None);
    for sight in arrivals.iter().filter(|sight| sight.fate != Fate::Lost) {
        let place: &mut usize = seen.entry(sight.identity).or_insert(0);
        let Some(all) = open.get(&sight.identity) else { continue };
        let Some(left) = all.get(*place) else { continue };
        *place += 1;
        let took = sight.at_ns - left.at_ns;
        let least = if all.len() == 1 { &mut sure } else { &mut likely };
        *least = Some(least.map_or(took, |least| least.min(took)));
    }
    sure.or(likely)
}

fn same<'a>(sights: impl Iterator<Item = &'a Sight>) -> Same<'a> {
    let mut same = Same::new();
    for sight in sights {
        same.entry(sight.identity).or_default().push(sight);
    }
    same
}
