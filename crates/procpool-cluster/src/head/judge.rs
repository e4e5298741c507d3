//! Judges an array whose elements are all gone: which jobs have no outcome, and whether they are retried, lost or left.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::array::TrackedArray;
use crate::engine::Cause;
use crate::notice::Ended;
use crate::outcomes::{Holder, Outcomes, Unreadable};
use crate::piece::ranges;

/// The jobs of an array without an outcome.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// Jobs to retry, by the number of their tries.
    pub(crate) again: BTreeMap<u32, Vec<Range<u64>>>,
    /// The elements that had taken those.
    pub(crate) ended: Vec<Ended>,
    pub(crate) lost: Vec<LostJobs>,
    /// Jobs of cancelled elements.
    pub(crate) left: Vec<Range<u64>>,
    pub(crate) untaken: Untaken,
}

/// Jobs that are lost, with the reason.
#[derive(Debug)]
pub(crate) struct LostJobs {
    pub(crate) ranges: Vec<Range<u64>>,
    pub(crate) why: String,
}

/// Jobs that no element has taken or begun; that doesn't count as a try.
#[derive(Debug, Default)]
pub(crate) struct Untaken {
    /// By the number of earlier tries.
    pub(crate) ranges: BTreeMap<u32, Vec<Range<u64>>>,
    pub(crate) why: UntakenReason,
    /// How the first element ended.
    pub(crate) first: String,
}

/// Why jobs were not taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum UntakenReason {
    /// The elements had to end before.
    #[default]
    OutOfTime,
    /// No element has begun anything.
    NoneBegan,
    Cancelled,
}

impl Untaken {
    /// Whether there are jobs for another array.
    pub(crate) fn goes_on(&self) -> bool {
        !self.ranges.is_empty() && self.why != UntakenReason::Cancelled
    }
}

/// A piece that was taken and is not finished.
struct Unfinished {
    holder: Holder,
    tries: u32,
    positions: Vec<u64>,
}

/// # Errors
/// If the caller can't read the records now.
pub(crate) fn judge(
    array: &TrackedArray,
    engine: &str,
    most_tries: u32,
    outcomes: &dyn Outcomes,
) -> Result<Verdict, Unreadable> {
    let mut verdict = Verdict::default();
    let mut unfinished = Vec::new();
    let mut progressed = BTreeSet::new();
    let mut gets_on = false;
    for (index, piece) in array.round.pieces.iter().enumerate() {
        let mut positions: Vec<u64> = piece.positions().filter(|at| !outcomes.is_finished(*at)).collect();
        let holder = outcomes.holder(index)?;
        if (positions.len() as u64) < piece.jobs() {
            gets_on = true;
            progressed.extend(holder.element());
        }
        let untaken = untaken(array, engine, holder, outcomes, &mut positions);
        if !untaken.is_empty() {
            join(verdict.untaken.ranges.entry(piece.tries).or_default(), ranges(untaken));
        }
        if !positions.is_empty() {
            unfinished.push(Unfinished { holder, tries: piece.tries, positions });
        }
    }
    verdict.untaken.why = why(array, engine, gets_on || !unfinished.is_empty());
    verdict.untaken.first = array.end_of(0, engine).1;
    for left in unfinished {
        verdict.add(array.fate(&left, engine), left, most_tries, &progressed);
    }
    Ok(verdict)
}

/// Removes from a piece's positions, and returns, those that no element has begun.
fn untaken(
    array: &TrackedArray,
    engine: &str,
    holder: Holder,
    outcomes: &dyn Outcomes,
    positions: &mut Vec<u64>,
) -> Vec<u64> {
    match holder {
        Holder::Nobody => std::mem::take(positions),
        Holder::Somebody => Vec::new(),
        // The user who has cancelled an element doesn't want its jobs.
        Holder::Element(element) if array.end_of(element, engine).0 == Some(Cause::Cancelled) => Vec::new(),
        Holder::Element(element) => {
            let all = std::mem::take(positions);
            let (begun, untaken) = all.into_iter().partition(|at| outcomes.was_begun(*at, element));
            *positions = begun;
            untaken
        }
    }
}

fn why(array: &TrackedArray, engine: &str, gets_on: bool) -> UntakenReason {
    let is_cancelled = |element| array.end_of(element, engine).0 == Some(Cause::Cancelled);
    match gets_on {
        _ if (0..array.round.elements).all(is_cancelled) => UntakenReason::Cancelled,
        true => UntakenReason::OutOfTime,
        false => UntakenReason::NoneBegan,
    }
}

/// How the element that has taken a piece ended.
struct HolderEnd {
    element: Option<u32>,
    cause: Cause,
    words: String,
}

impl TrackedArray {
    fn fate(&self, left: &Unfinished, engine: &str) -> HolderEnd {
        match left.holder {
            Holder::Element(element) => {
                let (cause, words) = self.end_of(element, engine);
                HolderEnd {
                    element: Some(element),
                    cause: cause.unwrap_or(Cause::Other),
                    words,
                }
            }
            Holder::Nobody | Holder::Somebody => HolderEnd {
                element: None,
                cause: Cause::Other,
                words: "before it had written down which one it is".to_owned(),
            },
        }
    }
}

impl HolderEnd {
    fn named(&self) -> String {
        self.element.map_or_else(|| "a slice".to_owned(), |element| format!("slice {element}"))
    }
}

impl Verdict {
    fn add(&mut self, end: HolderEnd, left: Unfinished, most_tries: u32, progressed: &BTreeSet<u32>) {
        let ranges = ranges(left.positions);
        // An element that does some jobs in each of its short lives gets through in the end.
        let gets_on = end.element.is_some_and(|element| progressed.contains(&element));
        let is_no_try = end.cause == Cause::Evicted && gets_on && most_tries > 1;
        let tries = if is_no_try { left.tries } else { left.tries + 1 };
        if end.cause == Cause::Cancelled {
            join(&mut self.left, ranges);
        } else if tries >= most_tries {
            let times = if most_tries == 1 { String::new() } else { format!(", the last of {tries} tries") };
            self.lose(ranges, format!("{} ended {}{times}", end.named(), end.words));
        } else {
            let ended = Ended { element: end.element, why: end.words };
            if !self.ended.contains(&ended) {
                self.ended.push(ended);
            }
            join(self.again.entry(tries).or_default(), ranges);
        }
    }

    /// Adds lost jobs, merging those with the same reason.
    fn lose(&mut self, ranges: Vec<Range<u64>>, why: String) {
        match self.lost.iter_mut().find(|lost| lost.why == why) {
            Some(lost) => join(&mut lost.ranges, ranges),
            None => self.lost.push(LostJobs { ranges, why }),
        }
    }
}

/// Appends ranges, merging adjacent ones.
fn join(ranges: &mut Vec<Range<u64>>, more: Vec<Range<u64>>) {
    for range in more {
        match ranges.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => ranges.push(range),
        }
    }
}
