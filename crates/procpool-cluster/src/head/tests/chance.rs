//! Whatever an engine does, each job ends in exactly one way, and is never in two arrays at once.

use proptest::prelude::*;

use super::cluster::{Submission, ended, running};
use super::trial::Trial;
use crate::engine::{Cause, State};

/// What happens in the next second.
#[derive(Clone, Debug)]
enum Event {
    Away(u32),
    NextSubmission(Submission),
    /// An element begins.
    Runs(u32),
    /// An element ends with this many jobs left.
    Ends(u32, usize, Cause),
    /// The engine forgets what has ended.
    Forgotten,
    /// Nothing was taken from this piece on.
    Untaken(usize),
}

fn event() -> impl Strategy<Value = Event> {
    let submission = prop_oneof![Just(Submission::Unanswered), Just(Submission::Swallowed)];
    let cause =
        prop_oneof![Just(Cause::Other), Just(Cause::Other), Just(Cause::Evicted), Just(Cause::Cancelled)];
    prop_oneof![
        (1_u32..4).prop_map(Event::Away),
        submission.prop_map(Event::NextSubmission),
        (0_u32..4).prop_map(Event::Runs),
        (0_u32..4, 0_usize..12, cause).prop_map(|(index, left, cause)| Event::Ends(index, left, cause)),
        Just(Event::Forgotten),
        (0_usize..40).prop_map(Event::Untaken),
    ]
}

impl Trial {
    fn happens(&mut self, event: Event) {
        let is_there = |trial: &Trial, index: u32| {
            let script = trial.cluster.script();
            let array = script.arrays.last();
            array.is_some_and(|array| {
                matches!(array.elements.get(&index), Some(State::Waiting(_) | State::Running { .. }))
            })
        };
        match event {
            Event::Away(calls) => self.cluster.script().away = calls,
            Event::NextSubmission(submission) => self.cluster.script().next_submission = submission,
            Event::Runs(index) if is_there(self, index) => {
                self.cluster.script().element(index, running("n1"));
            }
            Event::Ends(index, left, cause) if is_there(self, index) && self.head.round().is_some() => {
                self.end(index, ended("X", cause), left);
            }
            Event::Forgotten => {
                if let Some(array) = self.cluster.script().arrays.last_mut() {
                    array.elements.retain(|_, state| !matches!(state, State::Ended(_)));
                }
            }
            Event::Untaken(from) if self.facts.finished.is_empty() => {
                let from = from.min(self.facts.holders.len());
                self.untake(from);
            }
            Event::Runs(_) | Event::Ends(..) | Event::Untaken(_) => {}
        }
    }

    /// From here on there are no failures.
    fn all_goes_well(&mut self) {
        for _ in 0..100 {
            if self.over > 0 {
                return;
            }
            self.pass(25);
            let Some(round) = self.head.round() else { continue };
            for index in 0..round.elements {
                let is_known = self.cluster.script().arrays.last().is_some_and(|array| {
                    matches!(array.elements.get(&index), Some(State::Waiting(_) | State::Running { .. }))
                });
                if is_known {
                    self.end(index, ended("exit 0", Cause::Other), 0);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn each_job_is_finished_lost_or_left_and_in_one_array_at_a_time(events in proptest::collection::vec(event(), 0..40)) {
        let mut trial = Trial::new();
        for event in events {
            trial.happens(event);
            trial.pass(1);
            let script = trial.cluster.script();
            let alive = script.arrays.iter().filter(|array| {
                array.elements.values().any(|state| !matches!(state, State::Ended(_)))
            });
            prop_assert!(alive.count() <= 1);
        }
        trial.all_goes_well();
        prop_assert_eq!(trial.over, 1);
        let named = trial.lost.iter().chain(&trial.left).flat_map(|(ranges, _)| ranges.iter().cloned().flatten());
        let mut ends: Vec<u64> = named.chain(trial.facts.finished.iter().copied()).collect();
        ends.sort_unstable();
        prop_assert_eq!(ends, (1..41).collect::<Vec<_>>());
        let mut names: Vec<&str> = trial.rounds.iter().map(|round| round.name.as_str()).collect();
        names.dedup();
        let made: Vec<String> = trial.cluster.script().arrays.iter().map(|array| array.name.clone()).collect();
        prop_assert_eq!(made, names);
    }
}
