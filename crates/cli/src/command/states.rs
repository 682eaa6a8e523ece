//! `aperto states`: the state diagram with the way that was walked, and the system's own sockets.

mod os;

use std::sync::atomic::Ordering;

use aperto_explain::ladder::Glyphs;
use aperto_explain::program::{Exit, Fault};
use aperto_explain::states::{self, Look, Step};
use aperto_trace::{Endpoints, FlowId, Trace, json};

use super::{demo, show};
use crate::arguments::states::States;
use crate::looks::{Looks, View, Why};
use crate::output::Output;

/// Draws what was asked for.
pub(crate) fn run(job: &States, looks: &Looks) -> Result<Exit, Fault> {
    match job {
        States::Os { port, watch } => os::run(*port, *watch, looks),
        States::Run(demo) => {
            let trace = demo::simulate(demo, looks)?.trace;
            draw(&trace, 0, looks)?;
            Ok(Exit::Done)
        }
        States::File { file, stream } => {
            let octets = show::octets_of(file)?;
            let (trace, broken) = show::understand(file, &octets)?;
            draw(&trace, *stream, looks)?;
            broken.map_or(Ok(Exit::Done), Err)
        }
    }
}

fn draw(trace: &Trace, stream: u32, looks: &Looks) -> Result<(), Fault> {
    let wanted = usize::try_from(stream).unwrap_or(usize::MAX);
    let Some(flow) = trace.flows().nth(wanted) else {
        let to = (trace.flows().count() as u64).saturating_sub(1);
        return Err(Fault::BadNumber { flag: "--stream".into(), value: stream.to_string(), from: 0, to });
    };
    let steps = states::steps(trace, flow.id);
    if looks.view() == View::Json {
        as_json(trace, flow.id, looks);
        return Ok(());
    }
    let look = Look {
        language: looks.language,
        glyphs: if looks.ascii { Glyphs::Ascii } else { Glyphs::Unicode },
        color: looks.color,
    };
    let lines = page(flow.endpoints, &steps, look, looks);
    let mut output = Output::paged(looks, lines.len());
    for line in lines {
        output.line(&line);
    }
    output.finish();
    Ok(())
}

/// Who is who, the drawing, the steps, and each state in a sentence where that was asked for.
fn page(ends: Endpoints, steps: &[Step], look: Look, looks: &Looks) -> Vec<String> {
    let who = looks.say("C client", "C cliente");
    let other = looks.say("S server", "S servidor");
    let mut lines = vec![format!("{who} {}   {other} {}   RFC 9293 §3.3.2", ends.source, ends.destination)];
    if looks.view() == View::Ladder {
        lines.extend(states::diagram(steps, look));
        lines.extend(states::legend(looks.language).into_iter().filter(|_| !looks.quiet));
    }
    if looks.view() != View::Nothing {
        lines.push(String::new());
        lines.extend(states::list(steps, look));
    }
    if steps.is_empty() {
        lines.push(looks.say("no state was seen to move", "não se viu nenhum estado mudar").into());
    }
    if looks.why == Some(Why::Full) {
        lines.push(String::new());
        lines.extend(states::meanings(looks.language));
    }
    lines
}

/// The moves of states alone, as the recording has them.
fn as_json(trace: &Trace, flow: FlowId, looks: &Looks) {
    let mut output = Output::new(looks);
    let mut line = |text: String| {
        output.octets(text.as_bytes());
        output.octets(b"\n");
    };
    line(json::start_line(&trace.header));
    let moves = trace.records().iter().filter(|record| {
        record.flow == Some(flow) && matches!(record.fact, aperto_trace::Fact::State { .. })
    });
    for record in moves {
        line(json::record_line(record));
    }
    let at = trace.records().last().map_or(aperto_time::Instant::ZERO, |record| record.at);
    line(json::ending_line(&aperto_trace::trace::Ending::End { at, exit_code: 0 }, trace.not_kept()));
    looks.json_ended.store(true, Ordering::Relaxed);
    output.finish();
}
