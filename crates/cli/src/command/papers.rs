//! Help, completions, the manual page and the version: what the program says about itself.

use aperto_explain::program::{Exit, Fault};
use clap::Command;
use clap_complete::Shell;

use crate::arguments::tree;
use crate::looks::Looks;
use crate::output::Output;

/// `aperto --version`.
pub(crate) fn version(looks: &Looks) -> Exit {
    let mut output = Output::new(looks);
    output.line(&format!("aperto {}", env!("CARGO_PKG_VERSION")));
    output.finish();
    Exit::Done
}

/// `aperto help`, `aperto help server`, `aperto help --all`.
pub(crate) fn help(looks: &Looks, command: Option<&str>, all: bool) -> Result<Exit, Fault> {
    let mut root = tree::command(looks.language);
    let text = match (command, all) {
        (_, true) => everything(&mut root),
        (None, false) => shown(&mut root, looks),
        (Some(name), false) => {
            let Some(found) = root.find_subcommand_mut(name) else {
                let nearest = nearest(name, root.get_subcommands().map(|below| below.get_name().to_owned()));
                return Err(Fault::UnknownCommand { word: name.into(), nearest });
            };
            shown(found, looks)
        }
    };
    print(looks, &text);
    Ok(Exit::Done)
}

/// Prints help that was asked for with `-h`.
pub(crate) fn print(looks: &Looks, text: &str) {
    let plain = if looks.color { text.to_owned() } else { anstream::adapter::strip_str(text).to_string() };
    let mut output = Output::paged(looks, plain.lines().count());
    for line in plain.trim_end().lines() {
        output.line(line.trim_end());
    }
    output.finish();
}

fn shown(command: &mut Command, looks: &Looks) -> String {
    let help = command.render_help();
    if looks.color { help.ansi().to_string() } else { help.to_string() }
}

fn everything(root: &mut Command) -> String {
    let mut text = root.render_long_help().to_string();
    for below in root.get_subcommands_mut() {
        text.push_str(&format!("\n────── aperto {} ──────\n\n", below.get_name()));
        text.push_str(&below.render_long_help().to_string());
    }
    text
}

/// `aperto completions bash`.
pub(crate) fn completions(looks: &Looks, shell: &str) -> Exit {
    let shell = match shell {
        "zsh" => Shell::Zsh,
        "fish" => Shell::Fish,
        "powershell" => Shell::PowerShell,
        "elvish" => Shell::Elvish,
        _ => Shell::Bash,
    };
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut tree::command(looks.language), "aperto", &mut text);
    whole(looks, &text)
}

/// `aperto man`: one page with all commands.
pub(crate) fn man(looks: &Looks) -> Result<Exit, Fault> {
    let failed = |error: std::io::Error| Fault::System { what: error.to_string() };
    let mut root = tree::command(looks.language);
    root.build();
    let mut text = Vec::new();
    let page = clap_mangen::Man::new(root.clone());
    page.render_title(&mut text).map_err(failed)?;
    page.render_name_section(&mut text).map_err(failed)?;
    page.render_synopsis_section(&mut text).map_err(failed)?;
    page.render_description_section(&mut text).map_err(failed)?;
    page.render_options_section(&mut text).map_err(failed)?;
    for below in root.get_subcommands() {
        let heading = format!(".SH \"aperto {}\"\n", below.get_name());
        text.extend_from_slice(heading.as_bytes());
        let part = clap_mangen::Man::new(below.clone());
        part.render_description_section(&mut text).map_err(failed)?;
        part.render_options_section(&mut text).map_err(failed)?;
    }
    Ok(whole(looks, &text))
}

fn whole(looks: &Looks, octets: &[u8]) -> Exit {
    let mut output = Output::new(looks);
    output.octets(octets);
    output.finish();
    Exit::Done
}

/// The candidate that is nearest to a word, if one is near.
pub(crate) fn nearest(word: &str, candidates: impl IntoIterator<Item = String>) -> Option<String> {
    candidates
        .into_iter()
        .map(|candidate| (edits(word, &candidate), candidate))
        .filter(|(edits, candidate)| *edits <= candidate.chars().count().div_ceil(3))
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be added, removed or changed (Levenshtein).
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().take(64).enumerate() {
        let mut next = vec![line + 1];
        for (((above_left, above), left_index), candidate) in
            row.iter().zip(row.iter().skip(1)).zip(0..).zip(&other)
        {
            let left = next.get(left_index).copied().unwrap_or(usize::MAX - 1);
            let same = usize::from(*candidate != letter);
            next.push((above_left + same).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_word_finds_its_neighbour() {
        let names = || ["handshake", "half-close", "bulk", "loss"].map(String::from);
        assert_eq!(nearest("handshale", names()).as_deref(), Some("handshake"));
        assert_eq!(nearest("blk", names()).as_deref(), Some("bulk"));
        assert_eq!(nearest("teapot", names()), None);
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
    }
}
