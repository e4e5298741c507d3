//! What happens to processes that jobs have left behind when all jobs have ended: killed, waited for, or kept.
//! This is done before the summary, which names those that were killed.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use procpool_journal::files::leaked_process::LeakedProcess;

use crate::guard::orphans::Orphans;
use crate::terminal::screen;

/// What happens to leftover processes at an orderly end of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leftovers {
    /// They are killed.
    Kill,
    /// They are waited for, and killed if a signal ends procpool before.
    Wait,
    /// They are kept. If the pool was killed they are killed all the same: nobody can tell them from running
    /// jobs then.
    Keep,
}

/// The choice, and the processes that it is about.
pub(crate) struct Cleanup {
    pub(super) leftovers: Leftovers,
    pub(super) orphans: Arc<Orphans>,
}

/// The time between two looks at processes that are waited for.
const PAUSE: Duration = Duration::from_millis(20);

impl Cleanup {
    /// Deals with leftovers, once no job runs any more, and returns those that were killed. Waiting ends as
    /// soon as `is_told_to_end`.
    pub(crate) fn run(&self, is_told_to_end: impl Fn() -> bool) -> Vec<LeakedProcess> {
        match self.leftovers {
            Leftovers::Keep => return Vec::new(),
            Leftovers::Wait => self.wait(is_told_to_end),
            Leftovers::Kill => {}
        }
        self.orphans.end_all()
    }

    fn wait(&self, is_told_to_end: impl Fn() -> bool) {
        let left = self.orphans.left();
        if left.is_empty() {
            return;
        }
        screen::say(&format!("procpool: waiting for what jobs have left: {}\n", list(&left)));
        while !self.orphans.left().is_empty() && !is_told_to_end() {
            thread::sleep(PAUSE);
        }
    }
}

/// More are only counted.
const MOST_NAMED: usize = 10;

/// Names the first of them, and counts the rest.
pub(crate) fn list(left: &[LeakedProcess]) -> String {
    let mut names: Vec<String> = left.iter().take(MOST_NAMED).map(LeakedProcess::to_string).collect();
    if left.len() > MOST_NAMED {
        names.push(format!("and {} more", left.len() - MOST_NAMED));
    }
    names.join(", ")
}
