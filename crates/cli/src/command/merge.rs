//! `aperto merge`: the recordings of two ends as one, with both ends in one ladder.

use std::collections::BTreeSet;
use std::net::IpAddr;

use aperto_explain::program::tools::{MergeTold, NotMergeable, ToolFault, merged};
use aperto_explain::program::{Exit, Fault};
use aperto_time::Instant;
use aperto_trace::merge::{MergeError, Report, Which, merge};
use aperto_trace::{Capture, Fact, Finding, Record, Trace, Vantage, capture, rebuild_one_end};

use super::present::{self, Page};
use super::show;
use crate::arguments::tools::Merge;
use crate::looks::{Looks, View};
use crate::output::Output;

/// A file, as far as it is understood before the other one is.
enum Half {
    /// Our own lines.
    Lines(Box<Trace>),
    /// Packets, of which it may not be known which way they went.
    Capture(Capture),
}

/// Merges them, shows what came of it, and records it where that was asked for.
pub(crate) fn run(job: &Merge, looks: &Looks) -> Result<Exit, Fault> {
    let (one, other) = (read(&job.one)?, read(&job.other)?);
    let not = |file: &str, why| Fault::Tool(ToolFault::NotMergeable { file: file.into(), why });
    let (told, theirs) = (addresses(&one), addresses(&other));
    let one = trace(one, &theirs).ok_or_else(|| not(&job.one, NotMergeable::NoEnd))?;
    let other = trace(other, &told).ok_or_else(|| not(&job.other, NotMergeable::NoEnd))?;
    let (mut trace, report) = merge(&one, &other).map_err(|error| {
        let file = |which| if which == Which::One { job.one.as_str() } else { job.other.as_str() };
        match error {
            MergeError::BothEnds(which) => not(file(which), NotMergeable::BothEnds),
            MergeError::Nothing(which) => not(file(which), NotMergeable::Nothing),
            MergeError::NoCommonConnection => not(&job.one, NotMergeable::Strangers(job.other.clone())),
            MergeError::SameEnd => not(&job.one, NotMergeable::SameEnd(job.other.clone())),
        }
    })?;
    if let Some(tag) = &job.record.tag {
        trace.header.tag = Some(tag.clone());
    }
    trace.push(finding(&trace, &report));
    // What is drawn goes to stdout; where a recording does, nothing else may.
    if looks.view() != View::Json && job.record.file.as_deref() != Some("-") {
        say(job, &report, looks);
    }
    present::finished(trace, Page::default(), &job.record, looks)
}

fn read(file: &str) -> Result<Half, Fault> {
    let octets = show::octets_of(file)?;
    if octets.first() == Some(&b'{') {
        let (trace, broken) = show::understand(file, &octets)?;
        return broken.map_or(Ok(Half::Lines(Box::new(trace))), Err);
    }
    let capture = capture::read(&octets).map_err(|_| show::not_a_capture(file, &octets))?;
    match &capture.fault {
        Some(fault) => Err(show::broken_capture(file, fault.at, &capture)),
        None => Ok(Half::Capture(capture)),
    }
}

/// The addresses from which an end sends, where it says which packets it sent.
fn addresses(half: &Half) -> Vec<IpAddr> {
    let trace = match half {
        Half::Lines(trace) => Some((**trace).clone()),
        Half::Capture(capture) => rebuild_one_end(capture.clone(), &[]),
    };
    let records = trace.as_ref().map_or(&[][..], Trace::records);
    let all: BTreeSet<IpAddr> = records
        .iter()
        .filter_map(|record| match (&record.fact, record.vantage) {
            (Fact::Left(packet), Vantage::Host { .. }) => Some(packet.endpoints.source.ip()),
            _ => None,
        })
        .collect();
    all.into_iter().collect()
}

fn trace(half: Half, theirs: &[IpAddr]) -> Option<Trace> {
    match half {
        Half::Lines(trace) => Some(*trace),
        Half::Capture(capture) => rebuild_one_end(capture, theirs),
    }
}

/// What came of it, for whoever reads the recording.
fn finding(trace: &Trace, report: &Report) -> Record {
    let ahead = report.clocks.server_ahead_ns;
    let name = if ahead < 0 { "server_clock_behind_ns" } else { "server_clock_ahead_ns" };
    let mut values = vec![
        ("flows".into(), report.flows),
        ("left_out".into(), report.left_out),
        ("left".into(), report.left),
        ("arrived".into(), report.arrived),
        ("lost".into(), report.lost),
        ("copies".into(), report.copies),
        ("unseen".into(), report.unseen),
        (name.into(), ahead.unsigned_abs()),
    ];
    if let Some(one_way) = report.clocks.one_way_ns {
        values.push(("one_way_ns".into(), u64::try_from(one_way).unwrap_or(0)));
    }
    let at = trace.records().last().map_or(Instant::ZERO, |record| record.at);
    let fact = Fact::Finding(Finding { code: "merged".into(), packets: Vec::new(), values });
    Record { at, vantage: Vantage::Channel, flow: None, fact }
}

fn say(job: &Merge, report: &Report, looks: &Looks) {
    let (client, server) = match report.client {
        Which::One => (&job.one, &job.other),
        Which::Other => (&job.other, &job.one),
    };
    let told = MergeTold {
        client: client.clone(),
        server: server.clone(),
        left: report.left,
        arrived: report.arrived,
        lost: report.lost,
        copies: report.copies,
        unseen: report.unseen,
        left_out: report.left_out,
        server_ahead_ns: report.clocks.server_ahead_ns,
        one_way_ns: report.clocks.one_way_ns,
    };
    let mut output = Output::new(looks);
    for line in merged(looks.language, &told) {
        output.line(&line);
    }
    output.finish();
}
