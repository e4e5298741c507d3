//! The messages of a run's threads to its caller.

use std::any::Any;

use crate::outcome::event::{Event, Started};
use crate::schedule::Start;

/// A message to the caller.
pub(crate) enum Message<W> {
    Event(Event<W>),
    /// The runner panicked.
    Panicked(Box<dyn Any + Send>),
}

/// Whether starts are reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum StartEvents {
    #[default]
    Silent,
    Announced,
}

impl<W> Message<W> {
    /// Reports the start of an attempt.
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
