//! What is in no array yet, by how often it was tried.
//! Knows nothing of the arrays that are out.

use std::collections::BTreeMap;
use std::mem;
use std::ops::Range;

use crate::engine::Capacity;
use crate::piece::{Crew, Piece, Wish, count, cut, how_many, one_by_one};
use crate::plan::{Manner, Settings};

#[derive(Debug)]
pub(crate) struct Backlog(BTreeMap<u32, Vec<Range<u64>>>);

/// What the next array is to do.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) elements: u32,
    pub(crate) manner: Manner,
    pub(crate) pieces: Vec<Piece>,
}

impl Backlog {
    /// Positions that were never tried.
    pub(crate) fn new(todo: Vec<Range<u64>>) -> Backlog {
        Backlog(BTreeMap::from([(0, todo)]))
    }

    pub(crate) fn add(&mut self, tries: u32, ranges: Vec<Range<u64>>) {
        self.0.entry(tries).or_default().extend(ranges);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.values().all(Vec::is_empty)
    }

    /// What the next array is to do: all but jobs on their last try, or those where nothing else is left.
    pub(crate) fn next(&mut self, settings: &Settings, capacity: Capacity) -> Load {
        let (alone, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
            mem::take(&mut self.0).into_iter().partition(|(tries, _)| is_last(*tries, settings.most_tries));
        if others.values().all(Vec::is_empty) {
            let pieces = alone.into_iter().flat_map(|(tries, ranges)| one_by_one(&ranges, tries)).collect();
            return Load::new(Manner::OneByOne, pieces, settings.wish, capacity);
        }
        self.0 = alone;
        let jobs = others.values().map(|ranges| count(ranges)).sum();
        let wish = settings.wish;
        let crew = Crew {
            elements: how_many(jobs, wish, capacity),
            limit: wish.limit(capacity),
        };
        let pieces = others.into_iter().flat_map(|(tries, ranges)| cut(&ranges, crew, tries)).collect();
        Load::new(Manner::Full, pieces, settings.wish, capacity)
    }

    /// All of it.
    pub(crate) fn take(&mut self) -> Vec<Range<u64>> {
        mem::take(&mut self.0).into_values().flatten().collect()
    }
}

impl Load {
    fn new(manner: Manner, mut pieces: Vec<Piece>, wish: Wish, capacity: Capacity) -> Load {
        // Output that is to come in order of the list then does, however often what comes first was tried.
        pieces.sort_by_key(|piece| piece.ranges.first().map(|range| range.start));
        let jobs = pieces.iter().map(Piece::jobs).sum();
        Load { elements: how_many(jobs, wish, capacity), manner, pieces }
    }
}

/// Whether jobs that were tried so often are lost where they come to nothing once more.
fn is_last(tries: u32, most_tries: u32) -> bool {
    tries > 0 && tries + 1 >= most_tries
}
