//! Whether jobs on a cluster are left running when procpool is told to end: the cluster goes on, and a resume
//! collects the results. Signal handling decides, and the cluster's head asks.

use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use signal_hook::consts::{SIGHUP, SIGTERM};

/// What TERM does to a run on a cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum OnTerm {
    /// Its jobs go on without procpool.
    Leave,
    /// Its jobs are cancelled.
    #[default]
    Cancel,
}

/// Whether they are. Clones share their state.
#[derive(Clone, Debug, Default)]
pub(crate) struct LeaveRunning(Arc<LeaveState>);

#[derive(Debug, Default)]
struct LeaveState {
    on_term: OnTerm,
    /// There is something on the cluster that can be left.
    is_possible: AtomicBool,
    is_asked: AtomicBool,
    /// If procpool runs in a cluster job itself: when the time limit of that job ends.
    ends: OnceLock<SystemTime>,
    has_terminal: bool,
}

/// Clusters send TERM this long before a job's time limit at most; 30 s as a rule.
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

    /// From now on there is something on the cluster.
    pub(crate) fn allow(&self) {
        self.0.is_possible.store(true, Ordering::Release);
    }

    /// The job that procpool runs in has a time limit, which ends then.
    pub(crate) fn set_end(&self, end: SystemTime) {
        let _ = self.0.ends.set(end);
    }

    /// Notes a signal that ends the run, and returns whether jobs are left running. A lost terminal is no
    /// wish to cancel the jobs, nor is the end of procpool's own time limit.
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

    /// Whether jobs are left running.
    pub(crate) fn is_asked(&self) -> bool {
        self.0.is_asked.load(Ordering::Acquire)
    }

    /// Called if something else than a signal ends the run. If the terminal is gone, HUP is on its way, and
    /// the failed write to the terminal is no reason to cancel the jobs.
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
