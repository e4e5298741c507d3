//! Pieces of a list, which elements take one after another, and how a list is cut into them. Pure.

use std::ops::Range;

use crate::engine::Capacity;

/// Positions of a list that one element takes together, and how often they were tried before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Positions in the input, from 1, as ascending ranges that don't touch.
    pub ranges: Vec<Range<u64>>,
    /// How many elements had them before, without an outcome.
    pub tries: u32,
}

/// Determines the number of elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizing {
    /// Exactly this many.
    pub elements: Option<u32>,
    /// How many jobs an element runs at once; `None` means as many as its node has processors.
    pub limit: Option<u32>,
    /// How many elements may run at a time: more would find nothing to do.
    pub at_once: Option<u32>,
}

/// A piece is this fraction of the jobs left for each job that runs at once. So the last jobs end close to one another,
/// however long they take, and even if the first ones are the longest (guided self-scheduling: Polychronopoulos and Kuck, 1987).
const SHARES: u64 = 4;

/// The most pieces in all, or for each element if that is more: each becomes a file in a shared folder.
const MOST_PIECES: u64 = 1500;
const MOST_PIECES_EACH: u64 = 6;

impl Sizing {
    /// How many jobs an element runs at once, as far as it can be known beforehand; 1 or more.
    pub(crate) fn limit(self, capacity: Capacity) -> u32 {
        let of_a_node = capacity.processors.max(1).div_ceil(capacity.nodes.max(1));
        self.limit.unwrap_or(of_a_node).max(1)
    }
}

impl Piece {
    /// The number of its jobs.
    #[must_use]
    pub fn jobs(&self) -> u64 {
        count(&self.ranges)
    }

    /// Its positions, in order.
    pub fn positions(&self) -> impl Iterator<Item = u64> + '_ {
        self.ranges.iter().cloned().flatten()
    }
}

/// The number of positions in ranges.
#[must_use]
pub fn count(ranges: &[Range<u64>]) -> u64 {
    ranges.iter().map(|range| range.end - range.start).sum()
}

/// Converts ascending positions to ranges that don't touch.
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

/// How many elements to use for a number of jobs: as many as were asked for; else one for each place that the cluster has
/// for one, but only as many as have enough jobs to run at once. At most as many as an array may have.
///
/// ```
/// use procpool_cluster::{Capacity, Sizing, how_many};
///
/// let cluster = Capacity { most_elements: 1001, processors: 32, nodes: 4 };
/// let four_at_once = Sizing { limit: Some(4), ..Sizing::default() };
/// assert_eq!(how_many(100_000, four_at_once, cluster), 8);
/// assert_eq!(how_many(10, four_at_once, cluster), 3);
/// ```
#[must_use]
pub fn how_many(jobs: u64, sizing: Sizing, capacity: Capacity) -> u32 {
    let most = capacity.most_elements.max(1);
    let within = |elements: u64| u32::try_from(elements).unwrap_or(u32::MAX).clamp(1, most);
    if let Some(elements) = sizing.elements {
        return within(u64::from(elements).min(jobs));
    }
    let limit = u64::from(sizing.limit(capacity));
    let places = match sizing.limit {
        Some(_) => u64::from(capacity.processors.max(1)) / limit,
        None => u64::from(capacity.nodes.max(1)),
    };
    let at_once = u64::from(sizing.at_once.unwrap_or(u32::MAX));
    within(places.min(at_once).min(jobs.div_ceil(limit)))
}

/// The elements that work on pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArrayShape {
    /// How many elements.
    pub elements: u32,
    /// How many jobs each runs at once.
    pub limit: u32,
}

/// Cuts positions into pieces, in order: large ones first, so that there are few, and small ones last, so that no element
/// has much left to do while others have nothing.
///
/// ```
/// use procpool_cluster::{ArrayShape, cut};
///
/// let shape = ArrayShape { elements: 2, limit: 1 };
/// let sizes: Vec<u64> = cut(&[1..41], shape, 0).iter().map(|piece| piece.jobs()).collect();
/// assert_eq!(sizes, [5, 4, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
/// ```
#[must_use]
pub fn cut(todo: &[Range<u64>], shape: ArrayShape, tries: u32) -> Vec<Piece> {
    let jobs = count(todo);
    let piece_sizes = PieceSizes::of(jobs, shape);
    let mut rest = RemainingPositions { ranges: todo.iter().cloned(), range: 0..0 };
    let sizes = piece_sizes.sizes(jobs);
    sizes.map(|size| Piece { ranges: rest.take(size), tries }).collect()
}

/// Makes a piece of each position.
#[must_use]
pub fn one_by_one(todo: &[Range<u64>], tries: u32) -> Vec<Piece> {
    let single = |position| Piece { ranges: ranges([position]), tries };
    todo.iter().cloned().flatten().map(single).collect()
}

/// The size of the next piece.
#[derive(Clone, Copy, Debug)]
struct PieceSizes {
    /// The divisor of the number of jobs left.
    part: u64,
    /// The smallest size.
    least: u64,
}

impl PieceSizes {
    fn of(jobs: u64, shape: ArrayShape) -> PieceSizes {
        let elements = u64::from(shape.elements.max(1));
        let most = MOST_PIECES.max(MOST_PIECES_EACH * elements);
        let mut piece_sizes = PieceSizes {
            part: elements * u64::from(shape.limit.max(1)) * SHARES,
            least: 1,
        };
        while piece_sizes.is_more_than(most, jobs) {
            // Larger pieces cost less at the beginning than at the end, but must leave something to share.
            if piece_sizes.part > elements {
                piece_sizes.part /= 2;
            } else {
                piece_sizes.least *= 2;
            }
        }
        piece_sizes
    }

    fn is_more_than(self, most: u64, jobs: u64) -> bool {
        self.sizes(jobs).zip(0..=most).count() as u64 > most
    }

    fn sizes(self, jobs: u64) -> impl Iterator<Item = u64> {
        let mut rest = jobs;
        std::iter::from_fn(move || {
            let size = (rest / self.part).max(self.least).min(rest);
            rest -= size;
            (size > 0).then_some(size)
        })
    }
}

/// The positions that are in no piece yet.
struct RemainingPositions<I> {
    ranges: I,
    range: Range<u64>,
}

impl<I: Iterator<Item = Range<u64>>> RemainingPositions<I> {
    fn take(&mut self, mut wanted: u64) -> Vec<Range<u64>> {
        let mut ranges = Vec::new();
        while wanted > 0 {
            let taken = wanted.min(self.range.end - self.range.start);
            if taken > 0 {
                ranges.push(self.range.start..self.range.start + taken);
                self.range.start += taken;
                wanted -= taken;
            } else if let Some(next) = self.ranges.next() {
                self.range = next;
            } else {
                break;
            }
        }
        ranges
    }
}

#[cfg(test)]
mod tests;
