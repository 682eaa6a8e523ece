//! What the commands that work on recordings say, in English.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use aperto_time::Duration;

use super::{MOST_WRONG, MergeTold, NotMergeable, NotReplayable, ToolFault};
use crate::Language;
use crate::program::{Notice, claims};
use crate::quantity::milliseconds;

/// The fault in words.
pub(super) fn fault(fault: &ToolFault) -> Notice {
    match fault {
        ToolFault::NotReplayable { file, why } => not_replayable(file, why),
        ToolFault::ReplayDiffers { file, record, recorded, now, version } => {
            let nothing = || String::from("nothing more");
            let what = if *record == 0 { "its header".into() } else { format!("record {record}") };
            let notice = Notice::new(format!("{file}: {what} is not what happens now"))
                .line(format!("recorded:  {}", recorded.clone().unwrap_or_else(nothing)))
                .line(format!("now:       {}", now.clone().unwrap_or_else(nothing)));
            match version {
                Some(version) => notice.line(format!("it was recorded by aperto {version}")),
                None => notice.line("the same version gives the same records: was the file changed?"),
            }
        }
        ToolFault::NotMergeable { file, why } => not_mergeable(file, why),
        ToolFault::NoSockets { what: Some(what) } => {
            Notice::new("the system does not list its sockets").line(format!("it says:  {what}"))
        }
        ToolFault::NoSockets { what: None } => {
            Notice::new("aperto knows only how to ask Linux for its sockets").line("here:  netstat -an")
        }
        ToolFault::BadClaims { file, wrong } => {
            let mut notice = Notice::new(match wrong.len() {
                1 => format!("{file}: one line is not understood"),
                many => format!("{file}: {many} lines are not understood"),
            });
            for one in wrong.iter().take(MOST_WRONG) {
                notice = notice.line(claims::wrong(Language::English, one));
            }
            if wrong.len() > MOST_WRONG {
                notice = notice.line(format!("and {} more", wrong.len() - MOST_WRONG));
            }
            notice.line("all claims:  aperto check --help")
        }
        ToolFault::CheckCutOff { file, at, packets } => {
            Notice::new(format!("{file} is cut off or damaged at octet {at}"))
                .line(format!("the claims were judged by the {packets} packets before that"))
        }
        ToolFault::ReplayCutOff { file, at, records } => {
            Notice::new(format!("{file} is cut off or damaged at octet {at}"))
                .line(format!("the {records} records before that are the same now"))
        }
    }
}

fn not_mergeable(file: &str, why: &NotMergeable) -> Notice {
    match why {
        NotMergeable::BothEnds => Notice::new(format!("{file} has both ends already"))
            .line("merge is for one recording of the client's and one of the server's")
            .line(format!("look at it:  aperto show {file}")),
        NotMergeable::Nothing => Notice::new(format!("{file} has no packets")),
        NotMergeable::NoEnd => Notice::new(format!("{file} does not say at which end it was made"))
            .line("give it together with a recording of aperto's, made at the other end"),
        NotMergeable::Strangers(other) => {
            Notice::new(format!("{file} and {other} have no connection in common"))
                .line("addresses, ports and initial sequence numbers must be the same in both")
                .line("record both ends of one run:  aperto server ... -w s.aperto")
        }
        NotMergeable::SameEnd(other) => {
            Notice::new(format!("{file} and {other} were recorded at the same end"))
                .line("merge needs one recording of the client's and one of the server's")
        }
    }
}

/// What came of a merger.
pub(super) fn merged(told: &MergeTold, ahead: Duration, one_way: Option<Duration>) -> Vec<String> {
    let MergeTold { client, server, left, arrived, lost, copies, unseen, left_out, .. } = told;
    let word = if told.server_ahead_ns < 0 { "behind" } else { "ahead of" };
    let time = |time| milliseconds(Language::English, time);
    let mut lines = Vec::from([
        format!("client  {client}"),
        format!("server  {server}"),
        format!("packets {left} left, {arrived} arrived, {lost} lost between, {copies} copies"),
        format!("clocks  the server's was {} {word} the client's", time(ahead)),
    ]);
    lines.push(match one_way {
        Some(way) => {
            format!("        if both ways take equally long: {} each; else up to that wrong", time(way))
        }
        None => "        packets went one way only: the fastest is taken to have taken no time".into(),
    });
    if *unseen > 0 {
        lines.push(format!("unseen  {unseen} arrived that nobody recorded leaving"));
    }
    if *left_out > 0 {
        lines.push(format!("alone   {left_out} connections are in one recording only and left out"));
    }
    lines.push(String::new());
    lines
}

fn not_replayable(file: &str, why: &NotReplayable) -> Notice {
    match why {
        NotReplayable::Live(wire) => Notice::new(format!("{file} was recorded live (--wire {wire})"))
            .line("the other side, the clock and the network are not in the file: nobody can run them again")
            .line(format!("look at it:  aperto show {file}")),
        NotReplayable::Capture => Notice::new(format!("{file} is a capture: it has packets only"))
            .line("record the run as a .aperto file:  aperto --drop 4 -w run.aperto"),
        NotReplayable::NoRecipe => Notice::new(format!("{file} does not say how it was made"))
            .line("record it again:  aperto --drop 4 -w run.aperto"),
        NotReplayable::UnknownRecipe(kind) => {
            Notice::new(format!("{file} has a recipe of a kind that is not known here: {kind}"))
                .line("a later aperto wrote it; use that one")
        }
        NotReplayable::NotUnderstood { recipe, what } => {
            Notice::new(format!("{file}: its recipe is not understood ({what})"))
                .line(format!("it says:  {recipe}"))
        }
    }
}
