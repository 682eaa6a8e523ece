//! What the commands that work on recordings say, in English.

use alloc::format;
use alloc::string::String;

use super::{NotReplayable, ToolFault};
use crate::program::Notice;

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
        ToolFault::ReplayCutOff { file, at, records } => {
            Notice::new(format!("{file} is cut off or damaged at octet {at}"))
                .line(format!("the {records} records before that are the same now"))
        }
    }
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
