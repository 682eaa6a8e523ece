//! That the drawing has the arcs of the engine's table, and that nothing lies above anything else.

use alloc::collections::BTreeSet;

use aperto_tcp::diagram;

use super::*;
use crate::wording::width;

const LOOK: Look = Look { language: Language::English, glyphs: Glyphs::Unicode, color: false };

/// RFC 9293 §3.3.2: the drawing has all arcs of Figure 5 and no other.
#[test]
fn the_drawing_has_the_arcs_of_the_table() {
    let named = |from: State, cause: Cause, to: State| format!("{from} {cause:?} {to}");
    let is_drawn = |arc: &&diagram::Arc| {
        !matches!(
            arc.cause,
            Cause::ResetArrived
                | Cause::AbortCalled
                | Cause::UserTimeout
                | Cause::OrphanTimeout
                | Cause::Unreachable
        )
    };
    let table: BTreeSet<String> =
        diagram::ARCS.iter().filter(is_drawn).map(|arc| named(arc.from, arc.cause, arc.to)).collect();
    let drawn: BTreeSet<String> = layout::ARCS.iter().map(|arc| named(arc.from, arc.cause, arc.to)).collect();
    assert_eq!(drawn, table);
    assert_eq!(drawn.len(), layout::ARCS.len());
    let boxes: BTreeSet<&str> = layout::BOXES.iter().map(|place| place.state.name()).collect();
    assert_eq!(boxes.len(), State::ALL.len());
}

fn all_steps() -> Vec<Step> {
    let step = |arc: &layout::Drawn, side| Step {
        side,
        at: Instant::ZERO,
        from: arc.from,
        to: arc.to,
        cause: arc.cause,
        segment: Some(Number(7)),
        place: 8,
    };
    layout::ARCS.iter().flat_map(|arc| [step(arc, Side::Client), step(arc, Side::Server)]).collect()
}

/// Every name, label and head is there, walked or not, in both languages and without UTF-8.
#[test]
fn nothing_is_hidden_and_all_fits() {
    for language in Language::ALL {
        for glyphs in [Glyphs::Unicode, Glyphs::Ascii] {
            for steps in [Vec::new(), all_steps()] {
                let lines = diagram(&steps, Look { language, glyphs, ..LOOK });
                let text = lines.join("\n");
                assert!(lines.iter().all(|line| width(line) <= COLUMNS), "{text}");
                assert!(glyphs == Glyphs::Unicode || text.is_ascii(), "{text}");
                for place in &layout::BOXES {
                    assert!(text.contains(place.state.name()), "{}\n{text}", place.state);
                }
                let heads: &[char] = if glyphs == Glyphs::Unicode {
                    &['▲', '▼', '◀', '▶']
                } else {
                    &['^', 'v', '<', '>']
                };
                // In ASCII a v is a letter of Portuguese words, too.
                let found = text.chars().filter(|letter| heads.contains(letter)).count();
                assert!(found >= layout::ARCS.len(), "{found}\n{text}");
                for arc in &layout::ARCS {
                    let label = words::label(language, arc.cause);
                    let wanted = if steps.is_empty() { label.to_string() } else { format!("{label} 9 i") };
                    let (x, y) = arc.label;
                    let row: String = lines[y].chars().skip(x).take(wanted.chars().count()).collect();
                    assert_eq!(row, wanted, "{text}");
                }
            }
        }
    }
}

/// No line of an arc runs along one of another: they only cross.
#[test]
fn lines_cross_and_do_not_run_together() {
    let mut seen: BTreeSet<((usize, usize), (usize, usize))> = BTreeSet::new();
    for arc in &layout::ARCS {
        for (from, to) in arc.way.iter().zip(arc.way.iter().skip(1)) {
            assert!(from.0 == to.0 || from.1 == to.1, "{from:?} {to:?}");
            let (mut x, mut y) = *from;
            while (x, y) != *to {
                let next = match ((to.0).cmp(&x), (to.1).cmp(&y)) {
                    (core::cmp::Ordering::Greater, _) => (x + 1, y),
                    (core::cmp::Ordering::Less, _) => (x - 1, y),
                    (_, core::cmp::Ordering::Greater) => (x, y + 1),
                    (_, _) => (x, y - 1),
                };
                let piece = if (x, y) < next { ((x, y), next) } else { (next, (x, y)) };
                assert!(seen.insert(piece), "{piece:?} twice");
                (x, y) = next;
            }
        }
    }
}

#[test]
fn what_was_walked_is_marked_without_colour() {
    let plain = diagram(&[], LOOK);
    assert!(!plain.iter().any(|line| line.contains('━') || line.contains('┃')));
    let lit = diagram(&all_steps(), LOOK);
    assert!(!lit.iter().any(|line| line.contains('─') || line.contains('│')), "{}", lit.join("\n"));
    assert!(lit[12].contains("[C ESTABLISHED  S]"), "{}", lit[12]);
    let ascii = Look { glyphs: Glyphs::Ascii, ..LOOK };
    assert!(diagram(&all_steps(), ascii).iter().any(|line| line.contains("==")));
    assert!(!diagram(&[], ascii).iter().any(|line| line.contains("==")));
}

#[test]
fn each_state_has_a_sentence_of_its_own_in_both_languages() {
    for language in Language::ALL {
        let lines = meanings(language);
        assert!(lines.iter().all(|line| width(line) <= COLUMNS));
        let all: BTreeSet<&str> = State::ALL.iter().map(|state| words::meaning(language, *state)).collect();
        assert_eq!(all.len(), State::ALL.len());
        assert!(legend(language).iter().all(|line| width(line) <= COLUMNS));
    }
}
