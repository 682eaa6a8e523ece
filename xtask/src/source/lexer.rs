//! What each octet of a Rust file is: code, comment or literal.

/// What an octet belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Code, spaces included.
    Code,
    /// A comment of any sort, with its slashes.
    Comment,
    /// A string or character, with its quotes.
    Literal,
}

/// The kind of each octet.
pub(crate) fn kinds(text: &str) -> Vec<Kind> {
    let octets = text.as_bytes();
    let mut kinds = vec![Kind::Code; octets.len()];
    let mut at = 0;
    while at < octets.len() {
        let (kind, end) = token(octets, at);
        for slot in kinds.iter_mut().take(end).skip(at) {
            *slot = kind;
        }
        at = end.max(at + 1);
    }
    kinds
}

/// The text with everything of another kind turned into spaces; line ends stay.
pub(crate) fn only(text: &str, kinds: &[Kind], wanted: Kind) -> String {
    let keep = |(at, c): (usize, char)| -> String {
        if kinds.get(at) == Some(&wanted) || c == '\n' { c.to_string() } else { " ".repeat(c.len_utf8()) }
    };
    text.char_indices().map(keep).collect()
}

/// The kind of what begins at `at`, and where it ends.
fn token(octets: &[u8], at: usize) -> (Kind, usize) {
    let rest = octets.get(at..).unwrap_or_default();
    match rest {
        [b'/', b'/', ..] => (Kind::Comment, at + rest.iter().position(|o| *o == b'\n').unwrap_or(rest.len())),
        [b'/', b'*', ..] => (Kind::Comment, at + block_comment(rest)),
        [b'"', ..] => (Kind::Literal, at + string(rest)),
        [b'\'', ..] => character(rest).map_or((Kind::Code, at + 1), |n| (Kind::Literal, at + n)),
        [first, ..] if is_word(*first) => word_or_raw_string(octets, at),
        _ => (Kind::Code, at + 1),
    }
}

/// A word, which is code, or a raw string that begins with `r`, `br` or `cr`.
fn word_or_raw_string(octets: &[u8], at: usize) -> (Kind, usize) {
    let rest = octets.get(at..).unwrap_or_default();
    let length = rest.iter().position(|o| !is_word(*o)).unwrap_or(rest.len());
    let (word, after) = rest.split_at(length);
    if matches!(word, b"r" | b"br" | b"cr") {
        let hashes = after.iter().take_while(|o| **o == b'#').count();
        if after.get(hashes) == Some(&b'"') {
            let mut close = vec![b'"'];
            close.extend(core::iter::repeat_n(b'#', hashes));
            let inside = after.get(hashes + 1..).unwrap_or_default();
            let end = inside.windows(close.len()).position(|w| w == close).unwrap_or(inside.len());
            return (Kind::Literal, (at + length + hashes + 1 + end + close.len()).min(octets.len()));
        }
    }
    (Kind::Code, at + length)
}

/// The length of a block comment, which may hold others.
fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_u32, 0);
    while let Some(pair) = rest.get(at..at + 2) {
        match pair {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth.saturating_sub(1), at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The length of a string with escapes.
fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    while let Some(octet) = rest.get(at) {
        match octet {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of a character, or none where the quote begins a lifetime.
fn character(rest: &[u8]) -> Option<usize> {
    if rest.get(1) == Some(&b'\\') {
        return Some(rest.iter().skip(3).position(|o| *o == b'\'').map_or(rest.len(), |n| n + 4));
    }
    // One character of up to four octets, then the closing quote.
    let text = rest.get(1..rest.len().min(6))?;
    let width = match text.first()? {
        0..=0x7f => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    };
    (text.get(width) == Some(&b'\'')).then_some(width + 2)
}

fn is_word(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || octet == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_comments_and_literals_come_apart() {
        for (text, code, comment) in [
            ("a // b\nc", "a     \nc", "  // b\n "),
            ("a /* /* b */ c */ d", "a                 d", "  /* /* b */ c */  "),
            ("f(\"// no\", x)", "f(       , x)", "             "),
            ("let q = '\"'; // y", "let q =    ;     ", "             // y"),
            ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}", "                       "),
            ("r#\"a \" // b\"# c", "              c", "               "),
            ("'\\'' 'á' x", "          x", "           "),
        ] {
            let kinds = kinds(text);
            assert_eq!(only(text, &kinds, Kind::Code).trim_end(), code.trim_end(), "code of {text}");
            assert_eq!(
                only(text, &kinds, Kind::Comment).trim_end(),
                comment.trim_end(),
                "comments of {text}"
            );
        }
    }

    #[test]
    fn places_agree_with_the_text() {
        let text = "// Olá, ▶\nlet x = \"é\";\n";
        let kinds = kinds(text);
        assert_eq!(only(text, &kinds, Kind::Code).len(), text.len());
        assert_eq!(only(text, &kinds, Kind::Comment).len(), text.len());
    }

    #[test]
    fn an_unfinished_literal_or_comment_ends_with_the_file() {
        for text in ["\"abc", "/* abc", "r##\"abc\"#", "'", "'\\"] {
            assert_eq!(kinds(text).len(), text.len(), "{text}");
        }
    }
}
