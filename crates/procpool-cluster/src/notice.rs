//! Messages to the user about an array.

use std::fmt;

use crate::engine::{ArrayId, Remedy};

/// A message of one line without a line end, to be printed with `Display`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// An array was submitted.
    Submitted {
        /// The engine's id for it.
        id: ArrayId,
        /// How many elements it has.
        elements: u32,
        /// The number of jobs in it.
        jobs: u64,
    },
    /// An array that was submitted earlier was found.
    FoundAgain {
        /// The engine's id for it.
        id: ArrayId,
    },
    /// The engine has stopped answering.
    Unreachable {
        /// Its name.
        engine: &'static str,
        /// The error.
        words: String,
    },
    /// It answers again.
    ReachableAgain {
        /// Its name.
        engine: &'static str,
    },
    /// Elements wait for something that may not happen by itself.
    Waiting {
        /// The array.
        id: ArrayId,
        /// How many elements wait.
        elements: usize,
        /// The engine's word for the reason.
        reason: String,
        /// What resolves it.
        remedy: Option<Remedy>,
    },
    /// The engine accepts no array of this size: a smaller one is submitted.
    Fewer {
        /// Its name.
        engine: &'static str,
        /// The number of elements to try next.
        elements: u32,
        /// The number that was too large.
        instead_of: u32,
        /// The engine's words.
        words: String,
    },
    /// Jobs without an outcome, whose elements have ended, are retried.
    TriedAgain {
        /// How many jobs.
        jobs: u64,
        /// The elements that had taken them.
        ended: Vec<Ended>,
    },
}

/// An element that has ended and has left jobs without an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its index, if known.
    pub element: Option<u32>,
    /// Where it ran and how it ended, as text.
    pub why: String,
}

/// More elements than this are counted, not named.
const MOST_NAMED: usize = 4;

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::Submitted { id, elements, jobs } => {
                let plural = if *elements == 1 { "" } else { "s" };
                write!(f, "array {id}: {elements} slice{plural} for {}", Jobs(*jobs))
            }
            Notice::FoundAgain { id } => write!(f, "array {id} is still there: going on with it"),
            Notice::Unreachable { engine, words } => {
                write!(f, "{engine} doesn't answer ({words}): waiting for it")
            }
            Notice::Fewer { engine, elements, instead_of, words } => {
                let plural = if *elements == 1 { "" } else { "s" };
                write!(
                    f,
                    "{engine} takes no {instead_of} slices now ({words}): {elements} slice{plural} instead"
                )
            }
            Notice::ReachableAgain { engine } => write!(f, "{engine} answers again"),
            Notice::Waiting { id, elements, reason, remedy } => {
                let (plural, verb) = if *elements == 1 { ("", "s") } else { ("s", "") };
                write!(f, "array {id}: {elements} slice{plural} wait{verb}: {reason}")?;
                match remedy {
                    Some(Remedy::Command(line)) => write!(f, "; an administrator would type: {line}"),
                    Some(Remedy::Ask(words)) => write!(f, "; {words}"),
                    None => Ok(()),
                }
            }
            Notice::TriedAgain { jobs, ended } => {
                write!(f, "{} without an outcome, tried again: ", Jobs(*jobs))?;
                for (place, element) in ended.iter().take(MOST_NAMED).enumerate() {
                    let comma = if place == 0 { "" } else { ", " };
                    let which = element
                        .element
                        .map_or_else(|| "a slice".to_owned(), |index| format!("slice {index}"));
                    write!(f, "{comma}{which} ended {}", element.why)?;
                }
                match ended.len().saturating_sub(MOST_NAMED) {
                    0 => Ok(()),
                    more => write!(f, ", and {more} more"),
                }
            }
        }
    }
}

struct Jobs(u64);

impl fmt::Display for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} job{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}
