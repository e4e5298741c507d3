//! The interface to an engine, which runs job arrays, and the types of its calls. To add an engine, add a module like `slurm`,
//! and a value of `--on` in the command.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::allocation::Allocation;

/// Runs job arrays: Slurm is one. Each call asks another process and may take seconds, so an
/// [`EngineThread`](crate::EngineThread) makes them.
///
/// An engine is never asked for outcomes of jobs: it says where an element is, not what it has done.
pub trait Engine: Send {
    /// Its name for messages: `Slurm`.
    fn name(&self) -> &'static str;

    /// Checks that its commands are on this machine, and that they would accept the user's arguments. Contacts no server.
    ///
    /// # Errors
    /// [`EngineError::Missing`] or [`EngineError::Refused`].
    fn check(&self) -> Result<(), EngineError>;

    /// The size of the cluster.
    ///
    /// # Errors
    /// If it can't be reached, or supports no arrays.
    fn survey(&self) -> Result<Capacity, EngineError>;

    /// Submits an array, once.
    ///
    /// # Errors
    /// [`EngineError::Refused`] or [`EngineError::TooMany`] if it was not accepted. After an [`EngineError::Unreachable`] it may
    /// have been accepted: [`find`](Engine::find) tells.
    fn submit(&self, array: &Array) -> Result<ArrayId, EngineError>;

    /// The array with this name, if the engine still knows it; it may have ended.
    ///
    /// # Errors
    /// If the engine can't be reached.
    fn find(&self, name: &str) -> Result<Option<ArrayId>, EngineError>;

    /// The state of the array's elements, as far as the engine knows; empty for an array that it has forgotten.
    ///
    /// # Errors
    /// If the engine can't be reached. Then nothing is known.
    fn poll(&self, array: &SubmittedArray) -> Result<ArrayState, EngineError>;

    /// Cancels elements of an array. No error if they have ended already.
    ///
    /// # Errors
    /// If the engine can't be reached.
    fn cancel(&self, array: &SubmittedArray, scope: CancelScope) -> Result<(), EngineError>;

    /// What the engine has given this process, by the environment, which `variable` reads; `None` if this process runs in none of
    /// its jobs.
    fn allocation(&self, variable: &dyn Fn(&str) -> Option<String>) -> Option<Allocation>;

    /// When the time of that job is over; `None` if it has no limit. Asks the engine only if [`Allocation::ends`] is `None`.
    ///
    /// # Errors
    /// If the engine can't be reached.
    fn end_of(&self, allocation: &Allocation) -> Result<Option<SystemTime>, EngineError>;

    /// How long before the end of its time an element is asked to end.
    fn warning(&self) -> Duration;
}

/// The size of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// The largest number of elements of an array; 1 or more.
    pub most_elements: u32,
    /// The processors of all usable nodes.
    pub processors: u32,
    /// The number of usable nodes.
    pub nodes: u32,
}

/// An array of elements that differ only in their index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Array {
    /// Its unique name, by which it can be found again.
    pub name: String,
    /// The number of elements, 1 or more. Their indices begin with 0.
    pub elements: u32,
    /// How many may run at a time.
    pub at_once: Option<u32>,
    /// What each element gets of its node.
    pub processors: Processors,
    /// Names of nodes on which no element may run.
    pub leave_out: Vec<String>,
    /// What happens to an element whose node has died.
    pub requeue: Requeue,
    /// The time limit of an element, rounded up to whole minutes; `None` leaves it to the cluster.
    pub time: Option<Duration>,
    /// What an element runs: a program, looked up in its `PATH`, and its arguments, which may contain any bytes except NUL.
    pub command: Vec<OsString>,
    /// The working directory.
    pub directory: PathBuf,
    /// The file for an element's own output, opened for appending: this path, followed by the element's index.
    pub log: PathBuf,
}

/// What an element gets of its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processors {
    /// This many processors, 1 or more.
    Exactly(u32),
    /// The whole node, exclusively.
    WholeNode,
}

/// What happens to an element whose node has died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requeue {
    /// The engine restarts it.
    Yes,
    /// It is never started again.
    No,
}

/// Which elements to cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelScope {
    /// Those that are not running yet.
    Waiting,
    /// All. Running ones get TERM, and KILL some time later.
    All,
}

/// A submitted array.
///
/// An id alone may come to mean another array: a controller that has lost its last seconds gives out the same ids again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmittedArray {
    /// The engine's id for it.
    pub id: ArrayId,
    /// Its unique name.
    pub name: String,
}

/// The engine's id for an array, one word. If the engine manages several clusters, `;` and the cluster's name may follow.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ArrayId(String);

/// An array as the engine sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArrayState {
    /// Its elements, except those that the engine has forgotten.
    pub elements: Vec<Element>,
    /// How all other elements have ended, if the engine knows that without listing them.
    pub others: Option<Fate>,
}

/// An element as the engine sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Its index.
    pub index: u32,
    /// Its state.
    pub state: State,
}

/// The state of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It has not begun, or is to be restarted.
    Waiting(Wait),
    /// It runs, or has just ended and is being cleaned up.
    Running {
        /// The node's name.
        node: String,
    },
    /// It has ended for good.
    Ended(Fate),
}

/// Why an element waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The engine's word for the reason: `Resources`.
    pub reason: String,
    /// What resolves it, if it doesn't resolve by itself.
    pub remedy: Option<Remedy>,
}

/// What resolves a wait that doesn't resolve by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// A command for an administrator, or the owner of the job.
    Command(String),
    /// What the user could ask for instead, as text.
    Ask(String),
}

/// How an element ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// The node it ran on, if it ran.
    pub node: Option<String>,
    /// As text: `exit 127`, `NODE_FAIL`.
    pub words: String,
    /// Why, as far as it matters for what follows.
    pub cause: Cause,
}

/// Why an element ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Somebody cancelled it.
    Cancelled,
    /// Its time was over, or it was preempted: what it has done counts.
    Evicted,
    /// By itself, or because of its node.
    Other,
}

/// Why an engine did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineError {
    /// Its commands are missing. Says which, and what to do.
    Missing(String),
    /// It doesn't answer, or is too busy: this passes.
    Unreachable(String),
    /// It has refused, with these words: this is final.
    Refused(String),
    /// It accepts no array of this size from this user now, with these words; a smaller one may be accepted.
    TooMany(String),
}

impl ArrayId {
    /// An id as the engine gives it, or as it was saved earlier.
    pub fn new(id: impl Into<String>) -> ArrayId {
        ArrayId(id.into())
    }

    /// The id, to be saved.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The array's own id, which its elements know too.
    ///
    /// ```
    /// assert_eq!(procpool_cluster::ArrayId::new("17;far").own(), "17");
    /// ```
    #[must_use]
    pub fn own(&self) -> &str {
        self.0.split_once(';').map_or(self.as_str(), |(own, _)| own)
    }

    /// The cluster that has it, if the engine manages several.
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
