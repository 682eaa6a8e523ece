//! What a vault needs of a file system: a dozen operations, each about one name in one open folder.
//!
//! Nothing here takes a path. A folder is opened from the folder that it is in, so that no name, and
//! nobody who swaps a folder for a link meanwhile, leads outside of the root.

use core::fmt;

/// Why a disk does not do something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Trouble {
    /// There is no such thing.
    Missing,
    /// Something has the name already.
    Exists,
    /// A link stands where a file or folder should, or something that is neither.
    NotPlain,
    /// Not allowed.
    Denied,
    /// The disk, or the user's share of it, is full.
    Full,
    /// Somebody else has it.
    Busy,
    /// The file is larger than the file system allows.
    TooLarge,
    /// The file system cannot be written at all.
    ReadOnly,
    /// Anything else that the hardware or the system says.
    Other,
}

impl Trouble {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Missing,
        Self::Exists,
        Self::NotPlain,
        Self::Denied,
        Self::Full,
        Self::Busy,
        Self::TooLarge,
        Self::ReadOnly,
        Self::Other,
    ];
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "it is not there",
            Self::Exists => "something has the name already",
            Self::NotPlain => "a link, or no plain file or folder",
            Self::Denied => "not allowed",
            Self::Full => "no room left",
            Self::Busy => "somebody else has it",
            Self::TooLarge => "too large for the file system",
            Self::ReadOnly => "the file system is read-only",
            Self::Other => "the system refused",
        })
    }
}

/// What stands under a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// A plain file of this size.
    File(u64),
    /// A folder.
    Folder,
    /// A link, a device, a pipe.
    Else,
}

/// Whether a file that has the name may be replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Replace {
    /// It may not, whatever happens meanwhile.
    #[default]
    Never,
    /// The user said so.
    Files,
}

/// A file system below one root folder. Links are never followed, and names are single components.
pub trait Disk {
    /// An open folder.
    type Folder;
    /// An open file.
    type File;

    /// The root.
    ///
    /// # Errors
    ///
    /// As all of these: why the disk does not do it.
    fn root(&mut self) -> Result<Self::Folder, Trouble>;

    /// Opens a folder; a link is [`Trouble::NotPlain`].
    fn enter(&mut self, folder: &Self::Folder, name: &str) -> Result<Self::Folder, Trouble>;

    /// Makes a folder; what has the name is [`Trouble::Exists`].
    fn make_folder(&mut self, folder: &Self::Folder, name: &str) -> Result<(), Trouble>;

    /// What stands under a name, without following it.
    fn look(&mut self, folder: &Self::Folder, name: &str) -> Result<Option<Standing>, Trouble>;

    /// Opens a file to read.
    fn open(&mut self, folder: &Self::Folder, name: &str) -> Result<Self::File, Trouble>;

    /// Opens a file to read and write, or makes it, for us alone: [`Trouble::Busy`] where somebody
    /// else did the same.
    fn open_or_make(&mut self, folder: &Self::Folder, name: &str) -> Result<Self::File, Trouble>;

    /// How long a file is.
    fn length(&mut self, file: &Self::File) -> Result<u64, Trouble>;

    /// Cuts a file, or makes it longer.
    fn set_length(&mut self, file: &mut Self::File, octets: u64) -> Result<(), Trouble>;

    /// Reads as much as there is, at most a whole buffer; less only at the file's end.
    fn read_at(&mut self, file: &mut Self::File, at: u64, buffer: &mut [u8]) -> Result<usize, Trouble>;

    /// Writes all of it.
    fn write_at(&mut self, file: &mut Self::File, at: u64, octets: &[u8]) -> Result<(), Trouble>;

    /// Returns when what was written to a file survives a loss of power.
    fn sync(&mut self, file: &mut Self::File) -> Result<(), Trouble>;

    /// Returns when the names in a folder do.
    fn sync_folder(&mut self, folder: &Self::Folder) -> Result<(), Trouble>;

    /// Gives a file another name in its folder, at once and whole.
    fn rename(
        &mut self,
        folder: &Self::Folder,
        from: &str,
        to: &str,
        replace: Replace,
    ) -> Result<(), Trouble>;

    /// How many octets are free, where the system says.
    fn free(&mut self) -> Result<Option<u64>, Trouble>;
}
