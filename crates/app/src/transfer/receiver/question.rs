//! What a receiver asks, and how it is written.

use crate::transfer::frame::{Damaged, Frame};

/// A question whose answer has not come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Question {
    Page(u64),
    Hashes { file: u32, first: u64, count: u16 },
    Chunk { file: u32, chunk: u64 },
}

/// Whether a question is asked for the second time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Again {
    No,
    Yes,
}

impl Question {
    pub(super) const fn frame(self, again: Again) -> Frame {
        match (self, again) {
            (Self::Page(page), _) => Frame::AskPage { page },
            (Self::Hashes { file, first, count }, _) => Frame::AskHashes { file, first, count },
            (Self::Chunk { file, chunk }, Again::Yes) => Frame::AskAgain { file, chunk },
            (Self::Chunk { file, chunk }, Again::No) => Frame::Ask { file, first: chunk, count: 1 },
        }
    }

    /// Whether a frame that came damaged was the answer.
    pub(super) const fn is_answered_by(self, damaged: Damaged) -> bool {
        let Damaged { is_chunk, file: of, place } = damaged;
        match self {
            Self::Page(page) => !is_chunk && of == 0 && page == place,
            Self::Hashes { file, first, .. } => !is_chunk && file == of && first == place,
            Self::Chunk { file, chunk } => is_chunk && file == of && chunk == place,
        }
    }
}
