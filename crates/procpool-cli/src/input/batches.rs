//! Several values for each command: a fixed number, or as many as fit.

use std::ffi::OsString;
use std::num::NonZeroUsize;

use crate::input::rows::Rows;
use crate::job::work::Values;
use crate::template::Space;

/// The limits on the number of values of a command.
#[derive(Debug)]
pub(crate) struct Most {
    pub(crate) values: Option<NonZeroUsize>,
    pub(crate) room: Option<BatchRoom>,
}

/// The room for a command's arguments, and the space that they take.
#[derive(Debug)]
pub(crate) struct BatchRoom {
    pub(crate) free: usize,
    pub(crate) space: Space,
}

/// Values in batches. All values that come before an error are in batches before it.
pub(crate) struct Batches {
    rows: Rows,
    most: Most,
    /// A value that was read, but did not fit into the last batch.
    left: Option<OsString>,
    fault: Option<anyhow::Error>,
}

impl Batches {
    /// Groups rows that have one value each.
    pub(crate) fn new(rows: Rows, most: Most) -> Batches {
        Batches { rows, most, left: None, fault: None }
    }

    fn pull(&mut self) -> Option<OsString> {
        if let Some(left) = self.left.take() {
            return Some(left);
        }
        match self.rows.next()? {
            Ok(Values::One(value)) => Some(value),
            Ok(Values::Several(_)) => panic!("BUG: batches are of one list"),
            Err(fault) => {
                self.fault = Some(fault);
                None
            }
        }
    }

    fn fill(&mut self) -> Vec<OsString> {
        let most = self.most.values.map_or(usize::MAX, NonZeroUsize::get);
        let mut taken = self.most.room.as_ref().map_or(0, |room| room.space.once());
        let mut batch = Vec::new();
        while batch.len() < most {
            let Some(value) = self.pull() else { break };
            if let Some(room) = &self.most.room {
                taken = taken.saturating_add(room.space.of_value(value.len()));
                // A value that fits into no command gets one of its own, so that only this command fails.
                if taken > room.free && !batch.is_empty() {
                    self.left = Some(value);
                    break;
                }
            }
            batch.push(value);
        }
        batch
    }
}

impl Iterator for Batches {
    type Item = anyhow::Result<Values>;

    fn next(&mut self) -> Option<anyhow::Result<Values>> {
        if let Some(fault) = self.fault.take() {
            return Some(Err(fault));
        }
        let batch = self.fill();
        if batch.is_empty() { self.fault.take().map(Err) } else { Some(Ok(Values::Several(batch))) }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (least, most) = self.rows.size_hint();
        match (self.most.values, &self.most.room) {
            (Some(values), None) => {
                (least.div_ceil(values.get()), most.map(|most| most.div_ceil(values.get())))
            }
            _ => (usize::from(least > 0), most.and_then(|most| most.checked_add(1))),
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;
    use proptest::prelude::*;

    use super::*;
    use crate::template::{Names, Several, Template};

    fn rows(values: Vec<OsString>) -> Rows {
        Box::new(values.into_iter().map(|value| Ok(Values::One(value))))
    }

    fn by(number: usize) -> Most {
        Most { values: NonZeroUsize::new(number), room: None }
    }

    fn space(command: &str) -> Space {
        let words: Vec<OsString> = command.split(' ').map(OsString::from).collect();
        Template::parse(&words, &Names::AnyNumber, Several::Batched).unwrap().space()
    }

    fn batched(batches: Batches) -> Vec<Vec<OsString>> {
        batches.map(|batch| batch.unwrap().as_slice().to_vec()).collect()
    }

    #[test]
    fn the_last_batch_may_be_smaller() {
        let values: Vec<OsString> = ["a", "b", "c"].map(OsString::from).into();
        let batches = Batches::new(rows(values), by(2));
        assert_eq!(batches.size_hint(), (2, Some(2)));
        assert_eq!(batched(batches), [vec!["a", "b"], vec!["c"]]);
        assert!(batched(Batches::new(rows(Vec::new()), by(2))).is_empty());
    }

    #[test]
    fn what_comes_before_a_fault_is_in_a_batch_before_it() {
        let rows: Rows = Box::new(
            [Ok(Values::One("a".into())), Err(anyhow!("bad")), Ok(Values::One("b".into()))].into_iter(),
        );
        let mut batches = Batches::new(rows, by(2));
        assert_eq!(batches.next().unwrap().unwrap(), Values::Several(vec!["a".into()]));
        assert!(batches.next().unwrap().is_err());
    }

    #[test]
    fn a_value_that_no_command_can_have_is_alone() {
        let values = vec!["a".into(), "x".repeat(200_000).into(), "b".into(), "c".into()];
        let room = Some(BatchRoom { free: 1 << 20, space: space("echo {}") });
        let sizes: Vec<usize> =
            batched(Batches::new(rows(values), Most { values: None, room })).iter().map(Vec::len).collect();
        assert_eq!(sizes, [1, 1, 2]);
    }

    proptest! {
        #[test]
        fn batches_hold_all_values_in_order_and_as_many_as_fit(
            lengths in proptest::collection::vec(0_usize..50, 0..40),
            most in proptest::option::of(1_usize..9),
            free in 0_usize..600,
        ) {
            let values: Vec<OsString> = lengths.iter().map(|length| "v".repeat(*length).into()).collect();
            let most = most.and_then(NonZeroUsize::new);
            let space = space("echo a{}b{} {.}");
            let room = Some(BatchRoom { free, space: space.clone() });
            let batches = batched(Batches::new(rows(values.clone()), Most { values: most, room }));
            prop_assert_eq!(&batches.concat(), &values);
            let taken = |batch: &[OsString]| {
                space.once() + batch.iter().map(|value| space.of_value(value.len())).sum::<usize>()
            };
            for batch in &batches {
                prop_assert!(batch.len() == 1 || taken(batch) <= free);
                prop_assert!(most.is_none_or(|most| batch.len() <= most.get()));
            }
            for pair in batches.windows(2) {
                let one_more = [&pair[0][..], &pair[1][..1]].concat();
                prop_assert!(taken(&one_more) > free || most.is_some_and(|most| most.get() == pair[0].len()));
            }
        }
    }
}
