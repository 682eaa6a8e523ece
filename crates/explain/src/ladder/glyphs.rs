//! What arrows are made of, with and without UTF-8.

/// A set of glyphs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Glyphs {
    /// Lines and arrowheads.
    #[default]
    Unicode,
    /// ASCII only, for old consoles.
    Ascii,
}

impl Glyphs {
    /// The shaft of an arrow.
    pub(super) const fn shaft(self) -> &'static str {
        match self {
            Self::Unicode => "─",
            Self::Ascii => "-",
        }
    }

    /// The shaft of a copy that the channel made.
    pub(super) const fn copy(self) -> &'static str {
        match self {
            Self::Unicode => "═",
            Self::Ascii => "=",
        }
    }

    /// The shaft of a packet that arrives damaged, near its head.
    pub(super) const fn damaged(self) -> &'static str {
        match self {
            Self::Unicode => "≈",
            Self::Ascii => "~",
        }
    }

    /// The shaft between the two halves of a split arrow.
    pub(super) const fn dotted(self) -> &'static str {
        match self {
            Self::Unicode => "╌",
            Self::Ascii => ".",
        }
    }

    /// The head of an arrow to the right.
    pub(super) const fn right(self) -> &'static str {
        match self {
            Self::Unicode => "▶",
            Self::Ascii => ">",
        }
    }

    /// The head of an arrow to the left.
    pub(super) const fn left(self) -> &'static str {
        match self {
            Self::Unicode => "◀",
            Self::Ascii => "<",
        }
    }

    /// Where a packet is lost.
    pub(super) const fn lost(self) -> &'static str {
        match self {
            Self::Unicode => "✗",
            Self::Ascii => "X",
        }
    }

    /// A timer.
    pub(super) const fn clock(self) -> &'static str {
        match self {
            Self::Unicode => "◷",
            Self::Ascii => "*",
        }
    }

    /// Something is left out.
    pub(super) const fn ellipsis(self) -> &'static str {
        match self {
            Self::Unicode => "…",
            Self::Ascii => "...",
        }
    }
}
