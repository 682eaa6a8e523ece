//! Names and texts of others, made harmless for a terminal (RELIABILITY AP-9).
//!
//! A text may hold anything that is UTF-8; who shows it shows [`visible`]. A name is made of few
//! letters from the beginning ([`name`]), so that nobody is somebody else's look-alike: letters of
//! other alphabets that look the same are left out, and [`skeleton`] tells which names look alike.

use alloc::string::String;
use core::fmt::Write as _;

use super::MOST_NAME;

/// Whether a letter only shows itself: it neither moves the cursor, nor turns the direction of
/// writing, nor is it invisible.
#[must_use]
pub fn is_plain(letter: char) -> bool {
    !letter.is_control()
        && !matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}')
}

/// A text in one line: what is not [plain](is_plain) is written as `\n`, `\t` or `\u{1b}`.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            letter if is_plain(letter) => out.push(letter),
            letter => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(letter));
            }
        }
    }
    out
}

/// A name made of what somebody asked for: Latin letters, digits, `-`, `_` and `.`, at most
/// [`MOST_NAME`] octets; `someone` if nothing is left.
#[must_use]
pub fn name(asked: &str) -> String {
    let mut name = String::new();
    for letter in asked.trim().chars() {
        let is_latin = letter.is_alphabetic() && u32::from(letter) < 0x250;
        let letter = match letter {
            letter if is_latin || letter.is_ascii_digit() || matches!(letter, '-' | '_' | '.') => letter,
            ' ' => '_',
            _ => continue,
        };
        // Room is left for what tells two of one name apart.
        if name.len() + letter.len_utf8() > MOST_NAME - 4 {
            break;
        }
        name.push(letter);
    }
    if name.chars().any(char::is_alphanumeric) { name } else { "someone".into() }
}

/// Two names with the same skeleton look alike: `Ana` and `ana`, `Il1` and `lII`.
#[must_use]
pub fn skeleton(name: &str) -> String {
    let alike = |letter: char| match letter {
        'i' | 'l' | 'ı' | '|' | 'ǀ' => '1',
        'o' | 'ø' => '0',
        letter => letter,
    };
    name.chars().flat_map(char::to_lowercase).map(alike).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_move_a_cursor_or_turn_a_line_is_written_out() {
        assert_eq!(visible("olá 🙂"), "olá 🙂");
        assert_eq!(visible("a\x1b[2Jb\r\nc\x07\x7f"), "a\\u{1b}[2Jb\\r\\nc\\u{7}\\u{7f}");
        // CVE-2021-42574: embeddings, overrides, isolates and marks.
        for turns in [
            '\u{202a}', '\u{202b}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}', '\u{200f}',
            '\u{61c}',
        ] {
            let shown = visible(&String::from(turns));
            assert!(shown.starts_with("\\u{") && shown.is_ascii(), "{shown}");
        }
        // The 8-bit control sequence introducer.
        assert_eq!(visible("\u{9b}31m"), "\\u{9b}31m");
    }

    #[test]
    fn five_hundred_hostile_texts_show_nothing_but_plain_letters() {
        let pieces = [
            "\x1b]0;",
            "\u{202e}",
            "\x08",
            "ana",
            "\u{9d}",
            "\r",
            "\u{200b}",
            "\x1b[?1049h",
            "\u{feff}",
            "é",
        ];
        for first in 0..50_usize {
            for second in 0..10_usize {
                let text = [pieces[first % 10], pieces[second], pieces[(first / 10 + second) % 10]].concat();
                assert!(visible(&text).chars().all(is_plain), "{text:?}");
                assert!(name(&text).chars().all(|letter| letter.is_alphanumeric() || "-_.".contains(letter)));
            }
        }
    }

    #[test]
    fn names_are_few_latin_letters_and_never_empty() {
        assert_eq!(name("ana"), "ana");
        assert_eq!(name(" João da Silva "), "João_da_Silva");
        assert_eq!(name("\x1b[31m"), "31m");
        // Cyrillic а, е and о look like Latin ones.
        assert_eq!(name("а\u{435}\u{43e}"), "someone");
        assert_eq!(name("../../etc"), "....etc");
        assert_eq!(name("---"), "someone");
        assert_eq!(name(&"x".repeat(500)).len(), MOST_NAME - 4);
    }

    #[test]
    fn names_that_look_alike_have_one_skeleton() {
        assert_eq!(skeleton("Ana"), skeleton("ANA"));
        assert_eq!(skeleton("Paulo1"), skeleton("PauIol"));
        assert_ne!(skeleton("ana"), skeleton("anna"));
    }
}
