//! What to do with a process when: a pure state machine over its timeout, the run's halt and its end.
//! Knows no clock (it is told the time), no process, no stream.
//!
//! A timeout runs by the clock that stands still while jobs are stopped. A job that was told to end is not stopped any more, so
//! what it has left runs by the real one: else a run that is told to end would wait for whoever has stopped it.

use std::time::Duration;

use crate::data::status::Signal;
use crate::data::status::Status;
use crate::halt::Halt;
use crate::outcome::End;
use crate::process::clock::{Deadline, Moment};

/// How long a descendant that holds a stream open has to let go of it once the process itself has ended.
const LEAK_WAIT: Duration = Duration::from_millis(200);

/// A process that was killed is gone within a moment, one with much memory later. One that isn't by then waits in the kernel, for a
/// disk or a file server that doesn't answer, and will be gone with that.
const DYING: Duration = Duration::from_secs(5);

/// What becomes of a descendant that still holds a job's output open 200 ms after the job's own process has
/// ended. Whatever becomes of it, the job is marked [`leaked`](crate::Ran::leaked), which alone is no failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnLeak {
    /// The job's process group is killed.
    #[default]
    Kill,
    /// The job goes on until its output is closed, and its timeout with it.
    Wait,
    /// It may live on. The job ends; what is written from then on goes nowhere, and the writer gets SIGPIPE.
    Keep,
}

/// What holds for every job of a runner.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) grace: Duration,
    pub(crate) on_leak: OnLeak,
}

/// The life of one attempt, from its start until its streams are closed too.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    phase: Phase,
    cause: EndCause,
    leak: Leak,
    policy: Policy,
    began: Moment,
    /// When its time is up.
    timeout: Option<Deadline>,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// It may run until its time is up.
    Running,
    /// It was asked to end, and is killed then.
    Ending { kill_at: Option<Deadline> },
    /// It was killed; only the kernel is to wait for, and not beyond that.
    Killed { until: Option<Deadline> },
    /// Its process has ended, but its streams are still open. They may be until then.
    Draining { until: Option<Deadline> },
    /// Its process has ended and a stream is still open, which may take until its time is up.
    Lingering,
    /// Its group was killed and a stream is still open: somebody left the group. No more waiting then.
    Abandoning { until: Option<Deadline> },
}

/// Who ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EndCause {
    Itself,
    Timeout,
    Stop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leak {
    None,
    Leaked,
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Wait,
    /// Send the group this signal, and CONT, so that a stopped process hears it.
    RequestEnd(Signal),
    /// Send the group KILL.
    Kill,
    /// Close what is still open and reap.
    GiveUp,
    /// It can't be killed: go on without its end.
    LeaveBehind,
}

impl Lifecycle {
    pub(crate) fn new(now: Moment, timeout: Option<Duration>, policy: Policy) -> Lifecycle {
        let mut life = Lifecycle {
            phase: Phase::Running,
            cause: EndCause::Itself,
            leak: Leak::None,
            policy,
            began: now,
            timeout: None,
        };
        life.move_timeout(timeout);
        life
    }

    /// Its time is another one from now on, counted from its start as ever.
    pub(crate) fn move_timeout(&mut self, timeout: Option<Duration>) {
        // A time beyond what the clock can say is as good as for ever; so below.
        self.timeout = timeout.and_then(|timeout| self.began.jobs.checked_add(timeout)).map(Deadline::Jobs);
    }

    /// When [`tick`](Lifecycle::tick) has something to do.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        match self.phase {
            Phase::Running | Phase::Lingering => self.timeout,
            Phase::Ending { kill_at: until }
            | Phase::Killed { until }
            | Phase::Draining { until }
            | Phase::Abandoning { until } => until,
        }
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, now: Moment) -> Action {
        if self.deadline().is_none_or(|deadline| !deadline.has_come(now)) {
            return Action::Wait;
        }
        match self.phase {
            Phase::Running | Phase::Lingering => self.ask(EndCause::Timeout, Signal::TERM, now),
            Phase::Ending { .. } => self.kill(now),
            Phase::Draining { .. } => {
                self.leak = Leak::Leaked;
                match (self.cause, self.policy.on_leak) {
                    (EndCause::Itself, OnLeak::Keep) => Action::GiveUp,
                    (EndCause::Itself, OnLeak::Wait) => {
                        self.phase = Phase::Lingering;
                        self.tick(now)
                    }
                    (EndCause::Itself, OnLeak::Kill) | (EndCause::Timeout | EndCause::Stop, _) => {
                        self.abandon(now)
                    }
                }
            }
            Phase::Abandoning { .. } => {
                self.leak = Leak::Leaked;
                Action::GiveUp
            }
            Phase::Killed { .. } => Action::LeaveBehind,
        }
    }

    /// The run has been told to stop, this far.
    pub(crate) fn halt(&mut self, halt: Halt, now: Moment) -> Action {
        match (halt, self.phase) {
            (Halt::Stop(signal), Phase::Running | Phase::Lingering) => self.ask(EndCause::Stop, signal, now),
            // It would be forgotten once the job lingers.
            (Halt::Stop(signal), Phase::Draining { .. }) if self.may_linger() => {
                self.ask(EndCause::Stop, signal, now)
            }
            (Halt::Stop(_), Phase::Draining { until }) => {
                let until = until.and_then(|until| until.on_real_clock(now));
                self.phase = Phase::Draining { until };
                Action::Wait
            }
            (Halt::Kill, Phase::Running) => {
                self.cause = EndCause::Stop;
                self.kill(now)
            }
            (Halt::Kill, Phase::Ending { .. }) => self.kill(now),
            (Halt::Kill, Phase::Lingering) => {
                self.cause = EndCause::Stop;
                self.abandon(now)
            }
            (Halt::Kill, Phase::Draining { .. }) => self.abandon(now),
            _ => Action::Wait,
        }
    }

    /// The process itself has ended.
    pub(crate) fn end(&mut self, now: Moment) {
        self.phase = match self.phase {
            Phase::Running => {
                // A descendant that is stopped can't let go.
                Phase::Draining { until: now.jobs.checked_add(LEAK_WAIT).map(Deadline::Jobs) }
            }
            Phase::Killed { .. } => Phase::Draining { until: after(LEAK_WAIT, now) },
            // The signal went to the whole group; the rest of it has the whole grace time too.
            Phase::Ending { kill_at } => Phase::Draining { until: kill_at },
            Phase::Draining { .. } | Phase::Lingering | Phase::Abandoning { .. } => {
                unreachable!("BUG: a process ended twice")
            }
        };
    }

    /// How it ended, given the status of its process.
    pub(crate) fn verdict(&self, status: Status) -> End {
        match self.cause {
            EndCause::Itself => End::Itself(status),
            EndCause::Timeout => End::TimedOut(status),
            EndCause::Stop => End::Stopped(status),
        }
    }

    /// Whether it was asked to end or killed, whatever it made of that.
    pub(crate) fn was_ended_by_us(&self) -> bool {
        self.cause != EndCause::Itself
    }

    /// Whether a descendant held a stream for longer than it may.
    pub(crate) fn has_leaked(&self) -> bool {
        self.leak == Leak::Leaked
    }

    /// Whether its process has ended, and what it left behind is waited for.
    fn may_linger(&self) -> bool {
        self.cause == EndCause::Itself && self.policy.on_leak == OnLeak::Wait
    }

    fn ask(&mut self, cause: EndCause, signal: Signal, now: Moment) -> Action {
        self.cause = cause;
        let kill_at = after(self.policy.grace, now);
        self.phase = match self.phase {
            Phase::Draining { .. } | Phase::Lingering => Phase::Draining { until: kill_at },
            _ => Phase::Ending { kill_at },
        };
        Action::RequestEnd(signal)
    }

    fn kill(&mut self, now: Moment) -> Action {
        self.phase = Phase::Killed { until: after(DYING, now) };
        Action::Kill
    }

    fn abandon(&mut self, now: Moment) -> Action {
        self.phase = Phase::Abandoning { until: after(LEAK_WAIT, now) };
        Action::Kill
    }
}

/// So long after now, by the real clock.
fn after(time: Duration, now: Moment) -> Option<Deadline> {
    now.real.checked_add(time).map(Deadline::Real)
}

#[cfg(test)]
mod tests;
