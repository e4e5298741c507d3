//! Questions to an engine, and its answers.

use crate::engine::{Array, ArrayId, ArrayState, CancelScope, Capacity, EngineError, SubmittedArray};

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
    Poll(SubmittedArray),
    /// [`Engine::cancel`](crate::Engine::cancel)
    Cancel(SubmittedArray, CancelScope),
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
    Polled(Result<ArrayState, EngineError>),
    /// Of [`Task::Cancel`].
    Cancelled(Result<(), EngineError>),
}
