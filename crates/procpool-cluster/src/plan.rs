//! The settings of a head, the rounds that it plans, and what an earlier head has left behind.

use std::time::Duration;

use crate::engine::ArrayId;
use crate::piece::{Piece, Sizing};

/// The settings of a head.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The run's unique name: its arrays are `NAME-1`, `NAME-2` and so on.
    pub name: String,
    /// The engine's name, for messages.
    pub engine: &'static str,
    /// Determines the number of elements.
    pub sizing: Sizing,
    /// How many arrays a job may be in before it is lost. With 1 it is never retried.
    pub most_tries: u32,
    /// How many rounds the run has already had.
    pub rounds: u32,
    /// The pause between two questions to the engine. A quarter of it in the first seconds of an array; doubled after each
    /// answer without news, up to `poll_at_least_every`.
    pub poll_every: Duration,
    /// The longest pause between two questions.
    pub poll_at_least_every: Duration,
    /// How long the records of an element may take to become visible after it has ended.
    pub settle: Duration,
    /// How long an element may take to end after it was asked to by other means.
    pub patience: Duration,
}

impl Settings {
    /// Three tries; questions every 2 to 20 s, 2 s to settle, 10 s of patience.
    pub fn new(name: impl Into<String>, engine: &'static str) -> Settings {
        Settings {
            name: name.into(),
            engine,
            sizing: Sizing::default(),
            most_tries: 3,
            rounds: 0,
            poll_every: Duration::from_secs(2),
            poll_at_least_every: Duration::from_secs(20),
            settle: Duration::from_secs(2),
            patience: Duration::from_secs(10),
        }
    }
}

/// A planned array. Each element takes the next free piece whenever it has room for another job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// Its number within the run, from 1.
    pub number: u32,
    /// The unique name of its array.
    pub name: String,
    /// The number of elements; 1 or more.
    pub elements: u32,
    /// How many jobs an element runs at a time.
    pub manner: Manner,
    /// The pieces, in list order.
    pub pieces: Vec<Piece>,
}

/// How many jobs an element runs at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// As many as it has room for.
    Full,
    /// One: the job may be what takes its node down, and should not take other jobs with it.
    OneByOne,
}

impl Round {
    /// The number of its jobs.
    #[must_use]
    pub fn jobs(&self) -> u64 {
        self.pieces.iter().map(Piece::jobs).sum()
    }
}

/// What an earlier head has saved about its last round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// The round.
    pub round: Round,
    /// The id of its array, if it was saved too; otherwise the array is looked up by its name.
    pub id: Option<ArrayId>,
}
