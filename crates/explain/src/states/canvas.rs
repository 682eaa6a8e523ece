//! A sheet of cells on which lines cross, and boxes and words lie above them.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::{COLUMNS, Side, words};
use crate::Language;
use crate::ladder::Glyphs;
use crate::wording::width;

const UP: u8 = 1;
const DOWN: u8 = 2;
const LEFT: u8 = 4;
const RIGHT: u8 = 8;

/// How wide a box is: its brackets, two letters, and the longest name between spaces.
const BOX: usize = 18;

/// A cell.
#[derive(Clone, Copy, Default)]
struct Cell {
    /// Where lines go from here.
    ways: u8,
    /// Whether one of them was walked.
    lit: bool,
    /// The head of an arrow that goes this way.
    head: Option<u8>,
    /// What is written here instead.
    letter: Option<char>,
}

/// The sheet.
pub(super) struct Canvas(Vec<Vec<Cell>>);

impl Canvas {
    pub(super) fn new(rows: usize) -> Self {
        Self(vec![vec![Cell::default(); COLUMNS]; rows])
    }

    fn cell(&mut self, (x, y): (usize, usize)) -> Option<&mut Cell> {
        self.0.get_mut(y)?.get_mut(x)
    }

    /// A line with a head at its end.
    pub(super) fn line(&mut self, way: &[(usize, usize)], lit: bool) {
        let mut last = 0;
        for (from, to) in way.iter().zip(way.iter().skip(1)) {
            let (mut x, mut y) = *from;
            while (x, y) != *to {
                let (out, back, next) = match ((to.0).cmp(&x), (to.1).cmp(&y)) {
                    (core::cmp::Ordering::Greater, _) => (RIGHT, LEFT, (x + 1, y)),
                    (core::cmp::Ordering::Less, _) => (LEFT, RIGHT, (x - 1, y)),
                    (_, core::cmp::Ordering::Greater) => (DOWN, UP, (x, y + 1)),
                    (_, _) => (UP, DOWN, (x, y - 1)),
                };
                for (place, side) in [((x, y), out), (next, back)] {
                    if let Some(cell) = self.cell(place) {
                        cell.ways |= side;
                        cell.lit |= lit;
                    }
                }
                last = out;
                (x, y) = next;
            }
        }
        let Some(&end) = way.last() else { return };
        // A line that comes from the side to the edge of a box above or below turns towards it.
        let vertical = matches!(end, (40, 0) | (33, 3));
        if let Some(cell) = self.cell(end) {
            cell.head = Some(if vertical { DOWN } else { last });
            cell.lit |= lit;
        }
    }

    fn write(&mut self, (x, y): (usize, usize), text: &str, lit: bool) {
        for (place, letter) in text.chars().enumerate() {
            if let Some(cell) = self.cell((x + place, y)) {
                *cell = Cell { letter: Some(letter), lit, ..Cell::default() };
            }
        }
    }

    /// A word beside or in a line; in a line with a space on either side.
    pub(super) fn label(&mut self, (x, y): (usize, usize), text: &str, lit: bool) {
        let end = x + width(text);
        let in_line = self.cell((x.saturating_sub(1), y)).is_some_and(|cell| cell.ways & (LEFT | RIGHT) != 0);
        if in_line {
            self.write((x - 1, y), " ", lit);
            self.write((end, y), " ", lit);
        }
        self.write((x, y), text, lit);
    }

    /// A state: its name, and the letters of those who were in it.
    pub(super) fn state(
        &mut self,
        (x, y): (usize, usize),
        name: &str,
        client: bool,
        server: bool,
        language: Language,
    ) {
        let letter = |is, side| if is { words::letter(language, side) } else { " " };
        let inner = format!("{name:^14}");
        let text = format!("[{}{inner}{}]", letter(client, Side::Client), letter(server, Side::Server));
        self.write((x.saturating_sub(BOX / 2), y), &text, client || server);
    }

    /// The sheet as lines, without spaces at their ends.
    pub(super) fn lines(&self, glyphs: Glyphs, color: bool) -> Vec<String> {
        self.0.iter().map(|row| line(row, glyphs, color)).collect()
    }
}

fn line(row: &[Cell], glyphs: Glyphs, color: bool) -> String {
    let mut text = String::new();
    let mut painted = false;
    let used = row.iter().rposition(|cell| glyph(cell, glyphs) != ' ').map_or(0, |place| place + 1);
    for cell in row.iter().take(used) {
        let lit = color && cell.lit;
        if lit != painted {
            text.push_str(if lit { "\u{1b}[1;33m" } else { "\u{1b}[0m" });
            painted = lit;
        }
        text.push(glyph(cell, glyphs));
    }
    if painted {
        text.push_str("\u{1b}[0m");
    }
    text
}

fn glyph(cell: &Cell, glyphs: Glyphs) -> char {
    if let Some(letter) = cell.letter {
        return letter;
    }
    let unicode = glyphs == Glyphs::Unicode;
    if let Some(head) = cell.head {
        return match (head, unicode) {
            (UP, true) => '▲',
            (DOWN, true) => '▼',
            (LEFT, true) => '◀',
            (_, true) => '▶',
            (UP, false) => '^',
            (DOWN, false) => 'v',
            (LEFT, false) => '<',
            (_, false) => '>',
        };
    }
    const LIGHT: [char; 16] =
        [' ', '│', '│', '│', '─', '┘', '┐', '┤', '─', '└', '┌', '├', '─', '┴', '┬', '┼'];
    const HEAVY: [char; 16] =
        [' ', '┃', '┃', '┃', '━', '┛', '┓', '┫', '━', '┗', '┏', '┣', '━', '┻', '┳', '╋'];
    const PLAIN: [char; 16] =
        [' ', '|', '|', '|', '-', '+', '+', '+', '-', '+', '+', '+', '-', '+', '+', '+'];
    const THICK: [char; 16] =
        [' ', '#', '#', '#', '=', '#', '#', '#', '=', '#', '#', '#', '=', '#', '#', '#'];
    let set = match (unicode, cell.lit) {
        (true, false) => LIGHT,
        (true, true) => HEAVY,
        (false, false) => PLAIN,
        (false, true) => THICK,
    };
    set.get(usize::from(cell.ways)).copied().unwrap_or(' ')
}
