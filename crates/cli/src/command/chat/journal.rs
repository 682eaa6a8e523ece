//! The file that a room's journal is in: read at the start, locked, written and waited for.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use aperto_app::chat::journal::JournalError;
use aperto_app::chat::room::{Config, Room};
use aperto_explain::program::chat::{ChatFault, ChatSaying};
use aperto_explain::program::{Fault, FileTrouble};

use crate::record::{cannot_write, trouble};

/// The longest journal that is read: a gibibyte.
const LONGEST: u64 = 1 << 30;
/// How much is read at once.
const CHUNK: usize = 1 << 16;

/// Opens a journal, or begins one, and gives the room that goes on from it.
pub(super) fn open(name: &str, config: Config) -> Result<(File, Room, ChatSaying), Fault> {
    let failed = |error: &io::Error| cannot_write(name, error);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(name)
        .map_err(|error| failed(&error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(Fault::Chat(ChatFault::JournalInUse { file: name.into() }));
        }
        // A file system without locks: nobody else can be told.
        Err(TryLockError::Error(_)) => {}
    }
    let about = file.metadata().map_err(|error| failed(&error))?;
    if about.len() > LONGEST {
        return Err(Fault::CannotRead { file: name.into(), why: FileTrouble::TooLarge(LONGEST >> 20) });
    }
    let mut wrong = None;
    let pieces = std::iter::from_fn(|| {
        let mut room = vec![0; CHUNK];
        match file.read(&mut room) {
            Ok(0) => None,
            Ok(octets) => {
                room.truncate(octets);
                Some(room)
            }
            Err(error) => {
                wrong = Some(error);
                None
            }
        }
    });
    let replayed = Room::replay(config, pieces);
    if let Some(error) = wrong {
        return Err(Fault::CannotRead { file: name.into(), why: trouble(&error) });
    }
    let (room, end) = replayed.map_err(|error| {
        Fault::Chat(match error {
            JournalError::NotAJournal => ChatFault::NotAJournal { file: name.into() },
            JournalError::Damaged { at } => ChatFault::JournalDamaged { file: name.into(), at },
        })
    })?;
    let mut cut = || {
        file.set_len(end.whole)?;
        file.seek(SeekFrom::Start(end.whole))?;
        file.sync_all()?;
        sync_folder(name)
    };
    cut().map_err(|error| failed(&error))?;
    let saying = ChatSaying::Journal { file: name.into(), messages: room.confirmed(), torn: end.torn };
    Ok((file, room, saying))
}

/// A new file is there after a crash only if its folder says so.
fn sync_folder(name: &str) -> io::Result<()> {
    if cfg!(unix) {
        let folder = Path::new(name).parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

/// Writes octets behind what is there, and waits until they are on the disk.
pub(super) fn write(file: &mut File, octets: &[u8]) -> io::Result<()> {
    file.write_all(octets)?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aperto_app::chat::room::Keeping;

    use super::*;

    fn config() -> Config {
        Config::new([7; 16], Keeping::Journal, "server")
    }

    struct Scratch(std::path::PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let file = std::env::temp_dir().join(format!("aperto-journal-{}-{name}", std::process::id()));
            let _ = std::fs::remove_file(&file);
            Self(file)
        }

        fn name(&self) -> &str {
            self.0.to_str().unwrap()
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    /// A journal with one message, and the room that wrote it.
    fn written(scratch: &Scratch) -> Room {
        let (mut file, mut room, _) = open(scratch.name(), config()).unwrap();
        room.say(Duration::ZERO, "oi").unwrap();
        let batch = room.take_journal().unwrap();
        write(&mut file, &batch.octets).unwrap();
        room.journaled(Duration::ZERO, batch.upto);
        room
    }

    #[test]
    fn a_journal_goes_on_where_it_ended_and_what_was_torn_is_cut_off() {
        let scratch = Scratch::new("goes-on");
        let room = written(&scratch);
        let whole = std::fs::metadata(scratch.name()).unwrap().len();
        let mut octets = std::fs::read(scratch.name()).unwrap();
        octets.extend_from_slice(&[0, 0, 0, 40, 255]);
        std::fs::write(scratch.name(), octets).unwrap();
        let (_, again, saying) = open(scratch.name(), config()).unwrap();
        assert_eq!(again.fingerprint(), room.fingerprint());
        let file = scratch.name().to_owned();
        assert_eq!(saying, ChatSaying::Journal { file, messages: 1, torn: 5 });
        assert_eq!(std::fs::metadata(scratch.name()).unwrap().len(), whole);
    }

    #[test]
    fn two_servers_do_not_write_one_journal() {
        let scratch = Scratch::new("locked");
        let _held = open(scratch.name(), config()).unwrap();
        let second = open(scratch.name(), config()).map(drop);
        assert!(matches!(second, Err(Fault::Chat(ChatFault::JournalInUse { .. }))), "{second:?}");
    }

    #[test]
    fn something_else_is_left_as_it_is() {
        let scratch = Scratch::new("else");
        std::fs::write(scratch.name(), "a shopping list").unwrap();
        let opened = open(scratch.name(), config()).map(drop);
        assert!(matches!(opened, Err(Fault::Chat(ChatFault::NotAJournal { .. }))), "{opened:?}");
        assert_eq!(std::fs::read(scratch.name()).unwrap(), b"a shopping list");
    }
}
