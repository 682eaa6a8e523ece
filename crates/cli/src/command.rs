//! What each command does, one file each.

pub(crate) mod bench;
mod chat;
pub(crate) mod check;
pub(crate) mod client;
pub(crate) mod compare;
mod datagrams;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod integrity;
pub(crate) mod key;
pub(crate) mod merge;
mod modes;
pub(crate) mod papers;
pub(crate) mod present;
pub(crate) mod replay;
pub(crate) mod server;
pub(crate) mod show;
pub(crate) mod states;
mod told;
pub(crate) mod transfer;
mod why;

use std::sync::atomic::Ordering;

use aperto_explain::program::{Exit, Fault};
use aperto_time::Instant;
use aperto_trace::json;
use aperto_trace::trace::Ending;

use crate::looks::{Looks, View};
use crate::output::{Output, tell};

/// Tells why nothing came of it: in words, and as the last line of JSON where that was asked for.
pub(crate) fn fail(fault: &Fault, looks: &Looks) -> Exit {
    if looks.asked_view == Some(View::Json) && !looks.json_ended.load(Ordering::Relaxed) {
        let ending = error_ending(fault, looks, Instant::ZERO);
        let mut output = Output::new(looks);
        output.octets(json::ending_line(&ending, 0).as_bytes());
        output.octets(b"\n");
        output.finish();
    }
    tell(fault, looks)
}

/// A fault as the end of a trace.
pub(crate) fn error_ending(fault: &Fault, looks: &Looks, at: Instant) -> Ending {
    Ending::Error {
        at,
        code: fault.code().into(),
        message: fault.notice(looks.language).headline,
        exit_code: fault.exit().code(),
    }
}
