//! What a journal says of jobs, without what differs from run to run.
//! Does not know which outcomes are right.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What must be the same wherever a job runs: no times, machines, or slots.
const LASTING: [&str; 22] = [
    "job",
    "key",
    "key_base64",
    "fingerprint",
    "seq",
    "attempt",
    "outcome",
    "success",
    "status",
    "exit_code",
    "signal",
    "killer",
    "error",
    "errno",
    "leaked",
    "output_complete",
    "stdout_bytes",
    "stderr_bytes",
    "stdout",
    "stdout_base64",
    "stderr",
    "command",
];

/// What stands for an outcome of a job that has none yet.
const OPEN: [&str; 3] = ["never_reached", "running", "interrupted"];

/// A line a job, in the order of the list.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcomes(Vec<BTreeMap<String, Value>>);

impl Outcomes {
    pub(crate) fn read(export: &str) -> Outcomes {
        let lines = export.lines().map(|line| {
            let mut fields: BTreeMap<String, Value> = serde_json::from_str(line).unwrap();
            fields.retain(|name, _| LASTING.contains(&name.as_str()));
            fields
        });
        Outcomes(lines.collect())
    }

    /// How many have ended in one way or another.
    pub(crate) fn ended(&self) -> usize {
        self.0.iter().filter(|job| !OPEN.iter().any(|open| job["outcome"] == *open)).count()
    }

    /// The keys of those that have succeeded.
    pub(crate) fn succeeded(&self) -> BTreeSet<String> {
        let succeeded = self.0.iter().filter(|job| job["success"] == true);
        succeeded.map(|job| job["key"].as_str().unwrap().to_owned()).collect()
    }

    /// The keys of those that have failed: nothing but a failure of its own makes a job one of them.
    pub(crate) fn failed(&self) -> BTreeSet<String> {
        let ended = ["exited", "signalled", "timed_out", "not_started", "lost"];
        let failed = self
            .0
            .iter()
            .filter(|job| job["success"] != true && ended.iter().any(|end| job["outcome"] == *end));
        failed.map(|job| job["key"].as_str().unwrap().to_owned()).collect()
    }

    /// Each of the jobs with these numbers for keys stands there once, and has succeeded.
    #[track_caller]
    pub(crate) fn all_succeeded(&self, count: usize) {
        let keys: Vec<&str> = self.0.iter().map(|job| job["key"].as_str().unwrap()).collect();
        let expected: Vec<String> = (1..=count).map(|number| number.to_string()).collect();
        assert_eq!(keys, expected);
        let failed: Vec<_> = self.0.iter().filter(|job| job["success"] != true).collect();
        assert!(failed.is_empty(), "{failed:?}");
    }

    /// The first job that the two tell differently of.
    pub(crate) fn difference(&self, other: &Outcomes) -> Option<String> {
        if self.0.len() != other.0.len() {
            return Some(format!("{} jobs, and {}", self.0.len(), other.0.len()));
        }
        let mut pairs = self.0.iter().zip(&other.0);
        pairs.find(|(one, two)| one != two).map(|(one, two)| format!("{one:?}\n{two:?}"))
    }
}
