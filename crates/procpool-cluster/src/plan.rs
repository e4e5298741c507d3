//! What a head is told: its settings, and what an earlier head has left behind. And what it plans: rounds.
//! Knows nothing of what becomes of them.

use std::time::Duration;

use crate::engine::ArrayId;
use crate::slice::{Slice, Wish};

/// What a head is told of its run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The run's unique name: its arrays are `NAME-1`, `NAME-2` and so on.
    pub name: String,
    /// The engine's name, for people.
    pub engine: &'static str,
    /// What decides into how many slices the list is cut.
    pub wish: Wish,
    /// In how many arrays a job is tried before it is lost. With 1 none is ever in two of them.
    pub most_tries: u32,
    /// How many rounds the run has had already.
    pub rounds: u32,
    /// The pause between two questions. A quarter of it in the first seconds of an array.
    pub poll_every: Duration,
    /// How long what a slice has written may take to be seen by the caller after the slice is gone.
    pub settle: Duration,
    /// How long a slice may take to end itself once it was told to by other means.
    pub patience: Duration,
}

impl Settings {
    /// Three tries; questions every 2 s, 2 s to settle, 10 s of patience.
    pub fn new(name: impl Into<String>, engine: &'static str) -> Settings {
        Settings {
            name: name.into(),
            engine,
            wish: Wish::default(),
            most_tries: 3,
            rounds: 0,
            poll_every: Duration::from_secs(2),
            settle: Duration::from_secs(2),
            patience: Duration::from_secs(10),
        }
    }
}

/// One array to be: its element of index n runs the slice `slices[n]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// Its number within the run, from 1.
    pub number: u32,
    /// The unique name of its array.
    pub name: String,
    /// The slices, in order of the list.
    pub slices: Vec<Slice>,
}

impl Round {
    /// How many jobs are in it.
    #[must_use]
    pub fn jobs(&self) -> u64 {
        self.slices.iter().map(Slice::jobs).sum()
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
