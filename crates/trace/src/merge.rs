//! Two recordings of one conversation, made at its two ends by unrelated clocks, as one trace.
//!
//! A packet that left at one end and arrived at the other is found by what is the same at both
//! ([`identity`](crate::dissect)): endpoints, numbers, flags, window, timestamps, text. Of several that
//! look the same the one is taken whose way would have been the most usual (`pairs.rs`). What left and
//! never arrived was lost; what arrived twice was copied. Reasons, states and calls come from whichever
//! end knows them.
//!
//! The clocks: the least way there and the least way back, each measured between the two clocks, are
//! taken to be equally long. Half their difference is what one clock is ahead, half their sum the way;
//! an asymmetric path shifts the one by up to the other, and no recording can tell. RFC 5905 §8 reckons
//! in the same manner.
//!
//! Left out: clocks of different speed, and addresses that were translated on the way.

mod end;
mod pairs;
mod write;

use crate::record::FlowId;
use crate::trace::Trace;

use end::End;
use pairs::Pairs;

/// Which of the two recordings.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Which {
    /// The first.
    One,
    /// The other.
    Other,
}

/// Why two recordings cannot be merged.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MergeError {
    /// A recording has both ends already.
    BothEnds(Which),
    /// A recording has no packets.
    Nothing(Which),
    /// They have no connection in common, or no packet of one.
    NoCommonConnection,
    /// They were both made at the same end.
    SameEnd,
}

impl core::fmt::Display for MergeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::BothEnds(_) => "a recording has both ends already",
            Self::Nothing(_) => "a recording has no packets",
            Self::NoCommonConnection => "no connection is in both recordings",
            Self::SameEnd => "both recordings were made at the same end",
        })
    }
}

impl core::error::Error for MergeError {}

/// What is known of the two clocks, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Clocks {
    /// By how much the server's clock is ahead of the client's.
    pub server_ahead_ns: i64,
    /// The least one-way delay, if both ways are equally long; the offset is right to within this.
    /// None where packets were seen in one direction only: then the least delay is taken as nothing.
    pub one_way_ns: Option<i64>,
}

/// What came of a merger.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Report {
    /// Which recording is the client's.
    pub client: Which,
    /// Connections that both have.
    pub flows: u64,
    /// Connections of one recording only, which are left out.
    pub left_out: u64,
    /// Packets that left an end.
    pub left: u64,
    /// Those of them that arrived at the other.
    pub arrived: u64,
    /// Those that were lost between.
    pub lost: u64,
    /// Arrivals beyond the first.
    pub copies: u64,
    /// Arrivals of which no departure was recorded.
    pub unseen: u64,
    /// The clocks.
    pub clocks: Clocks,
}

/// Of flows with the same endpoints no more than this are looked through.
const MOST_ALIKE: usize = 64;

/// Merges two recordings of one conversation.
///
/// # Errors
///
/// Why they are none.
pub fn merge(one: &Trace, other: &Trace) -> Result<(Trace, Report), MergeError> {
    let first = End::of(one, Which::One)?;
    let second = End::of(other, Which::Other)?;
    let common = common_flows(one, other);
    let Some(&(flow, its)) = common.first() else { return Err(MergeError::NoCommonConnection) };
    let first_opened = first.opened(flow).ok_or(MergeError::NoCommonConnection)?;
    let second_opened = second.opened(its).ok_or(MergeError::NoCommonConnection)?;
    if first_opened == second_opened {
        return Err(MergeError::SameEnd);
    }
    let flip = |flows: &[(FlowId, FlowId)]| flows.iter().map(|&(a, b)| (b, a)).collect();
    let (client, ends, common) = if first_opened {
        (Which::One, [first, second], common)
    } else {
        (Which::Other, [second, first], flip(&common))
    };
    let pairs = Pairs::find(&ends).ok_or(MergeError::NoCommonConnection)?;
    let left_out = (one.flows().count() + other.flows().count()).saturating_sub(common.len() * 2) as u64;
    let mut writer = write::Writer::new(&ends, &common, &pairs);
    writer.write();
    let (trace, counts) = writer.finish();
    let report = Report { client, flows: common.len() as u64, left_out, clocks: pairs.clocks(), ..counts };
    Ok((trace, report))
}

/// The flows that both have, by endpoints and, where they are known, initial sequence numbers.
fn common_flows(one: &Trace, other: &Trace) -> alloc::vec::Vec<(FlowId, FlowId)> {
    use crate::Direction;
    let mut common: alloc::vec::Vec<(FlowId, FlowId)> = alloc::vec::Vec::new();
    let mut theirs: alloc::collections::BTreeMap<_, alloc::vec::Vec<&crate::Flow>> =
        alloc::collections::BTreeMap::new();
    for flow in other.flows() {
        theirs.entry((flow.protocol, sorted(flow.endpoints))).or_default().push(flow);
    }
    for flow in one.flows() {
        let Some(same) = theirs.get_mut(&(flow.protocol, sorted(flow.endpoints))) else { continue };
        let fits = |their: &crate::Flow| {
            [Direction::Up, Direction::Down].into_iter().all(|way| {
                let there = if their.endpoints == flow.endpoints { way } else { way.reversed() };
                let known = flow.syn_seen(way) && their.syn_seen(there);
                !known || flow.initial(way) == their.initial(there)
            })
        };
        if let Some(place) = same.iter().take(MOST_ALIKE).position(|their| fits(their)) {
            common.push((flow.id, same.remove(place).id));
        }
    }
    common
}

/// Endpoints without a direction.
fn sorted(pair: crate::Endpoints) -> (core::net::SocketAddr, core::net::SocketAddr) {
    if pair.source <= pair.destination {
        (pair.source, pair.destination)
    } else {
        (pair.destination, pair.source)
    }
}
