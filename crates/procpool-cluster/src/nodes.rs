//! Finds nodes on which every job fails. A broken node fails fast, so without this it would take most of the jobs. Pure.

use std::collections::BTreeMap;

/// Counts outcomes of jobs for each node of a cluster.
///
/// ```
/// use procpool_cluster::{AttemptEnd, Nodes};
///
/// let mut nodes = Nodes::default();
/// (0..5).for_each(|_| nodes.note("n3", AttemptEnd::Failed));
/// assert!(nodes.take_bad().is_empty(), "it may be the jobs");
/// nodes.note("n1", AttemptEnd::Succeeded);
/// assert_eq!(nodes.take_bad()[0].node, "n3");
/// assert!(nodes.take_bad().is_empty(), "said once");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Nodes {
    seen: BTreeMap<String, NodeRecord>,
    /// On all nodes.
    succeeded: u64,
    failed: u64,
    /// Nothing was noted since the last call of `take_bad`.
    judged: bool,
}

/// The outcome of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptEnd {
    /// It succeeded.
    Succeeded,
    /// It failed by itself; not because it was stopped.
    Failed,
}

/// A node that should not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadNode {
    /// Its name.
    pub node: String,
    /// How many attempts have failed on it; none has succeeded.
    pub failed: u64,
}

/// The outcomes on a node.
#[derive(Clone, Copy, Debug, Default)]
struct NodeRecord {
    succeeded: u64,
    failed: u64,
    /// It was reported as bad.
    named: bool,
}

/// Fewer failures prove nothing about a node.
const LEAST: u64 = 5;

/// How sure the judgement is: by chance, all jobs of a good node would fail in less than one of this many cases.
const CHANCE: f64 = 100.0;

impl Nodes {
    /// Counts the outcome of an attempt on a node.
    pub fn note(&mut self, node: &str, end: AttemptEnd) {
        if !self.seen.contains_key(node) {
            self.seen.insert(node.to_owned(), NodeRecord::default());
        }
        let Some(seen) = self.seen.get_mut(node) else { return };
        let (here, everywhere) = match end {
            AttemptEnd::Succeeded => (&mut seen.succeeded, &mut self.succeeded),
            AttemptEnd::Failed => (&mut seen.failed, &mut self.failed),
        };
        *here += 1;
        *everywhere += 1;
        self.judged = false;
    }

    /// Marks a node that was reported as bad earlier, so that it is not reported again.
    pub fn know(&mut self, node: &str) {
        self.seen.entry(node.to_owned()).or_default().named = true;
    }

    /// The nodes on which all jobs have failed, at least five, while so many others succeed elsewhere that this is no
    /// chance. Each is reported once.
    pub fn take_bad(&mut self) -> Vec<BadNode> {
        if std::mem::replace(&mut self.judged, true) || self.succeeded == 0 {
            return Vec::new();
        }
        let (succeeded, failed) = (self.succeeded, self.failed);
        let mut bad = Vec::new();
        for (node, seen) in &mut self.seen {
            if !seen.named && is_bad(*seen, succeeded, failed - seen.failed) {
                seen.named = true;
                bad.push(BadNode { node: node.clone(), failed: seen.failed });
            }
        }
        bad
    }
}

/// Whether all failures here are no chance, given the counts of all other nodes.
fn is_bad(here: NodeRecord, succeeded: u64, failed: u64) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more digits")]
    let share = failed as f64 / (succeeded + failed) as f64;
    let failures = i32::try_from(here.failed).unwrap_or(i32::MAX);
    here.succeeded == 0 && here.failed >= LEAST && share.powi(failures) * CHANCE < 1.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn after(ends: &[(&str, AttemptEnd, u64)]) -> Nodes {
        let mut nodes = Nodes::default();
        for (node, end, times) in ends {
            for _ in 0..*times {
                nodes.note(node, *end);
            }
        }
        nodes
    }

    fn named(ends: &[(&str, AttemptEnd, u64)]) -> Vec<String> {
        after(ends).take_bad().into_iter().map(|bad| bad.node).collect()
    }

    #[test]
    fn a_node_on_which_all_fails_is_named_once_others_succeed() {
        use AttemptEnd::{Failed, Succeeded};
        assert_eq!(named(&[("n1", Succeeded, 9), ("n3", Failed, 4)]), [""; 0]);
        assert_eq!(named(&[("n1", Succeeded, 1), ("n3", Failed, 5)]), ["n3"]);
        assert_eq!(named(&[("n3", Failed, 500)]), [""; 0]);
        assert_eq!(named(&[("n2", Failed, 7), ("n3", Failed, 5), ("n1", Succeeded, 20)]), ["n2", "n3"]);
        // A node on which something has ever succeeded is never bad.
        assert_eq!(named(&[("n3", Succeeded, 1), ("n3", Failed, 99), ("n1", Succeeded, 99)]), [""; 0]);
    }

    #[test]
    fn where_jobs_fail_everywhere_five_failures_say_nothing_and_more_do() {
        use AttemptEnd::{Failed, Succeeded};
        let elsewhere = [("n1", Failed, 50), ("n1", Succeeded, 50)];
        let with = |failed| named(&[elsewhere[0], elsewhere[1], ("n3", Failed, failed)]);
        assert_eq!(with(5), [""; 0]);
        assert_eq!(with(7), ["n3"]);
    }

    #[test]
    fn a_node_that_is_known_is_not_named_again() {
        let mut nodes = after(&[("n1", AttemptEnd::Succeeded, 3), ("n3", AttemptEnd::Failed, 5)]);
        nodes.know("n3");
        assert_eq!(nodes.take_bad(), []);
        nodes.note("n3", AttemptEnd::Failed);
        assert_eq!(nodes.take_bad(), []);
    }

    proptest! {
        #[test]
        fn no_node_is_named_on_which_something_has_succeeded_and_never_all(
            ends in proptest::collection::vec((0_u8..5, any::<bool>()), 0..300),
        ) {
            let mut nodes = Nodes::default();
            let mut bad = Vec::new();
            for (node, succeeded) in &ends {
                let end = if *succeeded { AttemptEnd::Succeeded } else { AttemptEnd::Failed };
                nodes.note(&node.to_string(), end);
                let succeeded_before: Vec<String> = nodes.seen.iter()
                    .filter(|(_, seen)| seen.succeeded > 0).map(|(name, _)| name.clone()).collect();
                for named in nodes.take_bad() {
                    prop_assert!(named.failed >= LEAST && !succeeded_before.contains(&named.node));
                    prop_assert!(!succeeded_before.is_empty());
                    bad.push(named.node);
                }
            }
            bad.sort();
            let named = bad.len();
            bad.dedup();
            prop_assert_eq!(named, bad.len());
        }
    }
}
