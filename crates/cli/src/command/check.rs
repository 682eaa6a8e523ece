//! `aperto check`: claims about a recording, and whether they hold.

use std::sync::atomic::Ordering;

use aperto_explain::program::claims::{WrongClaim, candidates, summary, verdict};
use aperto_explain::program::tools::ToolFault;
use aperto_explain::program::{Exit, Fault, FileTrouble};
use aperto_time::Instant;
use aperto_trace::check::judge::judge;
use aperto_trace::check::{self, Claim, Evidence, Fault as ClaimFault, Verdict};
use aperto_trace::trace::Ending;
use aperto_trace::{Fact, Finding, Record, Trace, Vantage, json};

use super::{papers, show};
use crate::arguments::tools::Check;
use crate::looks::{Looks, View};
use crate::output::Output;

/// The largest file of claims that is read.
const LARGEST: usize = 1 << 20;

/// Judges the claims and says what became of each.
pub(crate) fn run(job: &Check, looks: &Looks) -> Result<Exit, Fault> {
    // The claims first: a recording may be large, and is worth nothing without them.
    let claims = claims(&job.rules)?;
    let octets = show::octets_of(&job.file)?;
    let (trace, broken) = show::understand(&job.file, &octets)?;
    let verdicts = judge(&trace, &claims);
    let failed = verdicts.iter().filter(|verdict| !verdict.holds).count() as u64;
    let exit = if failed > 0 { Exit::Failed } else { Exit::Done };
    let cut_off = broken.map(|fault| match fault {
        Fault::Broken { file, at, packets } => Fault::Tool(ToolFault::CheckCutOff { file, at, packets }),
        other => other,
    });
    if looks.view() == View::Json {
        let ending = cut_off.as_ref().map_or_else(
            || Ending::End { at: last(&trace), exit_code: exit.code() },
            |fault| super::error_ending(fault, looks, last(&trace)),
        );
        as_json(&trace, &claims, &verdicts, &ending, looks);
    } else {
        in_words(&claims, &verdicts, failed, looks);
    }
    cut_off.map_or(Ok(exit), Err)
}

fn claims(file: &str) -> Result<Vec<Claim>, Fault> {
    let octets = show::octets_of(file)?;
    if octets.len() > LARGEST {
        let why = FileTrouble::TooLarge(LARGEST as u64 >> 20);
        return Err(Fault::CannotRead { file: file.into(), why });
    }
    check::parse(&String::from_utf8_lossy(&octets)).map_err(|errors| {
        let wrong = errors.into_iter().map(|error| WrongClaim {
            line: error.line,
            nearest: nearest(&error.what),
            what: error.what,
        });
        Fault::Tool(ToolFault::BadClaims { file: file.into(), wrong: wrong.collect() })
    })
}

/// The word that was perhaps meant.
fn nearest(fault: &ClaimFault) -> Option<String> {
    let found = match fault {
        ClaimFault::UnknownClaim { found } | ClaimFault::Expected { found: Some(found), .. } => found,
        _ => return None,
    };
    let wanted = check::words::plain(found);
    papers::nearest(&wanted, candidates(fault))
}

fn in_words(claims: &[Claim], verdicts: &[Verdict], failed: u64, looks: &Looks) {
    let mut output = Output::new(looks);
    for (claim, became) in claims.iter().zip(verdicts) {
        if looks.quiet && became.holds {
            continue;
        }
        for line in verdict(looks.language, claim, became) {
            output.line(&line);
        }
    }
    output.line(&summary(looks.language, failed, claims.len() as u64));
    output.finish();
}

fn as_json(trace: &Trace, claims: &[Claim], verdicts: &[Verdict], ending: &Ending, looks: &Looks) {
    let mut lines = vec![json::start_line(&trace.header)];
    for (claim, became) in claims.iter().zip(verdicts) {
        let code = if became.holds { "claim-holds" } else { "claim-failed" };
        let mut values = vec![("line".into(), claim.line as u64)];
        match became.evidence {
            Evidence::Count(found) | Evidence::CloseSegments(found, _) => {
                values.push(("found".into(), found));
            }
            Evidence::Port(port) => values.push(("found".into(), u64::from(port))),
            Evidence::Answered(took) | Evidence::Lasted(took) => {
                let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
                values.push(("duration_ns".into(), nanoseconds));
            }
            Evidence::Traffic(own, all) => {
                values.extend([("own".into(), own), ("all".into(), all)]);
            }
            _ => {}
        }
        let fact = Fact::Finding(Finding { code: code.into(), packets: became.packets.clone(), values });
        let (at, flow) = (last(trace), None);
        lines.push(json::record_line(&Record { at, vantage: Vantage::Channel, flow, fact }));
    }
    lines.push(json::ending_line(ending, trace.not_kept()));
    let mut output = Output::new(looks);
    for line in lines {
        output.octets(line.as_bytes());
        output.octets(b"\n");
    }
    looks.json_ended.store(true, Ordering::Relaxed);
    output.finish();
}

fn last(trace: &Trace) -> Instant {
    trace.records().last().map_or(Instant::ZERO, |record| record.at)
}
