//! The seam: what runs arrays of slices somewhere else, and the words that are spoken with it. A further engine is a further file like
//! `slurm`, and a word of `--on` where the command chooses one.
//! Knows no engine of its own, no slice's contents and no time.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::allocation::Allocation;

/// What runs arrays: Slurm is one. Each call asks somebody else and may take seconds, so a
/// [`Clerk`](crate::Clerk) makes them on a thread of its own.
///
/// Of an outcome of a job no engine is ever asked: it says where an element is, not what it has done.
pub trait Engine: Send {
    /// Its name, for people: `Slurm`.
    fn name(&self) -> &'static str;

    /// Whether its commands are on this machine, and what it was told for them is something that they take. Asks no server.
    ///
    /// # Errors
    /// [`EngineError::Missing`], [`EngineError::Refused`].
    fn check(&self) -> Result<(), EngineError>;

    /// How much there is of it.
    ///
    /// # Errors
    /// Where it can't be reached, or takes no arrays at all.
    fn survey(&self) -> Result<Capacity, EngineError>;

    /// Hands in an array, once.
    ///
    /// # Errors
    /// [`EngineError::Refused`] or [`EngineError::TooMany`] where it was not taken. After an [`EngineError::Unreachable`] it may have been taken all
    /// the same: [`find`](Engine::find) tells.
    fn submit(&self, array: &Array) -> Result<ArrayId, EngineError>;

    /// The array of this name, where the engine still knows it: that may also be one that has ended.
    ///
    /// # Errors
    /// Where it can't be reached.
    fn find(&self, name: &str) -> Result<Option<ArrayId>, EngineError>;

    /// Where the array's elements are, as far as the engine knows: nothing of an array that it has forgotten.
    ///
    /// # Errors
    /// Where it can't be reached. Then nothing is known.
    fn poll(&self, array: &HandedIn) -> Result<Seen, EngineError>;

    /// Ends elements of an array. No error where it has ended already.
    ///
    /// # Errors
    /// Where it can't be reached.
    fn cancel(&self, array: &HandedIn, whom: Whom) -> Result<(), EngineError>;

    /// What it has given this process, by what the environment says, which `variable` reads; `None` where this runs in none of its
    /// jobs.
    fn allocation(&self, variable: &dyn Fn(&str) -> Option<String>) -> Option<Allocation>;

    /// When the time of that job is over; `None` where it has no end. Asks only where [`Allocation::ends`] is `None`.
    ///
    /// # Errors
    /// Where it can't be reached.
    fn end_of(&self, allocation: &Allocation) -> Result<Option<SystemTime>, EngineError>;

    /// How long before its time is over an element is told to end.
    fn warning(&self) -> Duration;
}

/// How much there is of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// How many elements an array may have; 1 or more.
    pub most_elements: u32,
    /// The processors of all nodes that could be used.
    pub processors: u32,
    /// Those nodes.
    pub nodes: u32,
}

/// An array of elements, all alike but for their index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Array {
    /// Its unique name, by which it is found again.
    pub name: String,
    /// How many elements, 1 or more. Their indices begin with 0.
    pub elements: u32,
    /// How many may run at a time.
    pub at_once: Option<u32>,
    /// What each gets of its node.
    pub processors: Processors,
    /// Nodes that none of them is to run on, by their names.
    pub leave_out: Vec<String>,
    /// What becomes of an element whose node died.
    pub requeue: Requeue,
    /// How long an element may run, rounded up to whole minutes; `None` leaves that to the cluster.
    pub time: Option<Duration>,
    /// What an element runs: a program, looked up in its `PATH`, and its arguments, any bytes without NUL.
    pub command: Vec<OsString>,
    /// Where it runs.
    pub directory: PathBuf,
    /// The file that gets what an element writes itself, added to what is there: this name, and the element's index behind it.
    pub log: PathBuf,
}

/// What an element gets of its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processors {
    /// So many processors, 1 or more.
    Exactly(u32),
    /// All of it, and nobody else.
    WholeNode,
}

/// What becomes of an element whose node died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requeue {
    /// The engine starts it again.
    Yes,
    /// It is never started twice.
    No,
}

/// Which elements are cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Those that don't run yet.
    Waiting,
    /// All. Those that run are asked by TERM, and killed some time later.
    All,
}

/// An array that was handed in.
///
/// An id alone may come to mean another array: a controller that has lost its last seconds gives the same ids again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandedIn {
    /// The engine's name for it.
    pub id: ArrayId,
    /// Its own, unique name.
    pub name: String,
}

/// The engine's own name for an array, one word; where the engine speaks for several clusters, with `;` and the cluster's name
/// behind it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ArrayId(String);

/// An array, as the engine sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Its elements; those that it has forgotten are missing.
    pub elements: Vec<Element>,
    /// How all others have ended, where it knows that of them without naming them.
    pub others: Option<Fate>,
}

/// One element, as the engine sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Which one.
    pub index: u32,
    /// Where it is.
    pub state: State,
}

/// Where an element is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It has not begun, or is to begin once more.
    Waiting(Wait),
    /// It runs there, or has only just ended and is being cleared away.
    Running {
        /// The node's name.
        node: String,
    },
    /// Nothing more comes of it.
    Ended(Fate),
}

/// Why an element waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The engine's word for it: `Resources`.
    pub reason: String,
    /// What lets it go on, where nothing else will.
    pub remedy: Option<Remedy>,
}

/// What lets an element go on that waits for what doesn't come by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// A command that an administrator (or its owner) would type.
    Command(String),
    /// What the user would ask for otherwise, in words.
    Ask(String),
}

/// How an element ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// Where it was, if it was anywhere.
    pub node: Option<String>,
    /// For people: `exit 127`, `NODE_FAIL`.
    pub words: String,
    /// Whose doing it was, as far as that changes what follows.
    pub cause: Cause,
}

/// Whose doing the end of an element was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Somebody cancelled it.
    Cancelled,
    /// Its time was over, or something more important took its place: what it has done it has done.
    Evicted,
    /// Its own, or its node's.
    Other,
}

/// Why an engine didn't do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineError {
    /// Its commands are not here. Says which, and what to do.
    Missing(String),
    /// It doesn't answer now, or is too busy: that passes.
    Unreachable(String),
    /// It has answered no, in these words: that stays so.
    Refused(String),
    /// It takes no array of so many elements from this user now, in these words; it may take a smaller one.
    TooMany(String),
}

impl ArrayId {
    /// An id in the engine's words, also one that was written down earlier.
    pub fn new(id: impl Into<String>) -> ArrayId {
        ArrayId(id.into())
    }

    /// The same, to be written down.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The array's own word, which its elements know too.
    ///
    /// ```
    /// assert_eq!(procpool_cluster::ArrayId::new("17;far").own(), "17");
    /// ```
    #[must_use]
    pub fn own(&self) -> &str {
        self.0.split_once(';').map_or(self.as_str(), |(own, _)| own)
    }

    /// Which of several clusters has it, where the engine speaks for several.
    #[must_use]
    pub fn cluster(&self) -> Option<&str> {
        self.0.split_once(';').map(|(_, cluster)| cluster)
    }
}

impl fmt::Display for ArrayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (EngineError::Missing(words)
        | EngineError::Unreachable(words)
        | EngineError::Refused(words)
        | EngineError::TooMany(words)) = self;
        f.write_str(words)
    }
}

impl std::error::Error for EngineError {}
