//! The two languages, and how a user asks for one.

use core::fmt;

/// A language of the program.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Portuguese as it is written in Brazil.
    Portuguese,
}

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::English, Self::Portuguese];

    /// Reads `pt-BR`, `pt`, `pt_BR.UTF-8`, `en`, `en_US.UTF-8`, `C`; none for any other language.
    ///
    /// `C` and `POSIX` are what a system without a language says; they read as English.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let word = text.trim().split(['-', '_', '.', '@']).next()?;
        if word.eq_ignore_ascii_case("pt") || word.eq_ignore_ascii_case("por") {
            Some(Self::Portuguese)
        } else if ["en", "eng", "C", "POSIX"].iter().any(|known| word.eq_ignore_ascii_case(known)) {
            Some(Self::English)
        } else {
            None
        }
    }

    /// The tag of BCP 47: `en`, `pt-BR`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Portuguese => "pt-BR",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_names_a_language() {
        for text in ["pt-BR", "pt", "pt_BR.UTF-8", "PT_br", " pt_PT@euro "] {
            assert_eq!(Language::parse(text), Some(Language::Portuguese), "{text}");
        }
        for text in ["en", "en_US.UTF-8", "EN-gb", "C", "C.UTF-8", "POSIX"] {
            assert_eq!(Language::parse(text), Some(Language::English), "{text}");
        }
        for text in ["", "de_DE", "ptolemaic", "e"] {
            assert_eq!(Language::parse(text), None, "{text}");
        }
    }
}
