//! A procpool that was started: whether it has ended, and how. In a PID namespace the namespace's first
//! process may report that.

use std::path::Path;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::io::retry_on_intr;
use rustix::process::{Pid, PidfdFlags, WaitOptions, pidfd_open, waitpid};

use crate::census;
use crate::ending::End;
use crate::namespace_init::Notes;

/// A running procpool.
pub(crate) struct RunningProcpool {
    /// procpool's front: the child itself, or a descendant of it where the child makes a namespace.
    pub(crate) front: Pid,
    pub(crate) started: Instant,
    /// The front's process group, where no other process is in it.
    pub(crate) group: Option<Pid>,
    child: Pid,
    end: OwnedFd,
    /// The reports of the namespace's first process.
    notes: Option<Notes>,
}

/// The longest wait for procpool's front where a namespace has to be made first.
const LONGEST_START: Duration = Duration::from_secs(10);

/// The pause between two looks for a report.
const PULSE: Duration = Duration::from_millis(1);

impl RunningProcpool {
    pub(crate) fn new(child: &Child, started: Instant) -> Result<RunningProcpool> {
        let child = Pid::from_child(child);
        let end = pidfd_open(child, PidfdFlags::empty()).context("can't watch procpool")?;
        Ok(RunningProcpool {
            front: child,
            started,
            group: Some(child),
            child,
            end,
            notes: None,
        })
    }

    /// Sets the process that was found to be procpool's front.
    pub(crate) fn found(self, front: Pid, notes: Option<Notes>) -> RunningProcpool {
        let group = notes.as_ref().map(|_| front);
        RunningProcpool { front, started: Instant::now(), group, notes, ..self }
    }

    pub(crate) fn has_ended(&self) -> Result<bool> {
        Ok(self.noted().is_some() || self.ends_by(Instant::now())?)
    }

    /// Waits for its end and reaps it.
    pub(crate) fn wait(&self, deadline: Instant) -> Result<End> {
        while self.notes.is_some() && !self.ends_by(Instant::now())? {
            match self.noted() {
                Some(end) => return Ok(end),
                None if Instant::now() >= deadline => return Ok(End::Hung),
                None => thread::sleep(PULSE),
            }
        }
        self.wait_for_child(deadline)
    }

    /// Like `wait`, for the child that was started.
    pub(crate) fn wait_for_child(&self, deadline: Instant) -> Result<End> {
        if !self.ends_by(deadline)? {
            return Ok(End::Hung);
        }
        let (_, status) = retry_on_intr(|| waitpid(Some(self.child), WaitOptions::empty()))?
            .context("BUG: a wait that does not wait")?;
        let exited = status.exit_status().map(End::Exited);
        exited.or(status.terminating_signal().map(End::Died)).context("BUG: an end that is none")
    }

    /// The first process at or below the front that runs this program; None where the front ends before
    /// there is one.
    pub(crate) fn first_of(&self, program: &Path) -> Result<Option<Pid>> {
        while !self.has_ended()? && self.started.elapsed() < LONGEST_START {
            let mut parents = vec![self.front];
            while let Some(parent) = parents.pop() {
                if census::program(parent).is_ok_and(|own| own == program) {
                    return Ok(Some(parent));
                }
                parents.extend(census::children(parent));
            }
            thread::yield_now();
        }
        Ok(None)
    }

    /// Whether it is the first process of its namespace, which only KILL and STOP reach where it has no
    /// handler.
    pub(crate) fn is_first_of_namespace(&self) -> bool {
        self.group.is_none()
    }

    fn noted(&self) -> Option<End> {
        self.notes.as_ref().and_then(Notes::end)
    }

    fn ends_by(&self, deadline: Instant) -> Result<bool> {
        let rest = deadline.saturating_duration_since(Instant::now());
        // Rounded up, so that it doesn't wake up just before the deadline.
        let rest = Timespec::try_from(rest + Duration::from_micros(1)).context("BUG: a deadline far away")?;
        let ended = retry_on_intr(|| poll(&mut [PollFd::new(&self.end, PollFlags::IN)], Some(&rest)))?;
        Ok(ended > 0)
    }
}
