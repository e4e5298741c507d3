//! The earliest end of a list of jobs of known lengths, if each starts in the list's order as soon as a
//! slot is free.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// When the last job ends, in the unit of `lengths`.
pub(crate) fn makespan(lengths: &[u64], limit: usize) -> u64 {
    let mut ends = BinaryHeap::new();
    let mut last = 0;
    for length in lengths {
        let start = if ends.len() < limit { 0 } else { ends.pop().map_or(0, |Reverse(end)| end) };
        last = last.max(start + length);
        ends.push(Reverse(start + length));
    }
    last
}

/// `count` lengths from 10 ms to `longest`, always the same ones.
pub(crate) fn lengths(count: usize, longest: u64) -> Vec<u64> {
    let mut random = StdRng::seed_from_u64(400);
    (0..count).map(|_| random.random_range(10..=longest)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_starts_as_soon_as_a_place_is_free() {
        assert_eq!(makespan(&[3, 1, 1, 1], 2), 3);
        assert_eq!(makespan(&[1, 1, 3], 2), 4);
        assert_eq!(makespan(&[5, 7], 9), 7);
        assert_eq!(makespan(&[], 2), 0);
    }

    #[test]
    fn one_place_takes_the_sum() {
        let lengths = lengths(50, 500);
        assert_eq!(makespan(&lengths, 1), lengths.iter().sum::<u64>());
    }

    #[test]
    fn the_lengths_are_the_same_each_time() {
        assert_eq!(lengths(400, 500), lengths(400, 500));
        assert!(lengths(400, 500).iter().all(|length| (10..=500).contains(length)));
    }
}
