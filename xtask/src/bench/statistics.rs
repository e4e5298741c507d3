//! The least, the median and the greatest of several figures, and ratios of pairs.

use serde::Serialize;

/// The spread of figures, one for each pair.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
    pub(crate) pairs: usize,
}

impl Spread {
    /// None without figures.
    pub(crate) fn of(figures: &[f64]) -> Option<Spread> {
        let mut sorted = figures.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (&min, &max) = sorted.first().zip(sorted.last())?;
        let upper = sorted.len() / 2;
        let lower = (sorted.len() - 1) / 2;
        let median = f64::midpoint(sorted[lower], sorted[upper]);
        Some(Spread { min, median, max, pairs: sorted.len() })
    }
}

/// Each figure divided by that of the same round. A program that left out the later rounds has no pairs
/// there.
pub(crate) fn ratios(figures: &[f64], against: &[f64]) -> Vec<f64> {
    figures.iter().zip(against).map(|(figure, base)| figure / base).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        let spread = Spread::of(&[4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!(spread, Spread { min: 1.0, median: 2.5, max: 4.0, pairs: 4 });
    }

    #[test]
    fn the_median_of_an_odd_number_is_one_of_them() {
        let spread = Spread::of(&[9.0, 1.0, 2.0]).unwrap();
        assert_eq!(spread, Spread { min: 1.0, median: 2.0, max: 9.0, pairs: 3 });
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn a_ratio_is_made_within_one_round() {
        assert_eq!(ratios(&[2.0, 9.0], &[1.0, 3.0]), [2.0, 3.0]);
        assert_eq!(ratios(&[2.0, 9.0, 5.0], &[1.0]), [2.0]);
    }
}
