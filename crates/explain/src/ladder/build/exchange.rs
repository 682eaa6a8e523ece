//! What a textbook protocol notes: the window on the left, what became of a packet on the right.

use alloc::format;
use alloc::string::String;
use core::mem::discriminant;

use aperto_trace::{Record, Transport};

use super::Builder;
use crate::context::Side;
use crate::facts::place;
use crate::ladder::{Row, asides, textbook};

impl Builder<'_> {
    pub(super) fn textbook_noted(&mut self, at: usize, record: &Record, note: &aperto_arq::Note) {
        use aperto_arq::Note as N;
        let side = self.facts.seen_by(record.vantage);
        let here = side.and_then(|side| Some((side, self.facts.arrival_at(side, record.at)?)));
        if textbook::is_receivers(note)
            && let Some((side, number)) = here
            && let Some(doing) = textbook::doing(self.view.language, note)
        {
            let before = self.row_of.get(&(number, 0)).and_then(|&row| match self.rows.get(row) {
                Some((_, Row::Packet(row))) => row.cells[place(side)].as_deref(),
                _ => None,
            });
            let doing = match (before, note) {
                (Some(before), N::Delivered { sequence, .. }) => textbook::range(before, &doing, *sequence),
                _ => doing,
            };
            self.set_cell(number, side, doing);
        }
        match note {
            N::Discarded(what) => {
                let aside = asides::discarded(what, &self.arq, self.view);
                let aside = self.once(&format!("{:?}", discriminant(what)), Some(aside));
                if let (Some((_, number)), Some(aside)) = (here, aside)
                    && let Some(row) = self.row_of.get(&(number, 0)).copied()
                    && let Some((_, Row::Packet(row))) = self.rows.get_mut(row)
                {
                    row.asides.push(aside);
                }
            }
            N::WindowMoved { window, .. } => {
                let size = self.space_size();
                if let Some((side, number)) = here
                    && let Some(cell) = self.window_cell(textbook::window(*window, size))
                {
                    self.set_cell(number, side, cell);
                }
            }
            N::TimerExpired { .. } => {
                if let Some(says) = textbook::timer_row(self.view.language, self.trace.records(), at) {
                    self.timer_row(at, record.at, side, says);
                    self.repeat_window(record, side);
                }
            }
            _ => {}
        }
    }

    /// The window stands again beside the first packet that a timer sends again.
    fn repeat_window(&mut self, record: &Record, side: Option<Side>) {
        let (Some(side), Some(window)) = (side, self.window_shown.clone()) else { return };
        let Some((_, key)) = self.first_now[place(side)].filter(|(instant, _)| *instant == record.at) else {
            self.window_again = Some((record.at, side));
            return;
        };
        if let Some((_, Row::Packet(row))) = self.rows.iter_mut().find(|(other, _)| *other == key) {
            row.cells[place(side)].get_or_insert(window);
        }
    }

    fn space_size(&self) -> u32 {
        let of = |record: &Record| match &record.packet()?.transport {
            Transport::Arq(arq) => Some(arq.space.size()),
            _ => None,
        };
        self.trace.records().iter().find_map(of).unwrap_or(1 << 16)
    }

    /// The window of a textbook protocol, where it is another than was shown last.
    pub(super) fn window_cell(&mut self, window: String) -> Option<String> {
        if self.window_shown.as_ref() == Some(&window) {
            return None;
        }
        self.window_shown = Some(window.clone());
        Some(window)
    }
}
