//! What came of a case: the figures against their goals, the lines that were run, all samples.
//! It does not know how it is shown.

use serde::Serialize;

use crate::bench::goal::Goal;
use crate::bench::statistics::Spread;

/// What one run of a program took, or several in a row where one is too short.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Sample {
    pub(crate) seconds: f64,
    /// Of the program and of all that it has waited for.
    pub(crate) processor_seconds: f64,
    /// The greatest that one process of these had at any moment.
    pub(crate) peak_megabytes: f64,
}

/// A program, as its line was typed, and what it took in each round.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) line: String,
    pub(crate) samples: Vec<Sample>,
}

impl Series {
    pub(crate) fn seconds(&self) -> Vec<f64> {
        self.samples.iter().map(|sample| sample.seconds).collect()
    }

    pub(crate) fn processor_seconds(&self) -> Vec<f64> {
        self.samples.iter().map(|sample| sample.processor_seconds).collect()
    }

    pub(crate) fn peaks(&self) -> Vec<f64> {
        self.samples.iter().map(|sample| sample.peak_megabytes).collect()
    }

    /// None where nothing was measured.
    pub(crate) fn median_seconds(&self) -> Option<f64> {
        Spread::of(&self.seconds()).map(|spread| spread.median)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unit {
    Ratio,
    Seconds,
    Megabytes,
}

/// What a row tells.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Measurement {
    Measured(Spread),
    /// Why not.
    NotMeasured(String),
}

/// A figure and what it is to be; without a goal it is for information.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Row {
    pub(crate) measure: String,
    pub(crate) unit: Unit,
    pub(crate) goal: Option<Goal>,
    pub(crate) finding: Measurement,
}

/// How a row stands to its goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Met,
    NotMet,
    NotMeasured,
    /// There is no goal.
    Information,
}

impl Row {
    pub(crate) fn new(measure: &str, unit: Unit, figures: &[f64]) -> Row {
        let nothing = || Measurement::NotMeasured("there is no pair".to_owned());
        let finding = Spread::of(figures).map_or_else(nothing, Measurement::Measured);
        Row { measure: measure.to_owned(), unit, goal: None, finding }
    }

    pub(crate) fn not_measured(measure: &str, unit: Unit, reason: &str) -> Row {
        let finding = Measurement::NotMeasured(reason.to_owned());
        Row { measure: measure.to_owned(), unit, goal: None, finding }
    }

    pub(crate) fn with_goal(self, goal: Goal) -> Row {
        Row { goal: Some(goal), ..self }
    }

    pub(crate) fn standing(&self) -> Standing {
        match (&self.finding, self.goal) {
            (_, None) => Standing::Information,
            (Measurement::NotMeasured(_), Some(_)) => Standing::NotMeasured,
            (Measurement::Measured(spread), Some(goal)) if goal.is_met(spread) => Standing::Met,
            (Measurement::Measured(_), Some(_)) => Standing::NotMet,
        }
    }

    pub(crate) fn is_missed_by_far(&self) -> bool {
        match (&self.finding, self.goal) {
            (Measurement::Measured(spread), Some(goal)) => goal.is_missed_by_far(spread),
            _ => false,
        }
    }
}

/// What came of a case.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Record {
    pub(crate) case: String,
    /// What the programs were given to do.
    pub(crate) work: String,
    pub(crate) rows: Vec<Row>,
    /// What a reader has to know of the figures.
    pub(crate) notes: Vec<String>,
    pub(crate) series: Vec<Series>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_stands_to_its_goal_by_the_median() {
        let row = Row::new("wall", Unit::Ratio, &[1.0, 1.2, 9.0]);
        assert_eq!(row.standing(), Standing::Information);
        assert_eq!(row.clone().with_goal(Goal::AtMost(1.2)).standing(), Standing::Met);
        assert_eq!(row.with_goal(Goal::AtMost(1.1)).standing(), Standing::NotMet);
    }

    #[test]
    fn what_was_not_measured_is_neither_met_nor_missed() {
        let row = Row::not_measured("wall", Unit::Ratio, "xe is not installed").with_goal(Goal::AtMost(1.0));
        assert_eq!(row.standing(), Standing::NotMeasured);
        assert!(!row.is_missed_by_far());
        let row = Row::new("wall", Unit::Ratio, &[]).with_goal(Goal::AtMost(1.0));
        assert_eq!(row.standing(), Standing::NotMeasured);
    }
}
