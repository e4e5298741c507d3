//! The outcomes of all jobs in a journal, without what differs from run to run, so that two runs can be
//! compared.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The fields that are the same wherever a job runs: no times, machines, or slots.
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

/// The outcomes of jobs that have not ended.
const OPEN: [&str; 3] = ["never_reached", "running", "interrupted"];

/// One map for each job, in the order of the list.
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

    /// The number of jobs that have ended.
    pub(crate) fn ended(&self) -> usize {
        self.0.iter().filter(|job| !OPEN.iter().any(|open| job["outcome"] == *open)).count()
    }

    /// The keys of the jobs that have succeeded.
    pub(crate) fn succeeded(&self) -> BTreeSet<String> {
        let succeeded = self.0.iter().filter(|job| job["success"] == true);
        succeeded.map(|job| job["key"].as_str().unwrap().to_owned()).collect()
    }

    /// The keys of the jobs that have failed by themselves, or were lost.
    pub(crate) fn failed(&self) -> BTreeSet<String> {
        let ended = ["exited", "signalled", "timed_out", "not_started", "lost"];
        let failed = self
            .0
            .iter()
            .filter(|job| job["success"] != true && ended.iter().any(|end| job["outcome"] == *end));
        failed.map(|job| job["key"].as_str().unwrap().to_owned()).collect()
    }

    /// All jobs with these numbers as keys are there once, and have succeeded.
    #[track_caller]
    pub(crate) fn all_succeeded(&self, count: usize) {
        let keys: Vec<&str> = self.0.iter().map(|job| job["key"].as_str().unwrap()).collect();
        let expected: Vec<String> = (1..=count).map(|number| number.to_string()).collect();
        assert_eq!(keys, expected);
        let failed: Vec<_> = self.0.iter().filter(|job| job["success"] != true).collect();
        assert!(failed.is_empty(), "{failed:?}");
    }

    /// The first job whose outcomes differ.
    pub(crate) fn difference(&self, other: &Outcomes) -> Option<String> {
        if self.0.len() != other.0.len() {
            return Some(format!("{} jobs, and {}", self.0.len(), other.0.len()));
        }
        let mut pairs = self.0.iter().zip(&other.0);
        pairs.find(|(one, two)| one != two).map(|(one, two)| format!("{one:?}\n{two:?}"))
    }
}
