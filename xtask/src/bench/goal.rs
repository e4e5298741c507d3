//! Goals, and whether measurements reach them.

use std::fmt;

use serde::Serialize;

use crate::bench::statistics::Spread;

/// What the median must be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

impl Goal {
    pub(crate) fn is_met(self, spread: &Spread) -> bool {
        match self {
            Goal::AtMost(bound) => spread.median <= bound,
            Goal::AtLeast(bound) => spread.median >= bound,
        }
    }

    /// Whether even the best pair is worse than twice the goal, which a machine's noise does not explain.
    pub(crate) fn is_missed_by_far(self, spread: &Spread) -> bool {
        match self {
            Goal::AtMost(bound) => spread.min > 2.0 * bound,
            Goal::AtLeast(bound) => spread.max < bound / 2.0,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Goal::AtMost(bound) => write!(f, "≤ {bound}"),
            Goal::AtLeast(bound) => write!(f, "≥ {bound}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(min: f64, median: f64, max: f64) -> Spread {
        Spread { min, median, max, pairs: 7 }
    }

    #[test]
    fn the_median_decides() {
        assert!(Goal::AtMost(1.08).is_met(&spread(1.0, 1.08, 3.0)));
        assert!(!Goal::AtMost(1.08).is_met(&spread(1.0, 1.081, 1.1)));
        assert!(Goal::AtLeast(0.8).is_met(&spread(0.1, 0.8, 0.9)));
        assert!(!Goal::AtLeast(0.8).is_met(&spread(0.1, 0.79, 0.9)));
    }

    #[test]
    fn it_is_missed_by_far_where_even_the_best_pair_is_worse_than_twice_the_goal() {
        assert!(Goal::AtMost(1.0).is_missed_by_far(&spread(2.1, 3.0, 4.0)));
        assert!(!Goal::AtMost(1.0).is_missed_by_far(&spread(1.9, 3.0, 4.0)));
        assert!(Goal::AtLeast(0.8).is_missed_by_far(&spread(0.1, 0.2, 0.39)));
        assert!(!Goal::AtLeast(0.8).is_missed_by_far(&spread(0.1, 0.2, 0.41)));
    }
}
