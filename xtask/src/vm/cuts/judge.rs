//! What must be true after each power cut: nothing lost that was shown or recorded, nothing recorded that
//! wasn't done, and no more jobs run again than were running. Pure: it compares what was seen before the
//! cut with what is found after it.

use std::collections::{BTreeMap, BTreeSet};

use crate::vm::cuts::job::LIMIT;

/// The contents of the disks after a start.
#[derive(Clone, Debug, Default)]
pub(crate) struct DiskState {
    /// The jobs that succeeded by the journal.
    pub(crate) recorded: BTreeSet<u32>,
    pub(crate) stamps: Vec<Stamp>,
}

/// What a job wrote and synced itself, to the other disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) what: StampKind,
    /// The start of the machine in which it was written, from 1.
    pub(crate) start: u64,
    pub(crate) key: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StampKind {
    Began,
    Ended,
}

/// The history of a list, from its first start to its end.
#[derive(Default)]
pub(crate) struct History {
    /// How often each output was seen on the console.
    shown: BTreeMap<u32, u64>,
    recorded: BTreeSet<u32>,
    /// How many stamps there were at the last look.
    stamps: usize,
}

/// What was done or shown more than once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reruns {
    pub(crate) run: u64,
    /// The most after one cut.
    pub(crate) most: u64,
    pub(crate) shown: u64,
}

impl Stamp {
    /// Parses `began START KEY` or `ended START KEY`; None for a line that a cut has torn.
    pub(crate) fn parse(text: &str) -> Option<Stamp> {
        let words: Vec<&str> = text.split(' ').collect();
        let (what, start, key) = match words[..] {
            ["began", start, key] => (StampKind::Began, start, key),
            ["ended", start, key] => (StampKind::Ended, start, key),
            _ => return None,
        };
        Some(Stamp { what, start: start.parse().ok()?, key: key.parse().ok()? })
    }
}

impl History {
    /// Takes note of an output, and returns whether it is new.
    pub(crate) fn show(&mut self, key: u32) -> bool {
        let times = self.shown.entry(key).or_default();
        *times += 1;
        *times == 1
    }

    pub(crate) fn shown(&self) -> usize {
        self.shown.len()
    }

    /// Judges the disks after a start, and returns what is wrong, one sentence each.
    pub(crate) fn look(&mut self, found: &DiskState) -> Vec<String> {
        let mut faults = Vec::new();
        let mut complain = |what: &str, keys: Vec<u32>| {
            if !keys.is_empty() {
                faults.push(format!("{what}: {keys:?}"));
            }
        };
        let shown: BTreeSet<u32> = self.shown.keys().copied().collect();
        let all_of = |what, stamps: &[Stamp]| -> BTreeSet<u32> {
            stamps.iter().filter(|stamp| stamp.what == what).map(|stamp| stamp.key).collect()
        };
        let ended = all_of(StampKind::Ended, &found.stamps);
        complain("shown and not recorded", shown.difference(&found.recorded).copied().collect());
        complain(
            "recorded once and not any more",
            self.recorded.difference(&found.recorded).copied().collect(),
        );
        complain("recorded and not done", found.recorded.difference(&ended).copied().collect());
        // Jobs that were recorded before the last start must not begin in it.
        let fresh = found.stamps.get(self.stamps..).unwrap_or_default();
        let begun = all_of(StampKind::Began, fresh);
        complain("recorded and run again", self.recorded.intersection(&begun).copied().collect());
        for (start, again) in again_by_start(&found.stamps) {
            if again > LIMIT as u64 {
                faults.push(format!("{again} jobs were run again in start {start}, more than {LIMIT}"));
            }
        }
        self.recorded.clone_from(&found.recorded);
        self.stamps = found.stamps.len();
        faults
    }

    /// What was done more than once, as of the last look.
    pub(crate) fn again(&self, found: &DiskState) -> Reruns {
        let by_start = again_by_start(&found.stamps);
        let most = by_start.values().copied().max().unwrap_or(0);
        Reruns {
            run: by_start.values().sum(),
            most,
            shown: self.shown.values().map(|times| times - 1).sum(),
        }
    }
}

/// How many jobs began in each start that had begun in an earlier one.
fn again_by_start(stamps: &[Stamp]) -> BTreeMap<u64, u64> {
    let mut first: BTreeMap<u32, u64> = BTreeMap::new();
    let mut again: BTreeMap<u64, BTreeSet<u32>> = BTreeMap::new();
    for stamp in stamps.iter().filter(|stamp| stamp.what == StampKind::Began) {
        if *first.entry(stamp.key).or_insert(stamp.start) != stamp.start {
            again.entry(stamp.start).or_default().insert(stamp.key);
        }
    }
    again.into_iter().map(|(start, keys)| (start, keys.len() as u64)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(recorded: &[u32], stamps: &[&str]) -> DiskState {
        DiskState {
            recorded: recorded.iter().copied().collect(),
            stamps: stamps.iter().filter_map(|text| Stamp::parse(text)).collect(),
        }
    }

    #[test]
    fn a_torn_stamp_is_none() {
        assert!(Stamp::parse("ended 1").is_none() && Stamp::parse("").is_none());
        assert!(Stamp::parse("ende 1 2").is_none() && Stamp::parse("ended 1 2x").is_none());
        assert_eq!(Stamp::parse("ended 1 2"), Some(Stamp { what: StampKind::Ended, start: 1, key: 2 }));
    }

    #[test]
    fn what_was_shown_is_recorded_and_what_is_recorded_was_done() {
        let mut history = History::default();
        history.show(1);
        let good = found(&[1, 2], &["began 1 1", "ended 1 1", "began 1 2", "ended 1 2", "began 1 3"]);
        assert_eq!(history.look(&good), [""; 0]);
        history.show(3);
        let bad = found(&[1, 4], &["began 1 1", "ended 1 1"]);
        let expected = [
            "shown and not recorded: [3]",
            "recorded once and not any more: [2]",
            "recorded and not done: [4]",
        ];
        assert_eq!(history.look(&bad), expected);
    }

    #[test]
    fn what_was_recorded_is_not_run_again() {
        let mut history = History::default();
        assert_eq!(history.look(&found(&[1], &["began 1 1", "ended 1 1"])), [""; 0]);
        let again = found(&[1], &["began 1 1", "ended 1 1", "began 2 1"]);
        assert_eq!(history.look(&again), ["recorded and run again: [1]"]);
    }

    #[test]
    fn no_more_are_run_again_than_were_running() {
        let first = ["began 1 1", "began 1 2", "began 1 3", "began 1 4"];
        let three = [&first[..], &["began 2 1", "began 2 2", "began 2 3", "began 2 5"]].concat();
        let mut history = History::default();
        assert_eq!(history.look(&found(&[], &three)), [""; 0]);
        assert_eq!(history.again(&found(&[], &three)), Reruns { run: 3, most: 3, shown: 0 });
        let four = [&three[..], &["began 2 4"]].concat();
        assert_eq!(history.look(&found(&[], &four)), ["4 jobs were run again in start 2, more than 3"]);
    }

    #[test]
    fn outputs_that_came_twice_are_counted() {
        let mut history = History::default();
        assert_eq!([1, 1, 1, 2].map(|key| history.show(key)), [true, false, false, true]);
        assert_eq!((history.shown(), history.again(&DiskState::default()).shown), (2, 2));
    }
}
