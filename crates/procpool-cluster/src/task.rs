//! Questions to an engine, and its answers.

use crate::engine::{Array, ArrayId, Capacity, EngineError, HandedIn, Seen, Whom};

/// A call of an [`Engine`](crate::Engine).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// [`Engine::survey`](crate::Engine::survey)
    Survey,
    /// [`Engine::submit`](crate::Engine::submit)
    Submit(Box<Array>),
    /// [`Engine::find`](crate::Engine::find)
    Find(String),
    /// [`Engine::poll`](crate::Engine::poll)
    Poll(HandedIn),
    /// [`Engine::cancel`](crate::Engine::cancel)
    Cancel(HandedIn, Whom),
}

/// The result of a [`Task`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Of [`Task::Survey`].
    Surveyed(Result<Capacity, EngineError>),
    /// Of [`Task::Submit`].
    Submitted(Result<ArrayId, EngineError>),
    /// Of [`Task::Find`].
    Found(Result<Option<ArrayId>, EngineError>),
    /// Of [`Task::Poll`].
    Polled(Result<Seen, EngineError>),
    /// Of [`Task::Cancel`].
    Cancelled(Result<(), EngineError>),
}
