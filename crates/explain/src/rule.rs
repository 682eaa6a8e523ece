//! The rule behind a sentence: which section of which document.

use alloc::format;
use alloc::string::String;

/// A section of a document.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Rule {
    /// A section of an RFC; the whole of it if the section is empty.
    Rfc(u16, &'static str),
    /// A section of Kurose and Ross, *Computer Networking: A Top-Down Approach*, eighth edition.
    Kurose(&'static str),
}

/// How a rule is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Citation {
    /// `§3.5`: for RFC 9293 where the page says so; other documents as in `Number`.
    Section,
    /// `9293 §3.5`, `RFC 768`.
    #[default]
    Number,
    /// `RFC 9293 §3.5`.
    Whole,
}

impl Rule {
    /// A section of TCP's own document.
    #[must_use]
    pub const fn tcp(section: &'static str) -> Self {
        Self::Rfc(9293, section)
    }

    /// Whether it is a section of RFC 9293.
    #[must_use]
    pub const fn is_tcp(self) -> bool {
        matches!(self, Self::Rfc(9293, _))
    }

    /// The rule as text.
    #[must_use]
    pub fn cite(self, citation: Citation) -> String {
        match self {
            Self::Kurose(section) => format!("Kurose {section}"),
            Self::Rfc(number, "") => format!("RFC {number}"),
            Self::Rfc(9293, section) if citation == Citation::Section => format!("§{section}"),
            Self::Rfc(number, section) if citation == Citation::Whole => format!("RFC {number} §{section}"),
            Self::Rfc(number, section) => format!("{number} §{section}"),
        }
    }

    /// The rule as it stands in a packet comment: `9293 3.5`.
    #[must_use]
    pub fn plain(self) -> String {
        self.cite(Citation::Number).replace('§', "")
    }

    /// Where to read it; none for a book.
    #[must_use]
    pub fn link(self) -> Option<String> {
        match self {
            Self::Kurose(_) => None,
            Self::Rfc(number, "") => Some(format!("https://www.rfc-editor.org/rfc/rfc{number}.html")),
            Self::Rfc(number, section) => {
                let page = format!("https://www.rfc-editor.org/rfc/rfc{number}.html#section-");
                Some(page + section)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_written_in_three_lengths() {
        let rule = Rule::tcp("3.5");
        assert_eq!(rule.cite(Citation::Section), "§3.5");
        assert_eq!(rule.cite(Citation::Number), "9293 §3.5");
        assert_eq!(rule.cite(Citation::Whole), "RFC 9293 §3.5");
        assert_eq!(rule.plain(), "9293 3.5");
        assert_eq!(Rule::Rfc(6298, "5.4").cite(Citation::Section), "6298 §5.4");
        assert_eq!(Rule::Rfc(768, "").cite(Citation::Number), "RFC 768");
        assert_eq!(Rule::Kurose("3.4.3").cite(Citation::Whole), "Kurose 3.4.3");
        assert_eq!(
            Rule::Rfc(6298, "5.4").link().as_deref(),
            Some("https://www.rfc-editor.org/rfc/rfc6298.html#section-5.4")
        );
    }
}
