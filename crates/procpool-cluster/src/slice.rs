//! Slices of a list, and how a list is cut into them: pure.
//! Knows no job, no array and no engine.

use std::ops::Range;

use crate::engine::Capacity;

/// What one element of an array is to do: some of the list's positions, and how often that was tried before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Positions in the input, from 1, in order, none twice, as ranges that don't touch.
    pub ranges: Vec<Range<u64>>,
    /// In how many arrays these have been before, without an outcome.
    pub tries: u32,
}

/// What decides how many slices there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// So many, whatever else speaks against it.
    pub slices: Option<u32>,
    /// How many jobs run at once in a slice; `None` is as many as its node has processors.
    pub limit: Option<u32>,
    /// Whether more slices than an array may have become several.
    pub arrays: Arrays,
}

/// How many arrays a list may become, one after another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arrays {
    /// As many as the slices take.
    #[default]
    AsManyAsItTakes,
    /// One, for nobody may be there to hand in the next: then there are fewer slices.
    One,
}

/// No more slices than this, where nobody wishes for more: each has files of its own in a shared folder.
pub const MOST_SLICES: u32 = 1000;

/// How many slices there are for each place where one could run: the last to end keeps the others from
/// having nothing to do for a third of the time at most, and a dead node costs a third of its work.
const SLICES_PER_PLACE: u64 = 3;

impl Slice {
    /// How many jobs are in it.
    #[must_use]
    pub fn jobs(&self) -> u64 {
        count(&self.ranges)
    }

    /// Their positions, in order.
    pub fn positions(&self) -> impl Iterator<Item = u64> + '_ {
        self.ranges.iter().cloned().flatten()
    }
}

/// How many positions there are in ranges.
#[must_use]
pub fn count(ranges: &[Range<u64>]) -> u64 {
    ranges.iter().map(|range| range.end - range.start).sum()
}

/// Ascending positions as ranges that don't touch.
///
/// ```
/// assert_eq!(procpool_cluster::ranges([1, 2, 3, 7, 8]), [1..4, 7..9]);
/// ```
pub fn ranges(positions: impl IntoIterator<Item = u64>) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = Vec::new();
    for position in positions {
        match ranges.last_mut() {
            Some(last) if last.end == position => last.end += 1,
            _ => ranges.push(position..position + 1),
        }
    }
    ranges
}

/// Into how many slices so many jobs are cut: as many as wished; else three for each place that the cluster has for
/// one, at most [`MOST_SLICES`], at most as many as an array has elements, and none with fewer jobs than run at once.
///
/// ```
/// use procpool_cluster::{Capacity, Wish, how_many};
///
/// let cluster = Capacity { most_elements: 1001, processors: 32, nodes: 4 };
/// let four_at_once = Wish { limit: Some(4), ..Wish::default() };
/// assert_eq!(how_many(100_000, four_at_once, cluster), 24);
/// assert_eq!(how_many(10, four_at_once, cluster), 3);
/// ```
#[must_use]
pub fn how_many(jobs: u64, wish: Wish, capacity: Capacity) -> u64 {
    if let Some(slices) = wish.slices {
        let most = match wish.arrays {
            Arrays::AsManyAsItTakes => u32::MAX,
            Arrays::One => capacity.most_elements.max(1),
        };
        return u64::from(slices.min(most)).clamp(1, jobs.max(1));
    }
    let processors = u64::from(capacity.processors.max(1));
    let nodes = u64::from(capacity.nodes.max(1));
    let (places, limit) = match wish.limit {
        Some(limit) => (processors / u64::from(limit.max(1)), u64::from(limit.max(1))),
        None => (nodes, processors.div_ceil(nodes)),
    };
    let most = u64::from(capacity.most_elements.min(MOST_SLICES)).min(jobs.div_ceil(limit));
    (places.max(1) * SLICES_PER_PLACE).min(most).max(1)
}

/// Cuts positions into so many slices, in order; their sizes differ by one at most. Never more slices than positions.
///
/// ```
/// let slices = procpool_cluster::partition(&[1..4, 7..9], 2, 0);
/// assert_eq!((&slices[0].ranges[..], &slices[1].ranges[..]), (&[1..4][..], &[7..9][..]));
/// ```
#[must_use]
pub fn partition(todo: &[Range<u64>], slices: u64, tries: u32) -> Vec<Slice> {
    let jobs = count(todo);
    let slices = slices.min(jobs);
    let mut rest = todo.iter().cloned();
    let mut range = 0..0;
    let mut cut = |mut wanted: u64| {
        let mut ranges = Vec::new();
        while wanted > 0 {
            let taken = wanted.min(range.end - range.start);
            if taken > 0 {
                ranges.push(range.start..range.start + taken);
                range.start += taken;
                wanted -= taken;
            } else if let Some(next) = rest.next() {
                range = next;
            } else {
                break;
            }
        }
        Slice { ranges, tries }
    };
    (0..slices).map(|slice| cut(jobs / slices + u64::from(slice < jobs % slices))).collect()
}

#[cfg(test)]
mod tests;
