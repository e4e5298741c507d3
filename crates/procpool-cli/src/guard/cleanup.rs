//! What jobs have left behind when all of them have ended: it is ended, waited for, or may stay.
//! Asked once, before the summary, so that what was ended can be named there.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::guard::orphans::Orphans;
use crate::terminal::screen;
use procpool_journal::files::leaked_process::LeakedProcess;

/// What becomes of processes that are left when the pool has come to an orderly end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leftovers {
    /// They are killed.
    Kill,
    /// They are waited for, and killed where procpool is told to end before.
    Wait,
    /// They may live on. Where the pool was killed they are killed all the same: nobody can tell then what
    /// was meant to be kept from a job that ran.
    Keep,
}

/// See the head of this file.
pub(crate) struct Cleanup {
    pub(super) leftovers: Leftovers,
    pub(super) orphans: Arc<Orphans>,
}

/// How often it is looked whether what is waited for has ended.
const LOOK: Duration = Duration::from_millis(20);

impl Cleanup {
    /// Sees to what is left, once no job runs any more, and says what of it was ended.
    /// `is_told_to_end` is asked while something is waited for.
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
            thread::sleep(LOOK);
        }
    }
}

/// So many are named.
const MOST_NAMED: usize = 10;

/// The first of them by name, and how many more there are.
pub(crate) fn list(left: &[LeakedProcess]) -> String {
    let mut names: Vec<String> = left.iter().take(MOST_NAMED).map(LeakedProcess::to_string).collect();
    if left.len() > MOST_NAMED {
        names.push(format!("and {} more", left.len() - MOST_NAMED));
    }
    names.join(", ")
}
