//! The jobs that are in no array yet, by the number of their tries.

use std::collections::BTreeMap;
use std::mem;
use std::ops::Range;

use crate::engine::Capacity;
use crate::piece::{ArrayShape, Piece, Sizing, count, cut, how_many, one_by_one};
use crate::plan::{Manner, Settings};

#[derive(Debug)]
pub(crate) struct Backlog(BTreeMap<u32, Vec<Range<u64>>>);

/// The contents of the next array.
#[derive(Debug)]
pub(crate) struct NextArray {
    pub(crate) elements: u32,
    pub(crate) manner: Manner,
    pub(crate) pieces: Vec<Piece>,
}

impl Backlog {
    /// A backlog of jobs that were never tried.
    pub(crate) fn new(todo: Vec<Range<u64>>) -> Backlog {
        Backlog(BTreeMap::from([(0, todo)]))
    }

    pub(crate) fn add(&mut self, tries: u32, ranges: Vec<Range<u64>>) {
        self.0.entry(tries).or_default().extend(ranges);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.values().all(Vec::is_empty)
    }

    /// Takes the jobs for the next array: all except those on their last try, or only those if nothing else is left.
    pub(crate) fn next(&mut self, settings: &Settings, capacity: Capacity) -> NextArray {
        let (alone, others): (BTreeMap<_, _>, BTreeMap<_, _>) = mem::take(&mut self.0)
            .into_iter()
            .partition(|(tries, _)| is_last_try(*tries, settings.most_tries));
        if others.values().all(Vec::is_empty) {
            let pieces = alone.into_iter().flat_map(|(tries, ranges)| one_by_one(&ranges, tries)).collect();
            return NextArray::one_by_one(pieces, capacity);
        }
        self.0 = alone;
        let jobs = others.values().map(|ranges| count(ranges)).sum();
        let sizing = settings.sizing;
        let shape = ArrayShape {
            elements: how_many(jobs, sizing, capacity),
            limit: sizing.limit(capacity),
        };
        let pieces = others.into_iter().flat_map(|(tries, ranges)| cut(&ranges, shape, tries)).collect();
        NextArray::full(pieces, settings.sizing, capacity)
    }

    /// Takes all of it.
    pub(crate) fn take(&mut self) -> Vec<Range<u64>> {
        mem::take(&mut self.0).into_values().flatten().collect()
    }
}

/// More elements cost the engine more than another array does.
const MOST_ALONE: u32 = 1000;

impl NextArray {
    fn full(mut pieces: Vec<Piece>, sizing: Sizing, capacity: Capacity) -> NextArray {
        sort(&mut pieces);
        let jobs = pieces.iter().map(Piece::jobs).sum();
        NextArray {
            elements: how_many(jobs, sizing, capacity),
            manner: Manner::Full,
            pieces,
        }
    }

    /// An element for each piece: if each job kills its element, as before, fewer elements would need one array after another.
    fn one_by_one(mut pieces: Vec<Piece>, capacity: Capacity) -> NextArray {
        sort(&mut pieces);
        let elements = u32::try_from(pieces.len()).unwrap_or(u32::MAX);
        let most = capacity.most_elements.clamp(1, MOST_ALONE);
        NextArray {
            elements: elements.clamp(1, most),
            manner: Manner::OneByOne,
            pieces,
        }
    }
}

/// Sorts by position, so that output in list order appears in order, however often the first jobs were tried.
fn sort(pieces: &mut [Piece]) {
    pieces.sort_by_key(|piece| piece.ranges.first().map(|range| range.start));
}

/// Whether a job with this many tries is lost if it fails to get an outcome once more.
fn is_last_try(tries: u32, most_tries: u32) -> bool {
    tries > 0 && tries + 1 >= most_tries
}
