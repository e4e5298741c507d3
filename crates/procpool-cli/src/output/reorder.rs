//! Returns things in the order of their numbers, in whatever order they come, and holds those that are early.

use std::collections::BTreeMap;
use std::sync::Arc;

use procpool_journal::format::positions::Positions;

/// Numbers begin with 1. There are no gaps between them, unless it is known which numbers come.
pub(crate) struct Reorder<T> {
    /// The numbers that come; `None` means all.
    numbers: Option<Arc<Positions>>,
    next: u64,
    early: BTreeMap<u64, T>,
}

impl<T> Reorder<T> {
    pub(crate) fn new() -> Reorder<T> {
        Reorder { numbers: None, next: 1, early: BTreeMap::new() }
    }

    /// Only these numbers come.
    pub(crate) fn of(numbers: Arc<Positions>) -> Reorder<T> {
        let next = numbers.from(1).unwrap_or(u64::MAX);
        Reorder { numbers: Some(numbers), next, early: BTreeMap::new() }
    }

    /// The number whose turn it is.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Whether it is the turn of this number.
    pub(crate) fn is_next(&self, number: u64) -> bool {
        number == self.next
    }

    /// Goes on to the next number: the caller has handled this one itself.
    pub(crate) fn skip(&mut self) {
        self.next = match &self.numbers {
            None => self.next + 1,
            Some(numbers) => numbers.from(self.next + 1).unwrap_or(u64::MAX),
        };
    }

    /// Holds a thing until its turn.
    pub(crate) fn hold(&mut self, number: u64, thing: T) {
        self.early.insert(number, thing);
    }

    /// Takes the thing whose turn it is, if it is held.
    pub(crate) fn take(&mut self) -> Option<T> {
        let thing = self.early.remove(&self.next)?;
        self.skip();
        Some(thing)
    }

    /// Takes everything that is left, in order and over gaps, when a run has ended early.
    pub(crate) fn take_rest(&mut self) -> impl Iterator<Item = (u64, T)> + use<T> {
        std::mem::take(&mut self.early).into_iter()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_order_in_is_the_right_order_out(numbers in Just((1..=50_u64).collect::<Vec<_>>()).prop_shuffle()) {
            let mut reorder = Reorder::new();
            let mut out = Vec::new();
            for number in numbers {
                if reorder.is_next(number) {
                    out.push(number);
                    reorder.skip();
                } else {
                    reorder.hold(number, number);
                }
                out.extend(std::iter::from_fn(|| reorder.take()));
            }
            prop_assert_eq!(out, (1..=50).collect::<Vec<_>>());
            prop_assert_eq!(reorder.take_rest().count(), 0);
        }
    }

    #[test]
    fn over_a_gap_only_the_rest_is_taken() {
        let mut reorder = Reorder::new();
        for number in [2, 4, 3] {
            reorder.hold(number, number);
        }
        assert_eq!(reorder.take(), None);
        assert_eq!(reorder.take_rest().collect::<Vec<_>>(), [(2, 2), (3, 3), (4, 4)]);
    }

    #[test]
    fn numbers_that_are_known_not_to_come_are_passed_over() {
        let mut numbers = Positions::default();
        for number in [3, 70, 200] {
            numbers.add(number);
        }
        let mut reorder = Reorder::of(Arc::new(numbers));
        reorder.hold(70, "b");
        assert!(reorder.is_next(3) && reorder.take().is_none());
        reorder.skip();
        assert_eq!(reorder.take(), Some("b"));
        assert!(reorder.is_next(200));
    }
}
