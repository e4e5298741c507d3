//! An array that is out: where each of its elements was seen last, and what they leave once all are gone.
//! Knows nothing of how it is asked for, nor of what becomes of the verdict.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::time::Instant;

use crate::engine::{ArrayId, Cause, Fate, HandedIn, Seen, State, Wait};
use crate::notice::Ended;
use crate::plan::Round;
use crate::slice::{Slice, ranges};

#[derive(Clone, Debug)]
pub(crate) struct Array {
    pub(crate) round: Round,
    /// The engine's id for it; none where it has forgotten the array.
    pub(crate) id: Option<ArrayId>,
    pub(crate) by: By,
    /// When it was seen first.
    pub(crate) began: Option<Instant>,
    places: Vec<Place>,
}

/// Which head has handed it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    This,
    Earlier,
}

/// One element.
#[derive(Debug, Clone, Default)]
struct Place {
    /// Where it ran last.
    node: Option<String>,
    last: Last,
}

#[derive(Debug, Clone, Default)]
enum Last {
    #[default]
    Unseen,
    Waiting(Wait),
    Running,
    /// The engine knows how it ended, or has forgotten it.
    Gone {
        since: Instant,
        fate: Option<Fate>,
    },
}

/// What an array has left without an outcome.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// What is tried again, by the tries that it has had.
    pub(crate) again: BTreeMap<u32, Vec<Range<u64>>>,
    /// The elements that they were in.
    pub(crate) ended: Vec<Ended>,
    pub(crate) lost: Vec<Leftover>,
    /// What was in cancelled elements.
    pub(crate) left: Vec<Range<u64>>,
}

/// What one element has left.
#[derive(Debug)]
pub(crate) struct Leftover {
    pub(crate) ranges: Vec<Range<u64>>,
    pub(crate) why: String,
}

/// Elements that wait for the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) wait: Wait,
    pub(crate) elements: usize,
}

impl Array {
    pub(crate) fn new(round: Round, id: Option<ArrayId>, by: By) -> Array {
        let places = vec![Place::default(); round.slices.len()];
        Array { round, id, by, began: None, places }
    }

    /// What the engine is asked about; none where it has forgotten the array.
    pub(crate) fn handed_in(&self) -> Option<HandedIn> {
        Some(HandedIn { id: self.id.clone()?, name: self.round.name.clone() })
    }

    /// Takes in what the engine has seen of it.
    pub(crate) fn see(&mut self, now: Instant, seen: Seen) {
        self.began.get_or_insert(now);
        let mut states: HashMap<u32, State> = HashMap::with_capacity(seen.elements.len());
        states.extend(seen.elements.into_iter().map(|element| (element.index, element.state)));
        for (index, place) in (0..).zip(&mut self.places) {
            let since = match place.last {
                Last::Gone { since, .. } => since,
                _ => now,
            };
            place.last = match states.remove(&index) {
                Some(State::Waiting(wait)) => Last::Waiting(wait),
                Some(State::Running { node }) => {
                    place.node = Some(node);
                    Last::Running
                }
                Some(State::Ended(fate)) => Last::Gone { since, fate: Some(fate) },
                // What was known of its end is still true.
                None if matches!(place.last, Last::Gone { .. }) => continue,
                None => Last::Gone { since, fate: seen.others.clone() },
            };
        }
    }

    /// Since when all its elements are gone.
    pub(crate) fn over_since(&self) -> Option<Instant> {
        let mut last = None;
        for place in &self.places {
            match place.last {
                Last::Gone { since, .. } => last = last.max(Some(since)),
                _ => return None,
            }
        }
        last
    }

    /// Whether there may be elements that have not begun.
    pub(crate) fn may_wait(&self) -> bool {
        self.places.iter().any(|place| matches!(place.last, Last::Unseen | Last::Waiting(_)))
    }

    /// The elements that run, with their nodes.
    pub(crate) fn running(&self) -> impl Iterator<Item = (usize, &str)> {
        self.places.iter().enumerate().filter_map(|(slice, place)| match place.last {
            Last::Running => Some((slice, place.node.as_deref().unwrap_or_default())),
            _ => None,
        })
    }

    /// What elements wait for, one by one.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Wait> {
        self.places.iter().filter_map(|place| match &place.last {
            Last::Waiting(wait) => Some(wait),
            _ => None,
        })
    }

    /// The same, each reason once, in the order of the first element of each.
    pub(crate) fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for wait in self.waiting() {
            match groups.iter_mut().find(|group| group.wait == *wait) {
                Some(group) => group.elements += 1,
                None => groups.push(Group { wait: wait.clone(), elements: 1 }),
            }
        }
        groups
    }

    /// Judges what it has left, now that all its elements are gone.
    pub(crate) fn judge(&self, engine: &str, most_tries: u32, is_finished: &dyn Fn(u64) -> bool) -> Verdict {
        let mut verdict = Verdict::default();
        for (index, (slice, place)) in self.round.slices.iter().zip(&self.places).enumerate() {
            let unfinished: Vec<u64> = slice.positions().filter(|position| !is_finished(*position)).collect();
            if unfinished.is_empty() {
                continue;
            }
            let fate = place.fate();
            let ended = place.words(engine);
            let tries = tries_now(slice, unfinished.len() as u64, fate, most_tries);
            let ranges = ranges(unfinished);
            if fate.is_some_and(|fate| fate.cause == Cause::Cancelled) {
                verdict.left.extend(ranges);
            } else if tries >= most_tries {
                let times =
                    if most_tries == 1 { String::new() } else { format!(", the last of {tries} tries") };
                let why = format!("slice {index} ended {ended}{times}");
                verdict.lost.push(Leftover { ranges, why });
            } else {
                verdict.ended.push(Ended { slice: index, why: ended });
                verdict.again.entry(tries).or_default().extend(ranges);
            }
        }
        verdict
    }
}

/// How often the jobs that a slice has left have been tried by now.
fn tries_now(slice: &Slice, unfinished: u64, fate: Option<&Fate>, most_tries: u32) -> u32 {
    let evicted = fate.is_some_and(|fate| fate.cause == Cause::Evicted);
    // A slice that does some of its jobs in each of its short lives gets through in the end.
    if evicted && unfinished < slice.jobs() && most_tries > 1 { slice.tries } else { slice.tries + 1 }
}

impl Place {
    fn fate(&self) -> Option<&Fate> {
        match &self.last {
            Last::Gone { fate, .. } => fate.as_ref(),
            _ => None,
        }
    }

    /// Where it was and how it ended.
    fn words(&self, engine: &str) -> String {
        let fate = self.fate();
        let node = fate.and_then(|fate| fate.node.as_ref()).or(self.node.as_ref());
        let words = fate
            .map_or_else(|| format!("unseen: {engine} doesn't know it any more"), |fate| fate.words.clone());
        match node {
            Some(node) => format!("on {node}: {words}"),
            None => words,
        }
    }
}
