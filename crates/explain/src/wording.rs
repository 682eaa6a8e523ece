//! A sentence in several lengths, and the arithmetic of terminal columns.

use alloc::string::String;
use alloc::vec::Vec;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// One thing said in several lengths, the fullest first.
///
/// A view takes the first that fits where it draws, so that a sentence loses what matters least.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wording {
    variants: Vec<String>,
}

impl Wording {
    /// One length only.
    #[must_use]
    pub fn one(text: impl Into<String>) -> Self {
        Self { variants: alloc::vec![text.into()] }
    }

    /// The same, shorter; for what does not fit otherwise.
    #[must_use]
    pub fn or(mut self, shorter: impl Into<String>) -> Self {
        self.variants.push(shorter.into());
        self
    }

    /// The fullest.
    #[must_use]
    pub fn full(&self) -> &str {
        self.variants.first().map_or("", String::as_str)
    }

    /// All lengths, the fullest first.
    #[must_use]
    pub fn variants(&self) -> &[String] {
        &self.variants
    }

    /// The first that fits into so many columns.
    #[must_use]
    pub fn that_fits(&self, columns: usize) -> Option<&str> {
        self.variants.iter().map(String::as_str).find(|text| width(text) <= columns)
    }

    /// What fits into so many columns, cut off where nothing does.
    #[must_use]
    pub fn within(&self, columns: usize) -> String {
        match self.that_fits(columns) {
            Some(text) => text.into(),
            None => cut(self.variants.last().map_or("", String::as_str), columns),
        }
    }
}

/// How many columns a text takes on a terminal.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// As much of a text as fits into so many columns, with `…` where something is missing.
#[must_use]
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.into();
    }
    let mut out = String::new();
    let mut used = 0;
    for letter in text.chars() {
        let next = used + letter.width().unwrap_or(0);
        if next + 1 > columns {
            break;
        }
        out.push(letter);
        used = next;
    }
    if columns > 0 {
        while out.ends_with(' ') {
            out.pop();
        }
        out.push('…');
    }
    out
}

/// Adds spaces until the text ends at a column; nothing if it is beyond it already.
pub fn pad(text: &mut String, column: usize) {
    for _ in width(text)..column {
        text.push(' ');
    }
}

/// A text on the left and one that ends at `columns`; the second goes to a line of its own if
/// there are not at least two columns between them.
#[must_use]
pub fn spread(left: &str, right: &str, columns: usize) -> Vec<String> {
    let mut first = String::from(left);
    if right.is_empty() {
        return alloc::vec![first];
    }
    let start = columns.saturating_sub(width(right));
    if width(left) + 2 <= start {
        pad(&mut first, start);
        first.push_str(right);
        return alloc::vec![first];
    }
    let mut second = String::new();
    pad(&mut second, start);
    second.push_str(right);
    alloc::vec![first, second]
}

/// Breaks a text into lines of so many columns, at spaces; a longer word is cut.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let room = width(&line) + usize::from(!line.is_empty()) + width(word);
        if room > columns && !line.is_empty() {
            lines.push(core::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&cut(word, columns));
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Replaces what would command a terminal instead of being shown: names, flags and comments come from
/// files.
#[must_use]
pub fn tame(text: &str) -> String {
    let commands = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|letter| if commands(letter) { '?' } else { letter }).collect()
}

/// Replaces what a terminal without UTF-8 cannot show by the nearest ASCII.
#[must_use]
pub fn to_ascii(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            ' '..='~' | '\n' => out.push(letter),
            '§' => {}
            '·' => out.push('-'),
            '×' => out.push('x'),
            '…' => out.push_str("..."),
            '→' => out.push_str("->"),
            '◷' => out.push('*'),
            'á' | 'à' | 'â' | 'ã' | 'ä' | 'ª' => out.push('a'),
            'é' | 'ê' | 'è' => out.push('e'),
            'í' => out.push('i'),
            'ó' | 'ô' | 'õ' | 'ö' | 'º' => out.push('o'),
            'ú' | 'ü' => out.push('u'),
            'ç' => out.push('c'),
            'Á' | 'À' | 'Â' | 'Ã' => out.push('A'),
            'É' | 'Ê' => out.push('E'),
            'Í' => out.push('I'),
            'Ó' | 'Ô' | 'Õ' => out.push('O'),
            'Ú' => out.push('U'),
            'Ç' => out.push('C'),
            'µ' => out.push('u'),
            '∞' => out.push_str("inf"),
            '≥' => out.push_str(">="),
            '≤' => out.push_str("<="),
            _ => out.push('?'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wording_gives_the_fullest_that_fits() {
        let wording = Wording::one("a long one").or("short");
        assert_eq!(wording.within(10), "a long one");
        assert_eq!(wording.within(9), "short");
        assert_eq!(wording.within(4), "sho…");
        assert_eq!(wording.within(0), "");
    }

    #[test]
    fn columns_are_not_bytes_and_not_letters() {
        assert_eq!(width("Olá"), 3);
        assert_eq!(width("日本"), 4);
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(spread("ab", "cd", 6), ["ab  cd"]);
        assert_eq!(spread("abc", "cd", 6), ["abc", "    cd"]);
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(tame("a\u{1b}[31m\nb"), "a?[31m?b");
        assert_eq!(to_ascii("não há §3.5 ×"), "nao ha 3.5 x");
    }
}
