//! What a head has its caller do, and what it shows of itself.
//! Knows nothing of how a head comes to it.

use std::collections::BTreeSet;
use std::fmt;
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

/// More nodes than this are counted, not named.
const MOST_NAMED: usize = 4;

/// In a line for people; empty where there is nothing to say.
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
