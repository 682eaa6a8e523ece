//! What the commands that work on recordings say when they cannot do what was asked.
//!
//! A [`ToolFault`] is a value with its numbers, as a [`Fault`](super::Fault) is; each language is an
//! exhaustive `match` in a file of its own.

mod en;
mod pt;

use alloc::string::String;
use alloc::vec::Vec;

use aperto_time::Duration;

use super::claims::WrongClaim;
use super::{Exit, Notice};
use crate::Language;

/// How many lines that are not understood are told.
const MOST_WRONG: usize = 10;

/// Why a recording cannot be run again.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum NotReplayable {
    /// It was made on a real wire, of this name.
    Live(String),
    /// It is a capture: packets, and not what led to them.
    Capture,
    /// It does not say how it was made.
    NoRecipe,
    /// Its recipe is of a kind that this version does not know.
    UnknownRecipe(String),
    /// Its recipe has a word that this version does not understand.
    NotUnderstood {
        /// The recipe.
        recipe: String,
        /// What is wrong with it, by the code of the fault.
        what: String,
    },
}

/// Why two recordings cannot be merged.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum NotMergeable {
    /// It has both ends already.
    BothEnds,
    /// It has no packets.
    Nothing,
    /// It does not say at which end it was made.
    NoEnd,
    /// It and this other have no connection in common.
    Strangers(String),
    /// It and this other were made at the same end.
    SameEnd(String),
}

/// What came of a merger.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "named as in the trace's report")]
pub struct MergeTold {
    pub client: String,
    pub server: String,
    pub left: u64,
    pub arrived: u64,
    pub lost: u64,
    pub copies: u64,
    pub unseen: u64,
    pub left_out: u64,
    pub server_ahead_ns: i64,
    pub one_way_ns: Option<i64>,
}

/// What the commands that work on recordings could not do.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the text of a variant says what its fields are")]
pub enum ToolFault {
    /// `replay` of something that cannot be run again.
    NotReplayable { file: String, why: NotReplayable },
    /// `replay`: something else happened now than is recorded; a side that has nothing more is none.
    /// Record 0 is the header.
    ReplayDiffers {
        file: String,
        record: u64,
        recorded: Option<String>,
        now: Option<String>,
        /// The version that recorded it, where it is another.
        version: Option<String>,
    },
    /// `replay` of a file that is cut off or damaged; what came before is the same.
    ReplayCutOff { file: String, at: u64, records: u64 },
    /// `merge` of what is not one conversation seen from two ends.
    NotMergeable { file: String, why: NotMergeable },
    /// `states --os`: the system does not say; what it says instead, if it can be asked at all.
    NoSockets { what: Option<String> },
    /// `check`: claims that are not understood.
    BadClaims { file: String, wrong: Vec<WrongClaim> },
    /// `check` of a file that is cut off or damaged: the claims were judged by what came before.
    CheckCutOff { file: String, at: u64, packets: u64 },
}

impl ToolFault {
    /// The code with which the program ends.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::NotReplayable { why: NotReplayable::Live(_) | NotReplayable::Capture, .. } => Exit::Usage,
            Self::NotReplayable { .. } | Self::ReplayCutOff { .. } | Self::CheckCutOff { .. } => {
                Exit::Unreadable
            }
            Self::ReplayDiffers { .. } => Exit::Failed,
            Self::NoSockets { .. } => Exit::NotHere,
            Self::NotMergeable { why: NotMergeable::Nothing, .. } => Exit::Unreadable,
            Self::NotMergeable { .. } | Self::BadClaims { .. } => Exit::Usage,
        }
    }

    /// A name that does not change, for programs that read the output.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotReplayable { .. } => "not-replayable",
            Self::ReplayDiffers { .. } => "replay-differs",
            Self::ReplayCutOff { .. } => "replay-cut-off",
            Self::NotMergeable { .. } => "not-mergeable",
            Self::BadClaims { .. } => "bad-claims",
            Self::NoSockets { .. } => "no-sockets",
            Self::CheckCutOff { .. } => "check-cut-off",
        }
    }

    pub(super) fn notice(&self, language: Language) -> Notice {
        match language {
            Language::English => en::fault(self),
            Language::Portuguese => pt::fault(self),
        }
    }
}

/// What a replay that went well says.
#[must_use]
pub fn replay_same(language: Language, records: u64) -> String {
    match language {
        Language::English if records == 1 => "same, 1 record".into(),
        Language::English => alloc::format!("same, {records} records"),
        Language::Portuguese if records == 1 => "igual, 1 registro".into(),
        Language::Portuguese => alloc::format!("igual, {records} registros"),
    }
}

/// What a merger says before the ladder.
#[must_use]
pub fn merged(language: Language, told: &MergeTold) -> Vec<String> {
    let ahead = Duration::from_nanos(told.server_ahead_ns.unsigned_abs());
    let one_way = told.one_way_ns.map(|way| Duration::from_nanos(u64::try_from(way).unwrap_or(0)));
    match language {
        Language::English => en::merged(told, ahead, one_way),
        Language::Portuguese => pt::merged(told, ahead, one_way),
    }
}

#[cfg(test)]
mod tests;
