//! What is in no array yet: positions that are in no slice, and slices that wait for their round.
//! Knows nothing of the arrays that are out.

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::ops::Range;

use crate::engine::Capacity;
use crate::plan::Settings;
use crate::slice::{MOST_SLICES, Slice, count, how_many, partition};

#[derive(Debug)]
pub(crate) struct Backlog {
    /// Positions, by how often they were tried.
    todo: BTreeMap<u32, Vec<Range<u64>>>,
    slices: VecDeque<Slice>,
}

impl Backlog {
    /// Positions that were never tried.
    pub(crate) fn new(todo: Vec<Range<u64>>) -> Backlog {
        Backlog { todo: BTreeMap::from([(0, todo)]), slices: VecDeque::new() }
    }

    pub(crate) fn add(&mut self, tries: u32, ranges: Vec<Range<u64>>) {
        self.todo.entry(tries).or_default().extend(ranges);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slices.is_empty() && self.todo.values().all(Vec::is_empty)
    }

    /// The slices of the next array, as many as it may have.
    pub(crate) fn next(&mut self, settings: &Settings, capacity: Capacity) -> Vec<Slice> {
        for (tries, ranges) in mem::take(&mut self.todo) {
            self.slices.extend(partition(&ranges, slices_for(&ranges, tries, settings, capacity), tries));
        }
        let most = self.slices.len().min(capacity.most_elements.max(1) as usize);
        self.slices.drain(..most).collect()
    }

    /// All of it.
    pub(crate) fn take(&mut self) -> Vec<Range<u64>> {
        let sliced = self.slices.drain(..).flat_map(|slice| slice.ranges);
        sliced.chain(mem::take(&mut self.todo).into_values().flatten()).collect()
    }
}

fn slices_for(ranges: &[Range<u64>], tries: u32, settings: &Settings, capacity: Capacity) -> u64 {
    let jobs = count(ranges);
    if tries > 0 && tries + 1 >= settings.most_tries {
        // One of them may be what takes its slice down, and on its last try it should take nobody else with it.
        jobs.min(u64::from(MOST_SLICES.min(capacity.most_elements)))
    } else {
        how_many(jobs, settings.wish, capacity)
    }
}
