//! `aperto show`: draws a recording.

use std::io::{self, Read};

use aperto_explain::program::{Exit, Fault, FileTrouble, LooksLike};
use aperto_trace::{Capture, Fact, Trace, capture, rebuild};

use super::present::{self, Draw, Page};
use crate::arguments::read::Show;
use crate::looks::Looks;
use crate::record::trouble;

/// The largest file that is read: a capture is kept in memory.
const LARGEST: u64 = 1 << 30;

/// Reads the file and shows what is in it.
pub(crate) fn run(job: &Show, looks: &Looks) -> Result<Exit, Fault> {
    let octets = octets_of(&job.file)?;
    let (trace, broken) = understand(&job.file, &octets)?;
    let trace = match job.stream {
        Some(stream) => only(&trace, stream)?,
        None => trace,
    };
    let page = Page { draw: Draw::Whole, broken, ..Page::default() };
    present::finished(trace, page, &job.record, looks)
}

/// The octets of a file, or of stdin.
pub(crate) fn octets_of(file: &str) -> Result<Vec<u8>, Fault> {
    let unreadable = |error: io::Error| Fault::CannotRead { file: file.into(), why: trouble(&error) };
    let mut octets = Vec::new();
    if file == "-" {
        io::stdin().lock().take(LARGEST + 1).read_to_end(&mut octets).map_err(unreadable)?;
    } else {
        let opened = std::fs::File::open(file).map_err(unreadable)?;
        opened.take(LARGEST + 1).read_to_end(&mut octets).map_err(unreadable)?;
    }
    if octets.len() as u64 > LARGEST {
        return Err(Fault::CannotRead { file: file.into(), why: FileTrouble::TooLarge(LARGEST >> 20) });
    }
    Ok(octets)
}

/// The trace that a file holds; where it is cut off, what came before that, and the fault.
pub(crate) fn understand(file: &str, octets: &[u8]) -> Result<(Trace, Option<Fault>), Fault> {
    if octets.first() == Some(&b'{') {
        return recording(file, octets);
    }
    let capture = capture::read(octets).map_err(|_| not_a_capture(file, octets))?;
    let broken = capture.fault.as_ref().map(|fault| broken_capture(file, fault.at, &capture));
    Ok((rebuild(&capture), broken))
}

/// A file that is not a capture, and what it is instead.
pub(crate) fn not_a_capture(file: &str, octets: &[u8]) -> Fault {
    Fault::NotACapture { file: file.into(), looks_like: looks_like(octets) }
}

/// A capture that ends in the middle.
pub(crate) fn broken_capture(file: &str, at: u64, capture: &Capture) -> Fault {
    Fault::Broken { file: file.into(), at, packets: capture.frames.len() as u64 }
}

/// A recording of our own, line by line.
fn recording(file: &str, octets: &[u8]) -> Result<(Trace, Option<Fault>), Fault> {
    let text = String::from_utf8_lossy(octets);
    let (trace, error) = Trace::read_json_lines(&text);
    let Some(error) = error else {
        return match &trace.ending {
            Some(_) => Ok((trace, None)),
            None => {
                let broken = broken(file, octets.len() as u64, &trace);
                Ok((trace, Some(broken)))
            }
        };
    };
    if trace.records().is_empty() {
        return Err(Fault::BadRecording { file: file.into(), line: error.line, why: error.what.to_string() });
    }
    let at = text.lines().take(error.line.saturating_sub(1)).map(|line| line.len() as u64 + 1).sum();
    let broken = broken(file, at, &trace);
    Ok((trace, Some(broken)))
}

fn broken(file: &str, at: u64, trace: &Trace) -> Fault {
    let packets = trace.records().iter().filter(|record| matches!(record.fact, Fact::Left(_))).count() as u64;
    Fault::Broken { file: file.into(), at, packets }
}

/// The trace with one of its flows only.
fn only(trace: &Trace, stream: u32) -> Result<Trace, Fault> {
    let flows: Vec<_> = trace.flows().map(|flow| flow.id).collect();
    let most = (flows.len() as u64).saturating_sub(1);
    let place = usize::try_from(stream).unwrap_or(usize::MAX);
    let Some(wanted) = flows.get(place).copied() else {
        return Err(Fault::BadNumber {
            flag: "--stream".into(),
            value: stream.to_string(),
            from: 0,
            to: most,
        });
    };
    let mut one = Trace::new(trace.header.clone());
    // A part of a run cannot be run again.
    one.header.recipe = None;
    one.ending.clone_from(&trace.ending);
    for record in trace.records().iter().filter(|record| record.flow.is_none_or(|flow| flow == wanted)) {
        one.push(record.clone());
    }
    Ok(one)
}

/// What a file that is no capture probably is.
fn looks_like(octets: &[u8]) -> LooksLike {
    let starts = |magic: &[u8]| octets.starts_with(magic);
    if octets.is_empty() {
        LooksLike::Empty
    } else if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") {
        LooksLike::Zip
    } else if starts(b"%PDF") {
        LooksLike::Pdf
    } else if starts(b"\x89PNG") || starts(b"\xff\xd8\xff") || starts(b"GIF8") {
        LooksLike::Picture
    } else if starts(b"\x1f\x8b") {
        LooksLike::Gzip
    } else if starts(b"\x7fELF") || starts(b"MZ") {
        LooksLike::Program
    } else if octets
        .iter()
        .take(512)
        .all(|octet| matches!(octet, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0x80..))
    {
        LooksLike::Text
    } else {
        LooksLike::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_capture_is_recognized_by_its_beginning() {
        for (octets, expected) in [
            (&b""[..], LooksLike::Empty),
            (b"PK\x03\x04rest", LooksLike::Zip),
            (b"%PDF-1.7", LooksLike::Pdf),
            (b"\x89PNG\r\n", LooksLike::Picture),
            (b"hello\n", LooksLike::Text),
            (b"\x00\x01\x02", LooksLike::Unknown),
            (b"\x7fELF\x02", LooksLike::Program),
        ] {
            assert_eq!(looks_like(octets), expected, "{octets:?}");
        }
    }
}
