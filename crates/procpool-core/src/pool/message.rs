//! What the caller's side of a run is told.
//! Knows nothing of who tells it.

use std::any::Any;

use crate::outcome::event::{Event, Started};
use crate::schedule::Start;

/// A word to the caller's side.
pub(crate) enum Message<W> {
    Event(Event<W>),
    /// The runner panicked.
    Panicked(Box<dyn Any + Send>),
}

/// Whether the caller is told of each start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum StartEvents {
    #[default]
    Silent,
    Announced,
}

impl<W> Message<W> {
    /// That an attempt starts.
    pub(crate) fn started(start: &Start<W>) -> Message<W> {
        Message::Event(Event::Started(Started {
            key: start.job.key.clone(),
            seq: start.seq,
            slot: start.slot,
            attempt: start.attempt,
            node: None,
        }))
    }
}
