//! A bar of progress for a transfer, on stderr: only where a person looks on, and never in a result.

use std::io::Write as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rustyline::ExternalPrinter;

use super::printer::AbovePrompt;
use crate::environment::Environment;
use crate::looks::{Looks, View};

/// How the bar looks while files are hashed, and then: no words, so that it is in every language.
const READING: &str = "{spinner} {binary_bytes} {binary_bytes_per_sec}";
const MOVING: &str = "{bar:32} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}";

/// A bar, where there is one.
#[derive(Clone)]
pub(crate) struct Bar(Option<ProgressBar>);

impl Bar {
    /// Begins one where stderr is a terminal, and neither `--quiet`, `NO_COLOR` nor `CI` says that
    /// nobody wants it.
    pub(crate) fn begin(looks: &Looks, environment: &Environment) -> Self {
        let unwanted = looks.quiet
            || looks.live_view() == View::Json
            || ["NO_COLOR", "CI"].into_iter().any(|name| Environment::variable(name).is_some());
        if unwanted || !environment.stderr_is_terminal {
            return Self(None);
        }
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        bar.set_style(style(READING));
        Self(Some(bar))
    }

    /// No bar at all.
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// So much there is to do, of which nothing is done.
    pub(crate) fn of(&self, octets: u64) {
        if let Some(bar) = &self.0 {
            bar.set_style(style(MOVING));
            bar.set_length(octets);
            bar.reset();
        }
    }

    /// So much more is done.
    pub(crate) fn add(&self, octets: u64) {
        if let Some(bar) = &self.0 {
            bar.inc(octets);
        }
    }

    /// It is over, and leaves the screen.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }

    /// Who prints lines above it.
    pub(crate) fn above(&self) -> Option<AbovePrompt> {
        let bar = self.0.clone()?;
        Some(Box::new(AboveBar(bar)))
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("=> ").tick_chars("-\\|/ ")
}

struct AboveBar(ProgressBar);

impl ExternalPrinter for AboveBar {
    fn print(&mut self, text: String) -> rustyline::Result<()> {
        self.0.suspend(|| {
            let mut stdout = std::io::stdout().lock();
            stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
        })?;
        Ok(())
    }
}
