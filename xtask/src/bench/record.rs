//! The result of a case: figures with their goals, the command lines, all samples.

use serde::Serialize;

use crate::bench::goal::Goal;
use crate::bench::statistics::Spread;

/// What one run of a program took, or several where one is too short.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Sample {
    pub(crate) seconds: f64,
    /// Of the program and of all processes that it waited for.
    pub(crate) processor_seconds: f64,
    /// The peak of the largest of these processes.
    pub(crate) peak_megabytes: f64,
}

/// A program with its command line and a sample of each round.
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

    /// None without samples.
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

/// The figures of a row.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Measurement {
    Measured(Spread),
    /// The reason.
    NotMeasured(String),
}

/// A measure, its figures and its goal, if it has one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Row {
    pub(crate) measure: String,
    pub(crate) unit: Unit,
    pub(crate) goal: Option<Goal>,
    pub(crate) finding: Measurement,
}

/// Whether a row meets its goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Met,
    NotMet,
    NotMeasured,
    /// It has no goal.
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

/// The result of a case.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Record {
    pub(crate) case: String,
    /// The work that the programs did.
    pub(crate) work: String,
    pub(crate) rows: Vec<Row>,
    /// What a reader must know about the figures.
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
