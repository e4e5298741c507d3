//! The current array, with the last known state of each of its elements.

use std::collections::HashMap;
use std::time::Instant;

use crate::engine::{ArrayId, ArrayState, Cause, Fate, State, SubmittedArray, Wait};
use crate::plan::Round;

#[derive(Clone, Debug)]
pub(crate) struct TrackedArray {
    pub(crate) round: Round,
    /// The engine's id for it; `None` if it has forgotten the array.
    pub(crate) id: Option<ArrayId>,
    pub(crate) by: SubmittedBy,
    /// When it was first seen.
    pub(crate) began: Option<Instant>,
    records: Vec<ElementRecord>,
}

/// Which head has submitted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SubmittedBy {
    This,
    Earlier,
}

/// What is known of an element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct ElementRecord {
    /// The node it ran on last.
    node: Option<String>,
    last: LastSeen,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum LastSeen {
    #[default]
    Unseen,
    Waiting(Wait),
    Running,
    /// The engine says how it ended, or has forgotten it.
    Gone {
        since: Instant,
        fate: Option<Fate>,
    },
}

/// Elements that wait for the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WaitGroup {
    pub(crate) wait: Wait,
    pub(crate) elements: usize,
}

impl TrackedArray {
    pub(crate) fn new(round: Round, id: Option<ArrayId>, by: SubmittedBy) -> TrackedArray {
        let records = vec![ElementRecord::default(); round.elements as usize];
        TrackedArray { round, id, by, began: None, records }
    }

    /// The array as the engine is asked about it; `None` if it has forgotten the array.
    pub(crate) fn handed_in(&self) -> Option<SubmittedArray> {
        Some(SubmittedArray { id: self.id.clone()?, name: self.round.name.clone() })
    }

    /// Updates it with an answer of the engine. Returns whether anything has changed.
    pub(crate) fn update(&mut self, now: Instant, seen: ArrayState) -> bool {
        let mut is_news = false;
        self.began.get_or_insert(now);
        let mut states: HashMap<u32, State> = HashMap::with_capacity(seen.elements.len());
        states.extend(seen.elements.into_iter().map(|element| (element.index, element.state)));
        for (index, record) in (0..).zip(&mut self.records) {
            let before = record.clone();
            let since = match record.last {
                LastSeen::Gone { since, .. } => since,
                _ => now,
            };
            record.last = match states.remove(&index) {
                Some(State::Waiting(wait)) => LastSeen::Waiting(wait),
                Some(State::Running { node }) => {
                    record.node = Some(node);
                    LastSeen::Running
                }
                Some(State::Ended(fate)) => LastSeen::Gone { since, fate: Some(fate) },
                // What was known of its end is still true.
                None if matches!(record.last, LastSeen::Gone { .. }) => continue,
                None => LastSeen::Gone { since, fate: seen.others.clone() },
            };
            is_news |= *record != before;
        }
        is_news
    }

    /// Since when all elements are gone.
    pub(crate) fn over_since(&self) -> Option<Instant> {
        let mut last = None;
        for record in &self.records {
            match record.last {
                LastSeen::Gone { since, .. } => last = last.max(Some(since)),
                _ => return None,
            }
        }
        last
    }

    /// Whether there may be elements that have not begun.
    pub(crate) fn may_wait(&self) -> bool {
        self.records.iter().any(|record| matches!(record.last, LastSeen::Unseen | LastSeen::Waiting(_)))
    }

    /// The running elements, with their nodes.
    pub(crate) fn running(&self) -> impl Iterator<Item = (usize, &str)> {
        self.records.iter().enumerate().filter_map(|(element, record)| match record.last {
            LastSeen::Running => Some((element, record.node.as_deref().unwrap_or_default())),
            _ => None,
        })
    }

    /// What each waiting element waits for.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Wait> {
        self.records.iter().filter_map(|record| match &record.last {
            LastSeen::Waiting(wait) => Some(wait),
            _ => None,
        })
    }

    /// The reasons for waiting, each once, in the order of the first element of each.
    pub(crate) fn groups(&self) -> Vec<WaitGroup> {
        let mut groups: Vec<WaitGroup> = Vec::new();
        for wait in self.waiting() {
            match groups.iter_mut().find(|group| group.wait == *wait) {
                Some(group) => group.elements += 1,
                None => groups.push(WaitGroup { wait: wait.clone(), elements: 1 }),
            }
        }
        groups
    }

    /// The cause of an element's end, if known, and a description.
    pub(crate) fn end_of(&self, element: u32, engine: &str) -> (Option<Cause>, String) {
        let nowhere = ElementRecord::default();
        let record = usize::try_from(element).ok().and_then(|element| self.records.get(element));
        let record = record.unwrap_or(&nowhere);
        (record.fate().map(|fate| fate.cause), record.words(engine))
    }
}

impl ElementRecord {
    fn fate(&self) -> Option<&Fate> {
        match &self.last {
            LastSeen::Gone { fate, .. } => fate.as_ref(),
            _ => None,
        }
    }

    /// Where it ran and how it ended.
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
