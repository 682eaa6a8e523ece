//! Where values stand on an axis, and which of them are written beside it.

use super::Scale;

/// An axis from one place of the paper to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    scale: Scale,
    /// The values at both ends; their logarithms, on a logarithmic axis.
    from: f64,
    to: f64,
    /// Their places.
    start: f64,
    end: f64,
}

impl Axis {
    /// An axis that holds these values; none where there is no finite one to hold.
    pub(super) fn holding(values: impl Iterator<Item = f64>, scale: Scale) -> Option<Self> {
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|value| value.is_finite() && (scale == Scale::Linear || *value > 0.0)) {
            least = least.min(value);
            most = most.max(value);
        }
        if !least.is_finite() {
            return None;
        }
        let (from, to) = match scale {
            // To 1, 2 or 5 of a decade.
            Scale::Logarithmic => (below(least).log10(), -below_inverse(most).log10()),
            Scale::Linear => (least, most),
        };
        // One value alone has some room around it.
        let (from, to) = if to - from < 1e-9 { (from - 1.0, to + 1.0) } else { (from, to) };
        Some(Self { scale, from, to, start: 0.0, end: 1.0 })
    }

    /// The same from zero, with a little room above.
    pub(super) fn zero_based(self) -> Self {
        Self { from: 0.0, to: self.to * 1.08, ..self }
    }

    /// The same between these places.
    pub(super) const fn between(self, start: f64, end: f64) -> Self {
        Self { start, end, ..self }
    }

    /// Where a value stands; none where it is not on the axis.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        let value = match self.scale {
            Scale::Linear => value,
            Scale::Logarithmic if value > 0.0 => value.log10(),
            Scale::Logarithmic => return None,
        };
        let share = (value - self.from) / (self.to - self.from);
        (-1e-9..=1.0 + 1e-9).contains(&share).then_some(self.start + share * (self.end - self.start))
    }

    /// Values to be written beside the axis.
    pub(super) fn ticks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Logarithmic => {
                let step = ((self.to - self.from) / 6.0).ceil().max(1.0);
                let whole: Vec<f64> = steps((self.from - 1e-9).ceil(), self.to, step)
                    .map(|exponent| 10_f64.powf(exponent))
                    .collect();
                if whole.len() > 1 {
                    return whole;
                }
                // Less than a decade or two: 2 and 5 are written, too.
                let mut all: Vec<f64> = whole.into_iter().chain(self.minor()).collect();
                all.sort_by(f64::total_cmp);
                all
            }
            Scale::Linear => {
                let rough = (self.to - self.from) / 4.0;
                let unit = 10_f64.powf(rough.log10().floor());
                let nice = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|nice| nice * unit >= rough - 1e-12);
                let step = nice.unwrap_or(10.0) * unit;
                steps((self.from / step).ceil() * step, self.to, step).collect()
            }
        }
    }

    /// Lines between them: 2 and 5 of each decade.
    pub(super) fn minor(&self) -> Vec<f64> {
        match self.scale {
            Scale::Linear => Vec::new(),
            Scale::Logarithmic => steps(self.from.floor(), self.to, 1.0)
                .flat_map(|exponent| [2.0, 5.0].map(|part: f64| part * 10_f64.powf(exponent)))
                .filter(|value| (self.from - 1e-9..=self.to + 1e-9).contains(&value.log10()))
                .collect(),
        }
    }
}

/// The largest of 1, 2 and 5 times a power of ten that is not above a value.
fn below(value: f64) -> f64 {
    let decade = 10_f64.powf((value.log10() + 1e-9).floor());
    let part = [5.0, 2.0].into_iter().find(|part| part * decade <= value * (1.0 + 1e-9));
    part.unwrap_or(1.0) * decade
}

/// The same of what is not above 1/value, which is 1 over what is not below it.
fn below_inverse(value: f64) -> f64 {
    // 1/5 of a decade is a 2 of the decade below, and 1/2 a 5.
    below(1.0 / value)
}

fn steps(from: f64, to: f64, step: f64) -> impl Iterator<Item = f64> {
    (0..1_000).map(move |n| from + f64::from(n) * step).take_while(move |value| *value <= to + step * 1e-6)
}

/// A number beside an axis: `0.5`, `25`, `10 k`, `2 M`.
pub(super) fn label(value: f64) -> String {
    let (value, unit) = match value.abs() {
        most if most >= 1e9 => (value / 1e9, " G"),
        most if most >= 1e6 => (value / 1e6, " M"),
        most if most >= 1e3 => (value / 1e3, " k"),
        _ => (value, ""),
    };
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logarithmic_axis_has_round_ends_and_no_place_for_zero() {
        let axis =
            Axis::holding([30.0, 2_000.0].into_iter(), Scale::Logarithmic).unwrap().between(100.0, 0.0);
        // From 20 to 2,000: two decades.
        assert_eq!(axis.ticks(), [100.0, 1_000.0]);
        assert_eq!(axis.minor(), [20.0, 50.0, 200.0, 500.0, 2_000.0]);
        assert_eq!(axis.place(0.0), None);
        assert_eq!(axis.place(f64::NAN), None);
        let close = |value: f64, place: f64| (axis.place(value).unwrap() - place).abs() < 0.01;
        assert!(close(20.0, 100.0) && close(200.0, 50.0) && close(2_000.0, 0.0));
        assert!(Axis::holding([0.0, f64::NAN].into_iter(), Scale::Logarithmic).is_none());
    }

    #[test]
    fn a_linear_axis_has_round_numbers() {
        let axis = Axis::holding([0.0, 25.0].into_iter(), Scale::Linear).unwrap();
        assert_eq!(axis.ticks(), [0.0, 10.0, 20.0]);
        assert_eq!(Axis::holding([3.0].into_iter(), Scale::Linear).unwrap().place(3.0), Some(0.5));
        let labels: Vec<String> = [0.5, 25.0, 10_000.0, 2.5e6].into_iter().map(label).collect();
        assert_eq!(labels, ["0.5", "25", "10 k", "2.5 M"]);
    }
}
