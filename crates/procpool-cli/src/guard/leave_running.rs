//! Whether procpool leaves what runs elsewhere when it is told to end: the cluster goes on, and a resume comes back for it.
//! Knows nothing of how that is done.

use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use signal_hook::consts::{SIGHUP, SIGTERM};

/// What becomes of a run on a cluster by TERM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum OnTerm {
    /// It goes on without procpool.
    Leave,
    /// It ends.
    #[default]
    Cancel,
}

/// See the head of this file. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct LeaveRunning(Arc<LeaveState>);

#[derive(Debug, Default)]
struct LeaveState {
    on_term: OnTerm,
    /// There is something that can be left.
    is_possible: AtomicBool,
    is_asked: AtomicBool,
    /// Where procpool runs in a job itself, when the time of that is over.
    ends: OnceLock<SystemTime>,
    has_terminal: bool,
}

/// TERM comes so long before a job's time is over, where that is why it comes: 30 s as a rule.
const BEFORE_END: Duration = Duration::from_secs(75);

impl LeaveRunning {
    /// For a run on a cluster.
    pub(crate) fn new(on_term: OnTerm) -> LeaveRunning {
        LeaveRunning(Arc::new(LeaveState {
            on_term,
            has_terminal: has_terminal(),
            ..LeaveState::default()
        }))
    }

    /// From now on there is something to leave.
    pub(crate) fn allow(&self) {
        self.0.is_possible.store(true, Ordering::Release);
    }

    /// The time of the job in which procpool runs is over by then.
    pub(crate) fn set_end(&self, end: SystemTime) {
        let _ = self.0.ends.set(end);
    }

    /// A signal has come that ends a run. Says whether it leaves it: losing a terminal is no wish that the work ends, nor is the end
    /// of the time that procpool itself was given.
    pub(crate) fn note_signal(&self, signal: i32) -> bool {
        let leaves = match signal {
            SIGHUP => true,
            SIGTERM => self.0.on_term == OnTerm::Leave || self.is_out_of_time(SystemTime::now()),
            _ => false,
        };
        if leaves && self.0.is_possible.load(Ordering::Acquire) {
            self.0.is_asked.store(true, Ordering::Release);
        }
        self.is_asked()
    }

    /// Whether the run is to be left.
    pub(crate) fn is_asked(&self) -> bool {
        self.0.is_asked.load(Ordering::Acquire)
    }

    /// The run was told to end by something else than a signal. Where its terminal is gone, HUP is on its way, and what could not be
    /// written there is no reason of its own.
    pub(crate) fn note_lost_terminal(&self) -> bool {
        let is_gone = self.0.has_terminal && !has_terminal();
        if is_gone && self.0.is_possible.load(Ordering::Acquire) {
            self.0.is_asked.store(true, Ordering::Release);
        }
        self.is_asked()
    }

    fn is_out_of_time(&self, now: SystemTime) -> bool {
        self.0.ends.get().is_some_and(|ends| now + BEFORE_END >= *ends)
    }
}

fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

#[cfg(test)]
mod tests {
    use signal_hook::consts::SIGINT;

    use super::*;

    fn leaves(on_term: OnTerm, signal: i32, left: Option<u64>) -> bool {
        let leave = LeaveRunning::new(on_term);
        leave.allow();
        if let Some(seconds) = left {
            leave.set_end(SystemTime::now() + Duration::from_secs(seconds));
        }
        leave.note_signal(signal)
    }

    #[test]
    fn a_lost_terminal_leaves_and_ctrl_c_does_not() {
        assert!(leaves(OnTerm::Cancel, SIGHUP, None));
        assert!(!leaves(OnTerm::Leave, SIGINT, None));
    }

    #[test]
    fn term_leaves_where_that_was_asked_for_or_procpools_own_time_is_over() {
        assert!(leaves(OnTerm::Leave, SIGTERM, None));
        assert!(!leaves(OnTerm::Cancel, SIGTERM, None));
        assert!(!leaves(OnTerm::Cancel, SIGTERM, Some(600)));
        assert!(leaves(OnTerm::Cancel, SIGTERM, Some(30)));
        assert!(leaves(OnTerm::Cancel, SIGTERM, Some(0)));
    }

    #[test]
    fn what_runs_here_is_never_left() {
        assert!(!LeaveRunning::default().note_signal(SIGHUP));
    }
}
