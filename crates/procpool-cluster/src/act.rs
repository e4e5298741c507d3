//! What a head asks of its caller, and what it shows of its state.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use crate::engine::ArrayId;
use crate::notice::Notice;
use crate::plan::Round;
use crate::task::Task;

/// What the caller has to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Carry out this task, and pass the answer to [`Head::handle_answer`](crate::Head::handle_answer). There is never more
    /// than one task or [`Submit`](Act::Submit) without an answer.
    Ask(Task),
    /// Save the round durably. Then submit its array, as [`Task::Submit`], and save the result. The same round comes
    /// again if it turned out that the engine never got it.
    Submit(Round),
    /// Show this to the user.
    Say(Notice),
    /// These jobs were in as many arrays as allowed, and have no outcome.
    Lost {
        /// Their positions.
        ranges: Vec<Range<u64>>,
        /// Where their last element ran and how it ended.
        why: String,
    },
    /// These jobs are not run, because their element was cancelled.
    Left {
        /// Their positions.
        ranges: Vec<Range<u64>>,
        /// What was cancelled, and where.
        why: String,
    },
    /// The engine refuses the run, with these words: nothing more is run. [`Over`](Act::Over) follows.
    Refused(String),
    /// All elements are gone and nothing is left to submit. Nothing follows this.
    Over,
}

/// The state of the current array, to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status<'a> {
    /// The current array; `None` between two rounds.
    pub array: Option<&'a ArrayId>,
    /// The running elements.
    pub running: Vec<Running<'a>>,
    /// How many elements wait.
    pub waiting: usize,
    /// Why the first of them waits.
    pub reason: Option<&'a str>,
    /// Whether the engine failed to answer the last question.
    pub unreachable: bool,
}

/// A running element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running<'a> {
    /// Its index within the round.
    pub element: usize,
    /// The node it runs on.
    pub node: &'a str,
}

/// More nodes than this are counted, not named.
const MOST_NAMED: usize = 4;

/// One line of text; empty if there is nothing to say.
impl fmt::Display for Status<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if !self.running.is_empty() {
            parts.push(format!("{} on {}", slices(self.running.len(), "run"), self.nodes()));
        }
        if self.waiting > 0 {
            let reason = self.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            parts.push(slices(self.waiting, "wait") + &reason);
        }
        if self.unreachable {
            parts.push("the cluster doesn't answer".to_owned());
        }
        f.write_str(&parts.join("; "))
    }
}

impl Status<'_> {
    fn nodes(&self) -> String {
        let nodes: BTreeSet<&str> = self.running.iter().map(|running| running.node).collect();
        let named: Vec<&str> = nodes.iter().copied().take(MOST_NAMED).collect();
        match nodes.len().saturating_sub(MOST_NAMED) {
            0 => named.join(", "),
            more => format!("{} and {more} more", named.join(", ")),
        }
    }
}

fn slices(count: usize, verb: &str) -> String {
    let (plural, third) = if count == 1 { ("", "s") } else { ("s", "") };
    format!("{count} slice{plural} {verb}{third}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(nodes: &[&'static str], waiting: usize) -> Status<'static> {
        let running = (0..).zip(nodes).map(|(element, node)| Running { element, node });
        Status { running: running.collect(), waiting, ..Status::default() }
    }

    #[test]
    fn a_status_is_a_line() {
        assert_eq!(Status::default().to_string(), "");
        assert_eq!(status(&["n2"], 0).to_string(), "1 slice runs on n2");
        let waiting = Status { reason: Some("Resources"), ..status(&["n2", "n1", "n2"], 7) };
        assert_eq!(waiting.to_string(), "3 slices run on n1, n2; 7 slices wait: Resources");
        let many = Status {
            unreachable: true,
            ..status(&["a", "b", "c", "d", "e", "f"], 1)
        };
        assert_eq!(
            many.to_string(),
            "6 slices run on a, b, c, d and 2 more; 1 slice waits; the cluster doesn't answer"
        );
    }
}
