//! Figures for reports, as SVG: panels of points and lines, with axes and a legend.
//!
//! Everything that tells curves apart is there twice, as a colour and as a marker or a dash, so that
//! a figure survives a copier and eyes that see colours otherwise. Texts are texts: they can be
//! searched, read aloud and edited.
//!
//! Left out: everything that moves, and fonts of our own.

mod axes;
mod svg;

pub(crate) use svg::draw;

/// Panels that share their axes.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) title: String,
    /// Beside the axes.
    pub(crate) x_label: String,
    pub(crate) y_label: String,
    pub(crate) scale: Scale,
    /// How many panels stand side by side.
    pub(crate) columns: usize,
    pub(crate) panels: Vec<Panel>,
    /// What a reader should know; below.
    pub(crate) caption: Vec<String>,
}

/// How the vertical axis runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scale {
    Linear,
    Logarithmic,
}

/// One pair of axes.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) series: Vec<Series>,
}

/// Points of one kind.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    /// Which colour, marker and dash: the same in all panels.
    pub(crate) look: usize,
    pub(crate) kind: Kind,
    pub(crate) points: Vec<(f64, f64)>,
}

/// What a series is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Markers, joined by a thin line.
    Measured,
    /// A dashed line.
    Theory,
}
