//! A set of positions in a list, stored as one bit each.

use std::iter;

/// A set of positions, which count from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Positions {
    words: Vec<u64>,
    count: u64,
}

impl Positions {
    /// All positions from 1 to `last`.
    #[must_use]
    pub fn up_to(last: u64) -> Positions {
        let mut positions = Positions::default();
        (1..=last).for_each(|position| positions.add(position));
        positions
    }

    pub fn add(&mut self, position: u64) {
        let word = usize::try_from(position / 64).expect("BUG: a list that no memory holds");
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        let bit = 1 << (position % 64);
        self.count += u64::from(self.words[word] & bit == 0);
        self.words[word] |= bit;
    }

    #[must_use]
    pub fn has(&self, position: u64) -> bool {
        let word = usize::try_from(position / 64).ok().and_then(|word| self.words.get(word));
        word.is_some_and(|word| word & 1 << (position % 64) != 0)
    }

    /// All positions, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        iter::successors(self.from(0), |position| self.from(position + 1))
    }

    /// The number of positions.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The first position of the set that is not before this one.
    #[must_use]
    pub fn from(&self, position: u64) -> Option<u64> {
        let first = usize::try_from(position / 64).ok()?;
        let from_there = u64::MAX << (position % 64);
        let masked = |word: usize| self.words[word] & if word == first { from_there } else { u64::MAX };
        let found = (first..self.words.len()).find(|word| masked(*word) != 0)?;
        Some(found as u64 * 64 + u64::from(masked(found).trailing_zeros()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set_in_order(positions in proptest::collection::btree_set(1_u64..500, 0..60)) {
            let mut set = Positions::default();
            positions.iter().chain(&positions).for_each(|position| set.add(*position));
            prop_assert_eq!(set.count(), positions.len() as u64);
            let walked: BTreeSet<u64> =
                iter::successors(set.from(1), |position| set.from(position + 1)).collect();
            prop_assert_eq!(&walked, &positions);
            prop_assert!((0..600).all(|position| set.has(position) == positions.contains(&position)));
        }
    }
}
