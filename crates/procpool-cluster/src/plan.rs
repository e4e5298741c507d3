//! What a head is told: its settings, and what an earlier head has left behind. And what it plans: rounds.
//! Knows nothing of what becomes of them.

use std::time::Duration;

use crate::engine::ArrayId;
use crate::piece::{Piece, Wish};

/// What a head is told of its run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The run's unique name: its arrays are `NAME-1`, `NAME-2` and so on.
    pub name: String,
    /// The engine's name, for people.
    pub engine: &'static str,
    /// What decides how many elements there are.
    pub wish: Wish,
    /// In how many arrays a job is tried before it is lost. With 1 none is ever in two of them.
    pub most_tries: u32,
    /// How many rounds the run has had already.
    pub rounds: u32,
    /// The pause between two questions. A quarter of it in the first seconds of an array, and twice as long after each answer
    /// that is no news, up to `poll_at_least_every`.
    pub poll_every: Duration,
    /// The longest such pause.
    pub poll_at_least_every: Duration,
    /// How long what an element has written may take to be seen by the caller after the element is gone.
    pub settle: Duration,
    /// How long an element may take to end itself once it was told to by other means.
    pub patience: Duration,
}

impl Settings {
    /// Three tries; questions every 2 to 20 s, 2 s to settle, 10 s of patience.
    pub fn new(name: impl Into<String>, engine: &'static str) -> Settings {
        Settings {
            name: name.into(),
            engine,
            wish: Wish::default(),
            most_tries: 3,
            rounds: 0,
            poll_every: Duration::from_secs(2),
            poll_at_least_every: Duration::from_secs(20),
            settle: Duration::from_secs(2),
            patience: Duration::from_secs(10),
        }
    }
}

/// One array to be: each of its elements takes the next piece that no other has taken, as often as it has room for another job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// Its number within the run, from 1.
    pub number: u32,
    /// The unique name of its array.
    pub name: String,
    /// How many elements it has; 1 or more.
    pub elements: u32,
    /// How much an element does at a time.
    pub manner: Manner,
    /// The pieces, in order of the list.
    pub pieces: Vec<Piece>,
}

/// How much an element does at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// As many jobs as there is room for.
    Full,
    /// One job: it may be what takes its node down, and should take nobody else with it.
    OneByOne,
}

impl Round {
    /// How many jobs are in it.
    #[must_use]
    pub fn jobs(&self) -> u64 {
        self.pieces.iter().map(Piece::jobs).sum()
    }
}

/// What a head that is no more has written down of its last round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// The round.
    pub round: Round,
    /// Its array, where that was written down too; without it the array is looked for by its name.
    pub id: Option<ArrayId>,
}
