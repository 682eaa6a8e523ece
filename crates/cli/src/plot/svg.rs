//! A figure as SVG 1.1, which browsers, word processors and LaTeX (after a conversion) take.

use std::fmt::Write as _;

use super::axes::{Axis, label};
use super::{Figure, Kind, Panel, Scale, Series};

/// Colours that differ for all kinds of eyes: Okabe and Ito, Color Universal Design, 2008.
const COLORS: [&str; 5] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000"];
/// Dashes of theory.
const DASHES: [&str; 5] = ["2 3", "8 3", "10 3 2 3", "5 2", "1 2"];

/// A panel, and what is around it.
const WIDE: f64 = 212.0;
const HIGH: f64 = 150.0;
const BETWEEN: f64 = 22.0;
const LEFT: f64 = 66.0;
const RIGHT: f64 = 22.0;
/// A panel's own title above it, the numbers below it.
const ABOVE: f64 = 22.0;
const BELOW: f64 = 20.0;
/// A line of text.
const LINE: f64 = 17.0;
/// Labels beside the horizontal axis are at least so far apart.
const APART: f64 = 19.0;

/// Draws it. A figure without a point is its words alone.
pub(crate) fn draw(figure: &Figure) -> String {
    let columns = figure.columns.clamp(1, figure.panels.len().max(1));
    let rows = figure.panels.len().div_ceil(columns);
    let looks = legend_entries(figure);
    let legend_rows = if looks.iter().any(|series| series.kind == Kind::Theory) { 2.0 } else { 1.0 };
    let top = 34.0 + legend_rows * LINE + 14.0;
    let grid_wide = columns as f64 * (WIDE + BETWEEN) - BETWEEN;
    let row_high = ABOVE + HIGH + BELOW;
    let least = 14.0 + 6.4 * figure.caption.iter().map(|line| line.chars().count()).max().unwrap_or(0) as f64;
    let wide = (LEFT + grid_wide + RIGHT).max(least.min(900.0)).max(480.0);
    let high = top + rows as f64 * row_high + 24.0 + figure.caption.len() as f64 * LINE + 8.0;
    let mut out = head(figure, wide, high);
    legend(&mut out, &looks);
    let points = || figure.panels.iter().flat_map(|panel| &panel.series).flat_map(|series| &series.points);
    let x = Axis::holding(points().map(|point| point.0), Scale::Linear);
    let y = Axis::holding(points().map(|point| point.1), figure.scale);
    if let (Some(x), Some(y)) = (x, y) {
        let y = if figure.scale == Scale::Linear { y.zero_based() } else { y };
        for (place, panel) in figure.panels.iter().enumerate() {
            let (column, row) = (place % columns, place / columns);
            let left = LEFT + column as f64 * (WIDE + BETWEEN);
            let upper = top + row as f64 * row_high + ABOVE;
            let x = x.between(left + 8.0, left + WIDE - 8.0);
            let y = y.between(upper + HIGH, upper);
            panel_at(&mut out, panel, (left, upper), &x, &y, column == 0);
        }
    }
    let below = top + rows as f64 * row_high;
    text(&mut out, LEFT + grid_wide / 2.0, below + 14.0, "middle", "", &figure.x_label);
    let middle = top + rows as f64 * row_high / 2.0;
    let _ = writeln!(
        out,
        "<text x=\"14\" y=\"{middle:.1}\" text-anchor=\"middle\" transform=\"rotate(-90 14 {middle:.1})\">{}</text>",
        escaped(&figure.y_label)
    );
    for (place, line) in figure.caption.iter().enumerate() {
        let y = below + 24.0 + (place as f64 + 1.0) * LINE;
        text(&mut out, 14.0, y, "start", " class=\"small\"", line);
    }
    out.push_str("</svg>\n");
    out
}

fn head(figure: &Figure, wide: f64, high: f64) -> String {
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{wide:.0}\" height=\"{high:.0}\" \
         viewBox=\"0 0 {wide:.0} {high:.0}\" role=\"img\">\n"
    );
    let _ = writeln!(out, "<title>{}</title>", escaped(&figure.title));
    let _ = writeln!(out, "<desc>{}</desc>", escaped(&figure.caption.join(" ")));
    out.push_str(
        "<style>text{font-family:'DejaVu Sans',Verdana,Helvetica,Arial,sans-serif;font-size:12px;fill:#222}\
         .title{font-size:17px;font-weight:bold}.small{font-size:11px;fill:#555}.panel{font-weight:bold}</style>\n",
    );
    out.push_str("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
    text(&mut out, 14.0, 25.0, "start", " class=\"title\"", &figure.title);
    out
}

/// Each kind of series once, in the order of its look.
fn legend_entries(figure: &Figure) -> Vec<&Series> {
    let mut entries: Vec<&Series> = Vec::new();
    for series in figure.panels.iter().flat_map(|panel| &panel.series) {
        if !entries.iter().any(|known| known.look == series.look && known.kind == series.kind) {
            entries.push(series);
        }
    }
    entries.sort_by_key(|series| (series.kind == Kind::Theory, series.look));
    entries
}

/// Measured in one row, theory below it, one column for each look.
fn legend(out: &mut String, entries: &[&Series]) {
    let column =
        entries.iter().map(|series| series.name.chars().count()).max().unwrap_or(0) as f64 * 6.9 + 46.0;
    let first = entries.iter().map(|series| series.look).min().unwrap_or(0);
    for series in entries {
        let y = 34.0 + LINE * if series.kind == Kind::Theory { 2.0 } else { 1.0 } - 4.0;
        let x = 14.0 + (series.look - first) as f64 * column;
        let points = [(x, y), (x + 26.0, y)];
        line(out, series, &points);
        if series.kind == Kind::Measured {
            marker(out, series.look, x + 13.0, y);
        }
        text(out, x + 32.0, y + 4.0, "start", "", &series.name);
    }
}

fn panel_at(out: &mut String, panel: &Panel, (left, upper): (f64, f64), x: &Axis, y: &Axis, labelled: bool) {
    text(out, left + WIDE / 2.0, upper - 7.0, "middle", " class=\"panel\"", &panel.title);
    for value in y.minor() {
        if let Some(at) = y.place(value) {
            rule(out, (left, at), (left + WIDE, at), "#f0f0f0");
        }
    }
    for value in y.ticks() {
        let Some(at) = y.place(value) else { continue };
        rule(out, (left, at), (left + WIDE, at), "#dcdcdc");
        if labelled {
            text(out, left - 6.0, at + 4.0, "end", "", &label(value));
        }
    }
    let mut last = f64::NEG_INFINITY;
    let values = measured_at(panel);
    let values = if values.is_empty() || values.len() > 12 { x.ticks() } else { values };
    for value in values {
        let Some(at) = x.place(value) else { continue };
        rule(out, (at, upper), (at, upper + HIGH), "#ececec");
        if at - last >= APART {
            text(out, at, upper + HIGH + 15.0, "middle", "", &label(value));
            last = at;
        }
    }
    let _ = writeln!(
        out,
        "<rect x=\"{left:.1}\" y=\"{upper:.1}\" width=\"{WIDE}\" height=\"{HIGH}\" fill=\"none\" stroke=\"#666\"/>"
    );
    for kind in [Kind::Theory, Kind::Measured] {
        for series in panel.series.iter().filter(|series| series.kind == kind) {
            let placed: Vec<(f64, f64)> = series
                .points
                .iter()
                .filter_map(|point| Some((x.place(point.0)?, y.place(point.1)?)))
                .collect();
            line(out, series, &placed);
            if kind == Kind::Measured {
                placed.iter().for_each(|(x, y)| marker(out, series.look, *x, *y));
            }
        }
    }
}

/// The values at which something was measured, in order.
fn measured_at(panel: &Panel) -> Vec<f64> {
    let measured = panel.series.iter().filter(|series| series.kind == Kind::Measured);
    let mut values: Vec<f64> = measured.flat_map(|series| &series.points).map(|point| point.0).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

fn color(look: usize) -> &'static str {
    COLORS[look % COLORS.len()]
}

fn line(out: &mut String, series: &Series, points: &[(f64, f64)]) {
    if points.len() < 2 {
        return;
    }
    let mut path = String::new();
    for (x, y) in points {
        let _ = write!(path, "{x:.1},{y:.1} ");
    }
    let style = match series.kind {
        Kind::Measured => "stroke-width=\"1.1\" stroke-opacity=\"0.55\"".to_owned(),
        Kind::Theory => {
            let dash = DASHES[series.look % DASHES.len()];
            format!("stroke-width=\"1.8\" stroke-dasharray=\"{dash}\"")
        }
    };
    let _ = writeln!(
        out,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" {style}/>",
        path.trim_end(),
        color(series.look)
    );
}

/// A circle, a square, a triangle, a diamond, a cross.
fn marker(out: &mut String, look: usize, x: f64, y: f64) {
    let color = color(look);
    let _ = match look % 5 {
        0 => writeln!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.6\" fill=\"{color}\"/>"),
        1 => {
            let (left, upper) = (x - 3.3, y - 3.3);
            writeln!(
                out,
                "<rect x=\"{left:.1}\" y=\"{upper:.1}\" width=\"6.6\" height=\"6.6\" fill=\"{color}\"/>"
            )
        }
        2 => {
            let (a, b, c, d) = (y - 4.4, x - 4.2, y + 3.2, x + 4.2);
            writeln!(out, "<polygon points=\"{x:.1},{a:.1} {b:.1},{c:.1} {d:.1},{c:.1}\" fill=\"{color}\"/>")
        }
        3 => {
            let (a, b, c, d) = (y - 4.6, x - 4.6, y + 4.6, x + 4.6);
            writeln!(
                out,
                "<polygon points=\"{x:.1},{a:.1} {b:.1},{y:.1} {x:.1},{c:.1} {d:.1},{y:.1}\" fill=\"{color}\"/>"
            )
        }
        _ => {
            let (a, b, c, d) = (x - 3.4, y - 3.4, x + 3.4, y + 3.4);
            writeln!(
                out,
                "<path d=\"M{a:.1} {b:.1}L{c:.1} {d:.1}M{a:.1} {d:.1}L{c:.1} {b:.1}\" stroke=\"{color}\" stroke-width=\"1.8\"/>"
            )
        }
    };
}

fn rule(out: &mut String, from: (f64, f64), to: (f64, f64), color: &str) {
    let _ = writeln!(
        out,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{color}\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, more: &str, words: &str) {
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\"{more}>{}</text>",
        escaped(words)
    );
}

/// A text in XML; what XML cannot hold is left out.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            letter if letter.is_control() => {}
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_text() {
        assert_eq!(escaped("</text><script>\u{1b}"), "&lt;/text&gt;&lt;script&gt;");
    }

    #[test]
    fn a_figure_without_points_still_has_its_words_and_no_nan() {
        let series = Series { name: "sr".into(), look: 2, kind: Kind::Measured, points: vec![(1.0, 0.0)] };
        let figure = Figure {
            title: "T".into(),
            x_label: "x".into(),
            y_label: "y".into(),
            scale: Scale::Logarithmic,
            columns: 3,
            panels: vec![Panel { title: "p".into(), series: vec![series] }],
            caption: vec!["c".into()],
        };
        let svg = draw(&figure);
        assert!(svg.contains(">T</text>") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}
