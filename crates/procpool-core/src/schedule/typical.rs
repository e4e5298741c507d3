//! How long a job typically takes: the median of those that succeeded, and the timeout that follows from it.
//! Knows nothing of jobs, only of durations.

use std::time::Duration;

/// A timeout in percent of the median of what it was told.
///
/// Counted are buckets whose edges lie less than 1 % apart, so that it takes 60 KB at most for any number of jobs,
/// and a single look at them for the median. Its upper edge is what counts: the timeout is up to 1 % later than
/// that of the exact median, never earlier.
#[derive(Debug)]
pub(crate) struct TypicalTime {
    percent: u32,
    /// How many durations lie in each bucket; grows to the longest.
    buckets: Vec<u64>,
    count: u64,
}

/// As GNU parallel has it: two of them say little.
const FEWEST: u64 = 3;

/// Each power of two is divided in so many buckets.
const FINENESS_BITS: u32 = 7;

impl TypicalTime {
    pub(crate) fn new(percent: u32) -> TypicalTime {
        TypicalTime { percent, buckets: Vec::new(), count: 0 }
    }

    /// A job has succeeded, and took so long.
    pub(crate) fn note(&mut self, elapsed: Duration) {
        let index = bucket(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX));
        if index >= self.buckets.len() {
            self.buckets.resize(index + 1, 0);
        }
        self.buckets[index] += 1;
        self.count += 1;
    }

    /// How long any other job may take; `None` where too few have succeeded.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        let median = (self.count >= FEWEST).then(|| self.median())?;
        let microseconds = u128::from(median) * u128::from(self.percent) / 100;
        Some(Duration::from_micros(u64::try_from(microseconds).unwrap_or(u64::MAX)))
    }

    /// In microseconds; of two in the middle the longer.
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

/// Small numbers have a bucket each; above that the leading bits count.
fn bucket(microseconds: u64) -> usize {
    let bits = u64::BITS - microseconds.leading_zeros();
    let shift = bits.saturating_sub(FINENESS_BITS + 1);
    let index = (u64::from(shift) << FINENESS_BITS) + (microseconds >> shift);
    usize::try_from(index).expect("BUG: there are some thousand buckets")
}

/// The largest number in a bucket.
fn upper_edge(index: usize) -> u64 {
    let fineness = 1 << FINENESS_BITS;
    let shift = (index / fineness).saturating_sub(1);
    let leading = (index - shift * fineness) as u64;
    // Wraps to the largest number there is, in the last bucket.
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
