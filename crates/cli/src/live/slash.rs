//! What is typed at the prompt: text, a word that closes, or a command with a slash.
//!
//! Commands exist in both languages, whatever is spoken: `/perder proximo` and `/drop next`.
//! `\sair` says the word instead of closing, `//x` says `/x`.

use std::time::Duration;

use aperto_sim::quantity::parse_duration;

/// What was typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Typed {
    /// Something to say.
    Say(String),
    /// The conversation is over.
    Quit,
    /// The next segments that leave meet with this.
    Spoil(Spoil, u32),
    /// The channel is perfect again.
    Normal,
    /// Why was this segment sent?
    Why(u32),
    /// How is the connection?
    State,
    /// What can be typed?
    Help,
    /// A command that does not exist, or not so.
    Unknown(String),
}

/// What the channel does to a segment that was picked at the prompt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Spoil {
    Drop,
    Delay(Duration),
    Corrupt,
    Duplicate,
}

/// The words that close, alone on a line.
const QUIT: [&str; 3] = ["sair", "quit", "exit"];

/// The most segments that one command can pick.
const MOST: u32 = 1_000;

/// Understands a line.
pub(crate) fn understand(line: &str) -> Typed {
    let text = line.trim_end_matches(['\r', '\n']);
    let word = text.trim();
    if QUIT.contains(&word.to_lowercase().as_str()) {
        return Typed::Quit;
    }
    if let Some(escaped) = text.strip_prefix('\\') {
        return Typed::Say(escaped.into());
    }
    match word.strip_prefix('/') {
        None => Typed::Say(text.into()),
        Some(rest) if rest.starts_with('/') => Typed::Say(rest.into()),
        Some(command) => slash(command, word),
    }
}

fn slash(command: &str, whole: &str) -> Typed {
    let mut words = command.split_whitespace();
    let name = words.next().unwrap_or_default().to_lowercase();
    let arguments: Vec<&str> = words.collect();
    let unknown = || Typed::Unknown(whole.into());
    match name.as_str() {
        name if QUIT.contains(&name) => Typed::Quit,
        "perder" | "drop" => counted(Spoil::Drop, &arguments).unwrap_or_else(unknown),
        "corromper" | "corrupt" => counted(Spoil::Corrupt, &arguments).unwrap_or_else(unknown),
        "duplicar" | "dup" => counted(Spoil::Duplicate, &arguments).unwrap_or_else(unknown),
        "atrasar" | "delay" => delayed(&arguments).unwrap_or_else(unknown),
        "normal" => Typed::Normal,
        "why" | "porque" | "porquê" => {
            let number = arguments.first().and_then(|word| word.trim_start_matches('#').parse().ok());
            number.map_or_else(unknown, Typed::Why)
        }
        "estado" | "state" => Typed::State,
        "ajuda" | "help" => Typed::Help,
        _ => unknown(),
    }
}

/// `/perder`, `/perder proximo`, `/drop next`, `/drop 3`.
fn counted(what: Spoil, arguments: &[&str]) -> Option<Typed> {
    let how_many = match arguments {
        [] | ["proximo" | "próximo" | "next"] => 1,
        [number] => number.parse().ok().filter(|number| (1..=MOST).contains(number))?,
        _ => return None,
    };
    Some(Typed::Spoil(what, how_many))
}

/// `/atrasar 300ms`, `/atrasar proximo 300ms`.
fn delayed(arguments: &[&str]) -> Option<Typed> {
    let (time, rest) = arguments.split_last()?;
    let by = parse_duration(time).ok().filter(|by| *by <= Duration::from_secs(3_600))?;
    counted(Spoil::Delay(by), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_close_close_and_can_be_said() {
        for line in ["sair", "quit", "exit", "/sair", " SAIR \n", "/quit"] {
            assert_eq!(understand(line), Typed::Quit, "{line}");
        }
        assert_eq!(understand("\\sair"), Typed::Say("sair".into()));
        assert_eq!(understand("vou sair"), Typed::Say("vou sair".into()));
        assert_eq!(understand("oi, tudo bem?\r\n"), Typed::Say("oi, tudo bem?".into()));
        assert_eq!(understand("//etc"), Typed::Say("/etc".into()));
    }

    #[test]
    fn commands_exist_in_both_languages() {
        for line in ["/perder proximo", "/perder", "/drop next", "/perder próximo", "/drop 1"] {
            assert_eq!(understand(line), Typed::Spoil(Spoil::Drop, 1), "{line}");
        }
        assert_eq!(understand("/duplicar 3"), Typed::Spoil(Spoil::Duplicate, 3));
        let late = Spoil::Delay(Duration::from_millis(300));
        assert_eq!(understand("/atrasar 300ms"), Typed::Spoil(late, 1));
        assert_eq!(understand("/delay next 300ms"), Typed::Spoil(late, 1));
        assert_eq!(understand("/why 6"), Typed::Why(6));
        assert_eq!(understand("/porque #6"), Typed::Why(6));
        assert_eq!(understand("/ajuda"), Typed::Help);
        assert_eq!(understand("/estado"), Typed::State);
        assert_eq!(understand("/normal"), Typed::Normal);
        for line in ["/perder tudo", "/atrasar 300", "/why", "/dance", "/drop 0"] {
            assert!(matches!(understand(line), Typed::Unknown(_)), "{line}");
        }
    }
}
