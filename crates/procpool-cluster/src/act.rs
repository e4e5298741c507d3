//! What a head has its caller do, and what it shows of itself.
//! Knows nothing of how a head comes to it.

use std::ops::Range;

use crate::engine::ArrayId;
use crate::notice::Notice;
use crate::plan::Round;
use crate::task::Task;

/// What the caller is to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Have this done, and tell what came of it by [`Head::heard`](crate::Head::heard). There is never more than one such question, or
    /// [`Submit`](Act::Submit), without an answer.
    Ask(Task),
    /// Write the round down, so that it is safe. Then have its array handed in, as [`Task::Submit`], and write down
    /// what came of it. The same round comes once more where it turned out that nobody has got it.
    Submit(Round),
    /// Tell people this.
    Say(Notice),
    /// These jobs have been in as many arrays as they may, and have no outcome.
    Lost {
        /// Their positions.
        ranges: Vec<Range<u64>>,
        /// Where their last element was and how it ended.
        why: String,
    },
    /// These jobs are not run, because somebody cancelled their element.
    Left {
        /// Their positions.
        ranges: Vec<Range<u64>>,
        /// By whom.
        why: String,
    },
    /// The engine takes none of it, in its own words: nothing more is run. [`Over`](Act::Over) follows.
    Refused(String),
    /// All is gone, nothing is left to hand in. Nothing comes after this.
    Over,
}

/// Where an array is, for who wants to show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status<'a> {
    /// The array that is out; none between two rounds.
    pub array: Option<&'a ArrayId>,
    /// The elements that run.
    pub running: Vec<Running<'a>>,
    /// How many elements wait.
    pub waiting: usize,
    /// Why the first of them does.
    pub reason: Option<&'a str>,
    /// Whether the engine's last answer was none.
    pub unreachable: bool,
}

/// An element that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running<'a> {
    /// Which one of the round.
    pub element: usize,
    /// The node.
    pub node: &'a str,
}
