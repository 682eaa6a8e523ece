//! What a server does with a connection, and what both ends count.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use aperto_explain::Language;
use aperto_explain::program::saying::Saying;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};

use aperto_tokio::Conversation;

use crate::arguments::read::Service;

/// How much is read at once.
pub(crate) const CHUNK: usize = 1 << 16;

/// What was read and written.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) received: u64,
    pub(crate) sent: u64,
    hash: Sha256,
}

impl Tally {
    /// Octets were read.
    pub(crate) fn read(&mut self, octets: &[u8]) {
        self.received += octets.len() as u64;
        self.hash.update(octets);
    }

    /// The hash of what was read.
    pub(crate) fn sha256(&self) -> String {
        hexadecimal(&self.hash.clone().finalize())
    }
}

/// Octets as people compare them.
pub(crate) fn hexadecimal(octets: &[u8]) -> String {
    use std::fmt::Write as _;
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// Who answers datagrams and texts: what goes back for what came.
pub(crate) fn answer(service: &Service, language: Language, octets: &[u8]) -> Vec<u8> {
    match service {
        Service::Receipt => Saying::Receipt { octets: octets.len() as u64 }.text(language).into_bytes(),
        Service::Echo => octets.to_vec(),
        Service::Upper => String::from_utf8_lossy(octets).to_uppercase().into_bytes(),
        Service::Sink | Service::Chat | Service::Out(_) | Service::Files | Service::Text(_) => Vec::new(),
    }
}

/// Serves one connection until the client has closed, then closes too.
///
/// `shown` is told of every text before it is sent and after it was read.
pub(crate) async fn serve(
    conversation: &mut Conversation,
    service: &Service,
    language: Language,
    file: Option<&str>,
    mut shown: impl FnMut(bool, &[u8]),
) -> (Tally, io::Result<()>) {
    let mut tally = Tally::default();
    let done = respond(conversation, service, language, file, &mut tally, &mut shown).await;
    let closed = match done {
        Ok(()) => conversation.shutdown().await,
        Err(error) => Err(error),
    };
    (tally, closed)
}

async fn respond(
    conversation: &mut Conversation,
    service: &Service,
    language: Language,
    file: Option<&str>,
    tally: &mut Tally,
    shown: &mut impl FnMut(bool, &[u8]),
) -> io::Result<()> {
    let mut writer = file.map(File::create).transpose()?.map(BufWriter::new);
    let mut room = vec![0; CHUNK];
    // Letters of several octets may be cut by the edge of a segment.
    let mut half_letter: Vec<u8> = Vec::new();
    loop {
        let octets = conversation.read(&mut room).await?;
        let read = room.get(..octets).unwrap_or_default();
        if read.is_empty() {
            break;
        }
        tally.read(read);
        shown(false, read);
        if let Some(writer) = &mut writer {
            writer.write_all(read)?;
        }
        let reply = if *service == Service::Upper {
            half_letter.extend_from_slice(read);
            let whole = whole_letters(&half_letter);
            let rest = half_letter.split_off(whole);
            answer(service, language, &std::mem::replace(&mut half_letter, rest))
        } else {
            answer(service, language, read)
        };
        if !reply.is_empty() {
            shown(true, &reply);
            conversation.write_all(&reply).await?;
            conversation.flush().await?;
            tally.sent += reply.len() as u64;
        }
    }
    writer.map_or(Ok(()), |mut writer| writer.flush())
}

/// How many octets from the start are whole letters of UTF-8, or nonsense anyway.
fn whole_letters(octets: &[u8]) -> usize {
    match std::str::from_utf8(octets) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => octets.len(),
    }
}

/// What a reading task tells.
pub(crate) enum Read {
    Text(Vec<u8>),
    PeerClosed,
    Failed(io::Error),
}

/// Reads until the peer closes, and tells each piece. Gives its half back, to be put together again.
pub(crate) async fn read_all(
    mut half: ReadHalf<Conversation>,
    told: tokio::sync::mpsc::Sender<Read>,
) -> ReadHalf<Conversation> {
    let mut room = vec![0; CHUNK];
    loop {
        let read = match half.read(&mut room).await {
            Ok(0) => Read::PeerClosed,
            Ok(octets) => Read::Text(room.get(..octets).unwrap_or_default().to_vec()),
            Err(error) => Read::Failed(error),
        };
        let last = !matches!(read, Read::Text(_));
        if told.send(read).await.is_err() || last {
            return half;
        }
    }
}

/// Sends a whole file, and says how much and its hash. `shown` is told of each piece before.
pub(crate) async fn send_file(
    half: &mut WriteHalf<Conversation>,
    file: &mut (impl io::Read + Send),
    shown: impl Fn(&[u8]),
) -> io::Result<(u64, String)> {
    let mut room = vec![0; CHUNK];
    let (mut sent, mut hash) = (0_u64, Sha256::new());
    loop {
        let octets = file.read(&mut room)?;
        let read = room.get(..octets).unwrap_or_default();
        if read.is_empty() {
            break;
        }
        hash.update(read);
        shown(read);
        half.write_all(read).await?;
        sent += read.len() as u64;
    }
    half.flush().await?;
    Ok((sent, hexadecimal(&hash.finalize())))
}

/// Writes, and lets it leave: inside TLS octets may wait for room below otherwise.
pub(crate) async fn say(half: &mut WriteHalf<Conversation>, octets: &[u8]) -> io::Result<()> {
    half.write_all(octets).await?;
    half.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_that_a_segment_cuts_waits_for_its_rest() {
        let text = "Olá".as_bytes();
        assert_eq!(whole_letters(&text[..3]), 2);
        assert_eq!(whole_letters(text), 4);
        assert_eq!(whole_letters(&[b'a', 0xff, b'b']), 3);
    }

    #[test]
    fn the_hash_is_what_sha256sum_says() {
        let mut tally = Tally::default();
        tally.read(b"ab");
        tally.read(b"c");
        // FIPS 180-2, appendix B.1.
        assert_eq!(tally.sha256(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(tally.received, 3);
    }

    #[test]
    fn services_answer_as_their_names_say() {
        let english = Language::English;
        assert_eq!(answer(&Service::Receipt, english, b"hello"), b"got 5 bytes");
        assert_eq!(answer(&Service::Upper, english, "olá".as_bytes()), "OLÁ".as_bytes());
        assert_eq!(answer(&Service::Echo, english, b"x"), b"x");
        assert!(answer(&Service::Sink, english, b"x").is_empty());
    }
}
