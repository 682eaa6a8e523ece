//! A trace from a capture that was made at one end: what left there, and what arrived there.
//!
//! Our own files say which way each frame went. Where a file does not, the addresses of the other end
//! tell: what comes from them arrived.

use core::net::IpAddr;

use super::{Seen, build, has_both_ends};
use crate::capture::Capture;
use crate::pcapng::FrameDirection;
use crate::trace::Trace;

/// Makes a trace of a capture from one end; none if both ends are in it, or if nothing tells which
/// of the two it is.
#[must_use]
pub fn rebuild_one_end(mut capture: Capture, theirs: &[IpAddr]) -> Option<Trace> {
    if capture.interfaces.len() != 1 {
        let frames: alloc::vec::Vec<Seen<'_>> =
            capture.frames.iter().map(|frame| Seen::new(&capture, frame)).collect();
        if has_both_ends(&frames) {
            return None;
        }
    }
    let blind = capture.frames.iter().any(|frame| frame.direction.is_none());
    if blind && theirs.is_empty() {
        return None;
    }
    let directions: alloc::vec::Vec<FrameDirection> = capture
        .frames
        .iter()
        .map(|frame| {
            let source = Seen::new(&capture, frame).packet.endpoints.source.ip();
            let told =
                if theirs.contains(&source) { FrameDirection::Inbound } else { FrameDirection::Outbound };
            frame.direction.unwrap_or(told)
        })
        .collect();
    for (frame, direction) in capture.frames.iter_mut().zip(directions) {
        frame.direction = Some(direction);
    }
    Some(build(&capture, true))
}
