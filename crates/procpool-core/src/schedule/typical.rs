//! The median time of successful jobs, and the timeout that follows from it.

use std::time::Duration;

/// A timeout in percent of the median of the times it was given.
///
/// It keeps a histogram with buckets less than 1 % wide, so it takes at most 60 KB for any number of jobs, and finding the
/// median is one pass. The upper edge of the median's bucket counts: the timeout is up to 1 % later than that of the
/// exact median, never earlier.
#[derive(Debug)]
pub(crate) struct TypicalTime {
    percent: u32,
    /// The count of each bucket; grows to the longest time.
    buckets: Vec<u64>,
    count: u64,
}

/// As in GNU parallel: fewer jobs don't say much.
const FEWEST: u64 = 3;

/// log2 of the number of buckets for each power of two.
const FINENESS_BITS: u32 = 7;

impl TypicalTime {
    pub(crate) fn new(percent: u32) -> TypicalTime {
        TypicalTime { percent, buckets: Vec::new(), count: 0 }
    }

    /// Adds the time of a job that succeeded.
    pub(crate) fn note(&mut self, elapsed: Duration) {
        let index = bucket(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX));
        if index >= self.buckets.len() {
            self.buckets.resize(index + 1, 0);
        }
        self.buckets[index] += 1;
        self.count += 1;
    }

    /// The timeout for other jobs; `None` if too few have succeeded.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        let median = (self.count >= FEWEST).then(|| self.median())?;
        let microseconds = u128::from(median) * u128::from(self.percent) / 100;
        Some(Duration::from_micros(u64::try_from(microseconds).unwrap_or(u64::MAX)))
    }

    /// In microseconds; the longer of two in the middle.
    fn median(&self) -> u64 {
        let mut left = self.count / 2;
        let middle = self.buckets.iter().position(|count| match left.checked_sub(*count) {
            Some(less) => {
                left = less;
                false
            }
            None => true,
        });
        upper_edge(middle.expect("BUG: the buckets hold less than was counted"))
    }
}

/// The bucket of a time. Small times have a bucket each; of larger ones the leading bits count.
fn bucket(microseconds: u64) -> usize {
    let bits = u64::BITS - microseconds.leading_zeros();
    let shift = bits.saturating_sub(FINENESS_BITS + 1);
    let index = (u64::from(shift) << FINENESS_BITS) + (microseconds >> shift);
    usize::try_from(index).expect("BUG: there are some thousand buckets")
}

/// The largest time in a bucket.
fn upper_edge(index: usize) -> u64 {
    let fineness = 1 << FINENESS_BITS;
    let shift = (index / fineness).saturating_sub(1);
    let leading = (index - shift * fineness) as u64;
    // Wraps to the largest possible number in the last bucket.
    ((leading + 1) << shift).wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn after(percent: u32, milliseconds: &[u64]) -> Option<Duration> {
        let mut typical = TypicalTime::new(percent);
        for elapsed in milliseconds {
            typical.note(Duration::from_millis(*elapsed));
        }
        typical.timeout()
    }

    #[track_caller]
    fn assert_about(timeout: Option<Duration>, milliseconds: u64) {
        let exact = Duration::from_millis(milliseconds);
        let timeout = timeout.expect("it is known");
        assert!(exact <= timeout && timeout <= exact.mul_f64(1.01), "{timeout:?}");
    }

    #[test]
    fn it_is_known_from_the_third_on() {
        assert_eq!(after(200, &[10, 10]), None);
        assert_about(after(200, &[10, 10, 10]), 20);
    }

    #[test]
    fn it_is_of_the_one_in_the_middle_and_not_of_a_mean() {
        assert_about(after(100, &[1, 1_000_000, 5]), 5);
        assert_about(after(100, &[900, 1, 70, 2]), 70);
        assert_about(after(50, &[60_000, 60_000, 60_000]), 30_000);
    }

    #[test]
    fn the_longest_time_is_not_too_long() {
        let mut typical = TypicalTime::new(u32::MAX);
        (0..3).for_each(|_| typical.note(Duration::MAX));
        assert_eq!(typical.timeout(), Some(Duration::from_micros(u64::MAX)));
        assert!(typical.buckets.len() * size_of::<u64>() <= 60_000);
    }

    proptest! {
        #[test]
        fn the_median_is_never_early_and_less_than_1_percent_late(
            elapsed in prop::collection::vec((0_u32..64).prop_flat_map(|bits| 0..=(u64::MAX >> bits)), 3..99),
        ) {
            let mut typical = TypicalTime::new(100);
            for elapsed in &elapsed {
                typical.note(Duration::from_micros(*elapsed));
            }
            let mut sorted = elapsed.clone();
            sorted.sort_unstable();
            let exact = sorted[sorted.len() / 2];
            let median = typical.median();
            prop_assert!(exact <= median);
            prop_assert!(u128::from(median - exact) * 100 <= u128::from(exact));
        }
    }
}
