//! What people are told of an array, in words.
//! Knows nothing of who reads it, or when it is said.

use std::fmt;

use crate::engine::{ArrayId, Remedy};

/// Something to be told, in one line without an end. Its `Display` is what to print.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// An array was handed in.
    Submitted {
        /// The engine's name for it.
        id: ArrayId,
        /// How many elements it has.
        elements: u32,
        /// How many jobs there are for them.
        jobs: u64,
    },
    /// An array that was handed in earlier is still known.
    FoundAgain {
        /// The engine's name for it.
        id: ArrayId,
    },
    /// The engine has stopped answering.
    Unreachable {
        /// Its name.
        engine: &'static str,
        /// What became of the question.
        words: String,
    },
    /// It answers again.
    ReachableAgain {
        /// Its name.
        engine: &'static str,
    },
    /// Elements wait for something that may not come by itself.
    Waiting {
        /// Of this array.
        id: ArrayId,
        /// So many.
        elements: usize,
        /// The engine's word for the reason.
        reason: String,
        /// What lets them go on.
        remedy: Option<Remedy>,
    },
    /// The engine takes no array of so many elements: it is handed in with fewer.
    Fewer {
        /// Its name.
        engine: &'static str,
        /// So many are tried next.
        elements: u32,
        /// So many were too many.
        instead_of: u32,
        /// The engine's words.
        words: String,
    },
    /// Jobs whose elements have ended without an outcome for them are tried again.
    TriedAgain {
        /// So many jobs.
        jobs: u64,
        /// Those elements.
        ended: Vec<Ended>,
    },
}

/// An element that has ended and has left jobs without an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Which one, where that is known.
    pub element: Option<u32>,
    /// Where it was and how it ended, in words.
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
