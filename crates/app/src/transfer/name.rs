//! Names of files and folders as they cross the wire: one rule, the same on every system.
//!
//! A name is one component, and a path is names joined by `/`, relative, at most [`MAX_DEPTH`] deep.
//! What does not keep the rule is refused with the reason; nothing is ever repaired into something
//! else. A name that keeps it means one file below the folder that it is used in, on Linux, macOS and
//! Windows alike: it cannot climb, name a device, a drive or a second stream, end in what Windows
//! drops, or look like another one through characters that nobody sees.
//!
//! Left out: Unicode normalisation. Two names that only differ in it are two files on most systems;
//! where they are one, the second meets a file that exists, and is refused for that.

use alloc::string::String;
use core::fmt;

/// The longest name, in octets of UTF-8. Most systems allow 255; ours for unfinished files need some.
pub const MAX_NAME: usize = 200;
/// How many names a path has at most.
pub const MAX_DEPTH: usize = 16;

/// Why a name is refused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum BadName {
    /// Nothing at all, as between two `/`, or before the first of an absolute path.
    Empty,
    /// More than [`MAX_NAME`] octets.
    TooLong,
    /// `.` or `..`.
    Climbs,
    /// It begins with a dot: a hidden file.
    Hidden,
    /// A separator of some system: `/`, `\` or `:`.
    Separator,
    /// A character that does not show: control, direction, joiner, filler.
    Unprintable,
    /// Not UTF-8, overlong forms included.
    NotUnicode,
    /// A device of Windows: `CON`, `nul.txt`, `COM1`.
    Device,
    /// It begins with a space, or ends with a space or a dot.
    Edge,
    /// More than [`MAX_DEPTH`] folders deep.
    TooDeep,
}

impl BadName {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Empty,
        Self::TooLong,
        Self::Climbs,
        Self::Hidden,
        Self::Separator,
        Self::Unprintable,
        Self::NotUnicode,
        Self::Device,
        Self::Edge,
        Self::TooDeep,
    ];
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty",
            Self::TooLong => "it is longer than 200 octets",
            Self::Climbs => "it names this folder or the one above",
            Self::Hidden => "it begins with a dot",
            Self::Separator => "it holds a separator",
            Self::Unprintable => "it holds a character that does not show",
            Self::NotUnicode => "it is not UTF-8",
            Self::Device => "it is a device of Windows",
            Self::Edge => "it begins with a space, or ends with a space or a dot",
            Self::TooDeep => "it is more than 16 folders deep",
        })
    }
}

/// Whether one component keeps the rule.
///
/// # Errors
///
/// The first thing that is wrong with it.
pub fn check_name(name: &str) -> Result<(), BadName> {
    if name.is_empty() {
        return Err(BadName::Empty);
    }
    if name.len() > MAX_NAME {
        return Err(BadName::TooLong);
    }
    if name == "." || name == ".." {
        return Err(BadName::Climbs);
    }
    if name.chars().any(|letter| matches!(letter, '/' | '\\' | ':')) {
        return Err(BadName::Separator);
    }
    if name.chars().any(does_not_show) {
        return Err(BadName::Unprintable);
    }
    if name.starts_with('.') {
        return Err(BadName::Hidden);
    }
    if name.starts_with(char::is_whitespace) || name.ends_with(|end: char| end == '.' || end.is_whitespace())
    {
        return Err(BadName::Edge);
    }
    if is_device(name) {
        return Err(BadName::Device);
    }
    Ok(())
}

/// Characters that paint nothing of their own, or repaint what stands beside them.
const fn does_not_show(letter: char) -> bool {
    matches!(letter,
        '\0'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}'
        // What will never be a character, and what means something else on each machine.
        | '\u{fdd0}'..='\u{fdef}'
        | '\u{e000}'..='\u{f8ff}'
        | '\u{f0000}'..='\u{10ffff}')
        || (letter as u32) & 0xfffe == 0xfffe
}

/// The names that Windows keeps for devices, with whatever extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let is = |device: &str| stem.eq_ignore_ascii_case(device);
    if ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"].into_iter().any(is) {
        return true;
    }
    let mut letters = stem.chars();
    let (Some(a), Some(b), Some(c), Some(digit), None) =
        (letters.next(), letters.next(), letters.next(), letters.next(), letters.next())
    else {
        return false;
    };
    let kind = [a, b, c].map(|letter| letter.to_ascii_uppercase());
    (kind == ['C', 'O', 'M'] || kind == ['L', 'P', 'T']) && matches!(digit, '0'..='9' | '¹' | '²' | '³')
}

/// A relative path that keeps the rule.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Path(String);

impl Path {
    /// Takes a path apart, as it is written on the wire.
    ///
    /// # Errors
    ///
    /// Why it is refused.
    pub fn from_wire(octets: &[u8]) -> Result<Self, BadName> {
        let text = core::str::from_utf8(octets).map_err(|_| BadName::NotUnicode)?;
        for (place, name) in text.split('/').enumerate() {
            if place >= MAX_DEPTH {
                return Err(BadName::TooDeep);
            }
            check_name(name)?;
        }
        Ok(Self(text.into()))
    }

    /// A path of one name.
    ///
    /// # Errors
    ///
    /// Why the name is refused.
    pub fn new(name: &str) -> Result<Self, BadName> {
        check_name(name)?;
        Ok(Self(name.into()))
    }

    /// What has this name in that folder.
    ///
    /// # Errors
    ///
    /// Why the name is refused, or that it is too deep.
    pub fn join(&self, name: &str) -> Result<Self, BadName> {
        check_name(name)?;
        if self.names().count() >= MAX_DEPTH {
            return Err(BadName::TooDeep);
        }
        Ok(Self(alloc::format!("{}/{name}", self.0)))
    }

    /// As it is written on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its names, the outermost first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// Its last name.
    #[must_use]
    pub fn last(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The folder that it is in; none where that is the root.
    #[must_use]
    pub fn folder(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(folder, _)| Self(folder.into()))
    }

    /// What it is the same as where capitals do not count.
    #[must_use]
    pub fn folded(&self) -> String {
        // Through capitals first, so that ß and ss, and ς and σ, are one.
        self.0.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn ordinary_names_of_many_languages_are_taken_as_they_are() {
        for name in [
            "photo.jpg",
            "Relatório final (2).pdf",
            "aula 1.txt",
            "日本語",
            "naïve",
            "a",
            "CONTRATO",
            "console.log",
            "COM10",
            "LPT",
            "%2e%2e%2f",
            "~",
            "-rf",
            "a..b",
            "🙂.png",
        ] {
            assert_eq!(check_name(name), Ok(()), "{name}");
            assert_eq!(Path::from_wire(name.as_bytes()).map(|path| path.to_string()), Ok(name.to_string()));
        }
        assert_eq!(check_name(&"x".repeat(200)), Ok(()));
    }

    #[test]
    fn each_hostile_name_is_refused_for_its_own_reason() {
        for (name, why) in [
            ("", BadName::Empty),
            (".", BadName::Climbs),
            ("..", BadName::Climbs),
            (".bashrc", BadName::Hidden),
            ("...", BadName::Hidden),
            ("a\\b", BadName::Separator),
            ("C:", BadName::Separator),
            ("a:stream", BadName::Separator),
            ("a\0b", BadName::Unprintable),
            ("a\nb", BadName::Unprintable),
            ("\u{1b}[2J", BadName::Unprintable),
            ("gpj.\u{202e}exe", BadName::Unprintable),
            ("a\u{200b}b", BadName::Unprintable),
            ("a\u{ffff}", BadName::Unprintable),
            ("a.", BadName::Edge),
            ("a ", BadName::Edge),
            (" a", BadName::Edge),
            ("a\u{a0}", BadName::Edge),
            ("CON", BadName::Device),
            ("nul.txt", BadName::Device),
            ("Com1.tar.gz", BadName::Device),
            ("lpt³", BadName::Device),
            ("aux .c", BadName::Device),
        ] {
            assert_eq!(check_name(name), Err(why), "{name:?}");
        }
        assert_eq!(check_name(&"x".repeat(201)), Err(BadName::TooLong));
    }

    #[test]
    fn paths_neither_climb_nor_begin_at_the_root_nor_go_too_deep() {
        for (path, why) in [
            (&b"../../etc/passwd"[..], BadName::Climbs),
            (b"/etc/passwd", BadName::Empty),
            (b"a//b", BadName::Empty),
            (b"a/", BadName::Empty),
            (b"a/./b", BadName::Climbs),
            (b"a/..\\b", BadName::Separator),
            // An overlong '/', and an overlong '.': RFC 3629 §3 forbids both.
            (b"a\xc0\xafb", BadName::NotUnicode),
            (b"\xe0\x80\xae\xe0\x80\xae", BadName::NotUnicode),
            (b"a\xff", BadName::NotUnicode),
        ] {
            assert_eq!(Path::from_wire(path), Err(why), "{path:?}");
        }
        let deep = ["d"; MAX_DEPTH].join("/");
        let path = Path::from_wire(deep.as_bytes()).unwrap();
        assert_eq!(path.join("e"), Err(BadName::TooDeep));
        assert_eq!(Path::from_wire(alloc::format!("{deep}/e").as_bytes()), Err(BadName::TooDeep));
    }

    #[test]
    fn a_path_knows_its_folder_and_what_it_collides_with() {
        let path = Path::new("Fotos").unwrap().join("STRASSE.jpg").unwrap();
        assert_eq!((path.last(), path.folder().unwrap().as_str()), ("STRASSE.jpg", "Fotos"));
        assert_eq!(Path::new("a").unwrap().folder(), None);
        assert_eq!(path.folded(), Path::from_wire("fotos/Straße.jpg".as_bytes()).unwrap().folded());
    }
}
