//! `-w FILE`: a recording while it happens, or of a run that is over.
//!
//! The name's end says the format; `-` is pcapng on stdout. Each packet's comment holds its reason.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use aperto_explain::program::{Fault, FileTrouble};
use aperto_explain::{Comments, Language};
use aperto_secure::Secrets;
use aperto_trace::sink::Sink;
use aperto_trace::trace::Ending;
use aperto_trace::{Fact, Record, Trace, TraceHeader, Vantage, json, pcap, pcapng};

/// Where octets go.
pub(crate) struct Octets(BufWriter<Box<dyn Write + Send>>);

impl Sink for Octets {
    type Error = io::Error;

    fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        self.0.write_all(octets)
    }
}

enum Format {
    Pcapng(pcapng::Writer<Octets>),
    Pcap(pcap::Writer<Octets>),
    Aperto(Octets),
}

/// A recording that is being written.
pub(crate) struct Recording {
    file: String,
    format: Format,
    comments: Comments,
    language: Language,
    /// Secrets that go into the recording, where somebody asked for that.
    secrets: Option<Arc<Secrets>>,
    /// Packets that left and that arrived.
    sent: u64,
    arrived: u64,
}

/// How many records wait at most for the secrets of a handshake.
const MOST_UNRECORDED: usize = 4_096;

/// What a recording waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wait {
    /// For the secrets of a handshake, within bounds.
    ForSecrets,
    /// For nothing: it is the end.
    No,
}

/// What a recording's name says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Pcapng,
    Pcap,
    Aperto,
}

/// The format that a name asks for.
pub(crate) fn kind_of(file: &str) -> Result<Kind, Fault> {
    let lower = file.to_lowercase();
    if file == "-" || lower.ends_with(".pcapng") {
        Ok(Kind::Pcapng)
    } else if lower.ends_with(".pcap") {
        Ok(Kind::Pcap)
    } else if lower.ends_with(".aperto") {
        Ok(Kind::Aperto)
    } else {
        Err(Fault::UnknownFormat { file: file.into() })
    }
}

impl Recording {
    /// Begins a file.
    pub(crate) fn create(file: &str, header: &TraceHeader, language: Language) -> Result<Self, Fault> {
        let kind = kind_of(file)?;
        let failed = |error: io::Error| cannot_write(file, &error);
        let target: Box<dyn Write + Send> = match file {
            "-" => Box::new(io::stdout()),
            path => Box::new(File::create(path).map_err(failed)?),
        };
        let octets = Octets(BufWriter::with_capacity(1 << 16, target));
        let format = match kind {
            Kind::Pcapng => Format::Pcapng(pcapng::Writer::new(octets, header).map_err(failed)?),
            Kind::Pcap => Format::Pcap(pcap::Writer::new(octets, header).map_err(failed)?),
            Kind::Aperto => {
                let mut octets = octets;
                line(&mut octets, &json::start_line(header)).map_err(failed)?;
                Format::Aperto(octets)
            }
        };
        Ok(Self {
            file: file.into(),
            format,
            comments: Comments::new(language),
            language,
            secrets: None,
            sent: 0,
            arrived: 0,
        })
    }

    /// Adds what happened since a place in the trace's records.
    pub(crate) fn add(&mut self, trace: &Trace, from: usize) -> io::Result<()> {
        self.comments.learn(trace, from);
        // A reader of the file needs them before the frames that they open (RELIABILITY §5.5).
        let secrets = self.secrets.as_ref().map(|secrets| secrets.take()).unwrap_or_default();
        if let (false, Format::Pcapng(writer)) = (secrets.is_empty(), &mut self.format) {
            writer.tls_secrets(&secrets)?;
        }
        for record in trace.records().get(from..).unwrap_or_default() {
            match &mut self.format {
                Format::Pcapng(writer) => {
                    let comment = self.comments.for_record(record);
                    let comment = comment.or_else(|| unsaid(record, self.language));
                    writer.record(trace, record, comment.as_deref())?;
                }
                Format::Pcap(writer) => {
                    writer.record(trace, record)?;
                }
                Format::Aperto(octets) => line(octets, &json::record_line(record))?,
            }
            match (record.vantage, &record.fact) {
                (Vantage::Host { .. }, Fact::Left(_)) => self.sent += 1,
                (_, Fact::Arrived { .. }) => self.arrived += 1,
                _ => {}
            }
        }
        self.comments.forget();
        Ok(())
    }

    /// Takes secrets into the recording from here on.
    pub(crate) fn record_secrets(&mut self, secrets: Arc<Secrets>) {
        self.secrets = Some(secrets);
    }

    /// Adds what happened since a place in the trace's records, unless a handshake goes on whose
    /// secrets must stand before its frames. Gives the place up to where all is written.
    pub(crate) fn follow(&mut self, trace: &Trace, from: usize, wait: Wait) -> io::Result<usize> {
        let all = trace.records().len();
        let waiting = all.saturating_sub(from);
        let expects = self.secrets.as_ref().is_some_and(|secrets| secrets.are_expected());
        if waiting == 0 || wait == Wait::ForSecrets && expects && waiting < MOST_UNRECORDED {
            return Ok(from);
        }
        self.add(trace, from)?;
        Ok(all)
    }

    /// Lets a reader see what there is: for a pipe.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match &mut self.format {
            Format::Pcapng(writer) => writer.sink_mut().0.flush(),
            Format::Pcap(writer) => writer.sink_mut().0.flush(),
            Format::Aperto(octets) => octets.0.flush(),
        }
    }

    /// Whether somebody reads it while it is written.
    pub(crate) fn is_pipe(&self) -> bool {
        self.file == "-"
    }

    /// Ends the file, and says how many packets left and arrived.
    pub(crate) fn finish(mut self, ending: &Ending, not_kept: u64) -> Result<(u64, u64), Fault> {
        if let Format::Aperto(octets) = &mut self.format {
            line(octets, &json::ending_line(ending, not_kept))
                .map_err(|error| cannot_write(&self.file, &error))?;
        }
        match self.flush() {
            // Whoever read a pipe has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Err(error) => return Err(cannot_write(&self.file, &error)),
            Ok(()) => {}
        }
        Ok((self.sent, self.arrived))
    }

    /// The file's name.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }
}

fn line(octets: &mut Octets, text: &str) -> io::Result<()> {
    octets.write(text.as_bytes())?;
    octets.write(b"\n")
}

/// What is said of a packet of which there is nothing more to say: its name, which is that of its
/// row in the ladder.
fn unsaid(record: &Record, language: Language) -> Option<String> {
    let number = record.number()?;
    let english = language == Language::English;
    Some(match &record.fact {
        Fact::Arrived { copy: 0, packet: None, .. } if english => format!("{number} arrives"),
        Fact::Arrived { copy: 0, packet: None, .. } => format!("{number} chega"),
        Fact::Arrived { copy: 0, .. } if english => {
            format!("{number} arrives; why it was sent, the other side knows")
        }
        Fact::Arrived { copy: 0, .. } => format!("{number} chega; por que foi enviado, o outro lado sabe"),
        Fact::Arrived { .. } if english => format!("copy of {number}, made by the channel"),
        Fact::Arrived { .. } => format!("cópia do {number}, feita pelo canal"),
        Fact::Left(_) if english => format!("{number} leaves"),
        Fact::Left(_) => format!("{number} sai"),
        _ => return None,
    })
}

/// A file that cannot be written, as a fault.
pub(crate) fn cannot_write(file: &str, error: &io::Error) -> Fault {
    Fault::CannotWrite { file: file.into(), why: trouble(error) }
}

/// What is the matter with a file.
pub(crate) fn trouble(error: &io::Error) -> FileTrouble {
    match error.kind() {
        io::ErrorKind::NotFound => FileTrouble::Missing,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => FileTrouble::Denied,
        io::ErrorKind::IsADirectory => FileTrouble::Folder,
        io::ErrorKind::StorageFull => FileTrouble::Full,
        _ => FileTrouble::Other(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RELIABILITY §5.5: the block of secrets (type 10) stands before the first frame (type 6).
    #[test]
    fn a_recording_waits_for_the_secrets_of_a_handshake_but_not_for_ever() {
        let file = std::env::temp_dir().join(format!("aperto-record-{}.pcapng", std::process::id()));
        let name = file.to_str().unwrap();
        let mut recorder = recorder();
        let mut recording = Recording::create(name, &recorder.trace().header, Language::English).unwrap();
        let secrets = Arc::new(Secrets::new(None, aperto_secure::secrets::Recorded::Yes).unwrap());
        recording.record_secrets(Arc::clone(&secrets));
        let expected = secrets.expect();
        frames(&mut recorder, 10);
        assert_eq!(recording.follow(recorder.trace(), 0, Wait::ForSecrets).unwrap(), 0);
        rustls::KeyLog::log(&*secrets, "SERVER_TRAFFIC_SECRET_0", &[1], &[2]);
        assert_eq!(recording.follow(recorder.trace(), 0, Wait::ForSecrets).unwrap(), 0);
        drop(expected);
        let written = recording.follow(recorder.trace(), 0, Wait::ForSecrets).unwrap();
        assert!(written >= 10);
        // The next handshake is waited for in its turn, within bounds, and not at the end.
        let _expected = secrets.expect();
        frames(&mut recorder, 10);
        assert_eq!(recording.follow(recorder.trace(), written, Wait::ForSecrets).unwrap(), written);
        assert!(recording.follow(recorder.trace(), written, Wait::No).unwrap() > written);
        let here = recorder.trace().records().len();
        frames(&mut recorder, MOST_UNRECORDED);
        assert!(recording.follow(recorder.trace(), here, Wait::ForSecrets).unwrap() > here);
        recording.flush().unwrap();
        let octets = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        let kinds: Vec<u32> = blocks(&octets);
        let place = |kind| kinds.iter().position(|known| *known == kind).unwrap();
        assert!(place(10) < place(6), "{:?}", &kinds[..4]);
        assert_eq!(kinds.iter().filter(|kind| **kind == 10).count(), 1);
    }

    fn recorder() -> aperto_trace::Recorder {
        use aperto_trace::{HostInfo, InterfaceInfo, LinkType, Role, Source};
        let interface = InterfaceInfo {
            name: "client".into(),
            addresses: Vec::new(),
            link_type: LinkType::Ip,
            mtu: 1500,
        };
        let hosts = vec![HostInfo {
            name: "client".into(),
            role: Role::Client,
            source: Source::Known,
            interfaces: vec![interface],
        }];
        let header = TraceHeader { hosts, ..TraceHeader::default() };
        aperto_trace::Recorder::new(header, aperto_trace::Limits::default())
    }

    fn frames(recorder: &mut aperto_trace::Recorder, number: usize) {
        let vantage = Vantage::Host { host: aperto_trace::HostId(0), interface: 0 };
        for _ in 0..number {
            recorder.left(aperto_time::Instant::ZERO, vantage, &[0x45; 40], aperto_trace::Meaning::Plain);
        }
    }

    /// The types of the blocks of a file.
    fn blocks(mut octets: &[u8]) -> Vec<u32> {
        let mut kinds = Vec::new();
        while let Some(head) = octets.first_chunk::<8>() {
            kinds.push(u32::from_le_bytes([head[0], head[1], head[2], head[3]]));
            let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
            octets = &octets[length..];
        }
        kinds
    }

    #[test]
    fn the_end_of_the_name_says_the_format() {
        assert_eq!(kind_of("a.pcapng"), Ok(Kind::Pcapng));
        assert_eq!(kind_of("A.PCAP"), Ok(Kind::Pcap));
        assert_eq!(kind_of("x.y.aperto"), Ok(Kind::Aperto));
        assert_eq!(kind_of("-"), Ok(Kind::Pcapng));
        assert!(kind_of("notes.txt").is_err());
        assert!(kind_of("pcapng").is_err());
    }
}
