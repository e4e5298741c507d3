//! An array that is out: where each of its elements was seen last.
//! Knows nothing of how it is asked for, nor of what its elements have done.

use std::collections::HashMap;
use std::time::Instant;

use crate::engine::{ArrayId, Cause, Fate, HandedIn, Seen, State, Wait};
use crate::plan::Round;

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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Place {
    /// Where it ran last.
    node: Option<String>,
    last: Last,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

/// Elements that wait for the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) wait: Wait,
    pub(crate) elements: usize,
}

impl Array {
    pub(crate) fn new(round: Round, id: Option<ArrayId>, by: By) -> Array {
        let places = vec![Place::default(); round.elements as usize];
        Array { round, id, by, began: None, places }
    }

    /// What the engine is asked about; none where it has forgotten the array.
    pub(crate) fn handed_in(&self) -> Option<HandedIn> {
        Some(HandedIn { id: self.id.clone()?, name: self.round.name.clone() })
    }

    /// Takes in what the engine has seen of it. Says whether that is news.
    pub(crate) fn see(&mut self, now: Instant, seen: Seen) -> bool {
        let mut is_news = false;
        self.began.get_or_insert(now);
        let mut states: HashMap<u32, State> = HashMap::with_capacity(seen.elements.len());
        states.extend(seen.elements.into_iter().map(|element| (element.index, element.state)));
        for (index, place) in (0..).zip(&mut self.places) {
            let before = place.clone();
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
            is_news |= *place != before;
        }
        is_news
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
        self.places.iter().enumerate().filter_map(|(element, place)| match place.last {
            Last::Running => Some((element, place.node.as_deref().unwrap_or_default())),
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

    /// How an element ended, where that is known, and that in words.
    pub(crate) fn end_of(&self, element: u32, engine: &str) -> (Option<Cause>, String) {
        let nowhere = Place::default();
        let place = usize::try_from(element).ok().and_then(|element| self.places.get(element));
        let place = place.unwrap_or(&nowhere);
        (place.fate().map(|fate| fate.cause), place.words(engine))
    }
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
