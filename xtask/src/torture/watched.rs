//! A procpool that was started: whether it has ended, and how.
//! It does not know what it runs, nor where its output goes.

use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::io::retry_on_intr;
use rustix::process::{Pid, PidfdFlags, WaitOptions, pidfd_open, waitpid};

use crate::torture::ending::End;

/// The process that was started.
pub(crate) struct Watched {
    pub(crate) front: Pid,
    pub(crate) started: Instant,
    end: OwnedFd,
}

impl Watched {
    pub(crate) fn new(child: &Child, started: Instant) -> Result<Watched> {
        let front = Pid::from_child(child);
        let end = pidfd_open(front, PidfdFlags::empty()).context("can't watch procpool")?;
        Ok(Watched { front, started, end })
    }

    pub(crate) fn has_ended(&self) -> Result<bool> {
        self.ends_by(Instant::now())
    }

    /// Waits until then for its end, and reaps it.
    pub(crate) fn wait(&self, deadline: Instant) -> Result<End> {
        if !self.ends_by(deadline)? {
            return Ok(End::Hung);
        }
        let (_, status) = retry_on_intr(|| waitpid(Some(self.front), WaitOptions::empty()))?
            .context("BUG: a wait that does not wait")?;
        let exited = status.exit_status().map(End::Exited);
        exited.or(status.terminating_signal().map(End::Died)).context("BUG: an end that is none")
    }

    fn ends_by(&self, deadline: Instant) -> Result<bool> {
        let rest = deadline.saturating_duration_since(Instant::now());
        // A fraction of a millisecond is not worth another round.
        let rest = Timespec::try_from(rest + Duration::from_micros(1)).context("BUG: a deadline far away")?;
        let ended = retry_on_intr(|| poll(&mut [PollFd::new(&self.end, PollFlags::IN)], Some(&rest)))?;
        Ok(ended > 0)
    }
}
