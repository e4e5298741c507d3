//! Decides when to ask, kill or abandon a process: a pure state machine over its timeout, the run's halt, its end and
//! the end of its outputs. It is given the time.
//!
//! A timeout runs by the clock that is paused while jobs are stopped. A job that was asked to end is not stopped any more,
//! so its remaining deadlines run by real time: else a run that is told to end would wait for whoever has stopped it.

use std::time::Duration;

use crate::data::status::{Signal, Status};
use crate::halt::Halt;
use crate::outcome::End;
use crate::process::clock::{Deadline, Moment};

/// How long a descendant may hold a stream open after the process itself has ended.
const LEAK_WAIT: Duration = Duration::from_millis(200);

/// How long to wait for a killed process. It is gone within moments, or a little later with much memory; else it is
/// blocked in the kernel by a disk or file server that doesn't answer, and will end once that answers.
const DYING: Duration = Duration::from_secs(5);

/// What happens to descendants that still hold a job's output open 200 ms after the job's own process has ended. In any
/// case the job is marked [`leaked`](crate::Ran::leaked), which alone is not a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnLeak {
    /// Kill the job's process group.
    #[default]
    Kill,
    /// Let the job continue until its output is closed; its timeout continues too.
    Wait,
    /// Let them live. The job ends; writing to its output then fails with SIGPIPE.
    Keep,
}

/// The settings of a runner that concern the end of its jobs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) grace: Duration,
    pub(crate) on_leak: OnLeak,
}

/// The life of an attempt, from its start until its process has ended and its streams are closed.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    phase: Phase,
    cause: EndCause,
    leak: Leak,
    policy: Policy,
    began: Moment,
    /// When it times out.
    timeout: Option<Deadline>,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// It may run until its timeout.
    Running,
    /// It was asked to end, and is killed at `kill_at`.
    Ending { kill_at: Option<Deadline> },
    /// It was killed, and is left behind if it hasn't ended by `until`.
    Killed { until: Option<Deadline> },
    /// Its process has ended. Its streams may stay open until `until`.
    Draining { until: Option<Deadline> },
    /// Its process has ended, and its streams may stay open until its timeout.
    Lingering,
    /// Its group was killed but a stream is still open, because a process left the group. Given up at `until`.
    Abandoning { until: Option<Deadline> },
}

/// Why it ended.
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

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Wait,
    /// Send the group this signal, and CONT, so that stopped processes receive it.
    RequestEnd(Signal),
    /// Send the group KILL.
    Kill,
    /// Close open streams and reap.
    GiveUp,
    /// It can't be killed: continue without waiting for its end.
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

    /// Changes the timeout, which still counts from the start.
    pub(crate) fn move_timeout(&mut self, timeout: Option<Duration>) {
        // A time beyond the range of the clock means forever; so below.
        self.timeout = timeout.and_then(|timeout| self.began.jobs.checked_add(timeout)).map(Deadline::Jobs);
    }

    /// When [`tick`](Lifecycle::tick) has to be called.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        match self.phase {
            Phase::Running | Phase::Lingering => self.timeout,
            Phase::Ending { kill_at: until }
            | Phase::Killed { until }
            | Phase::Draining { until }
            | Phase::Abandoning { until } => until,
        }
    }

    /// Called when time has passed.
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

    /// Called when the halt level has risen.
    pub(crate) fn halt(&mut self, halt: Halt, now: Moment) -> Action {
        match (halt, self.phase) {
            (Halt::Stop(signal), Phase::Running | Phase::Lingering) => self.ask(EndCause::Stop, signal, now),
            // Otherwise the end by the run would be forgotten once the job lingers.
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

    /// Called when the process itself has ended.
    pub(crate) fn end(&mut self, now: Moment) {
        self.phase = match self.phase {
            Phase::Running => {
                // A stopped descendant can't close the stream.
                Phase::Draining { until: now.jobs.checked_add(LEAK_WAIT).map(Deadline::Jobs) }
            }
            Phase::Killed { .. } => Phase::Draining { until: after(LEAK_WAIT, now) },
            // The signal went to the whole group, and the rest of it has the whole grace time too.
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

    /// Whether it was asked to end or killed, however its process reacted.
    pub(crate) fn was_ended_by_us(&self) -> bool {
        self.cause != EndCause::Itself
    }

    /// Whether a descendant held a stream for longer than it may.
    pub(crate) fn has_leaked(&self) -> bool {
        self.leak == Leak::Leaked
    }

    /// Whether its process has ended while a stream is still open.
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

/// `duration` from now, by real time.
fn after(time: Duration, now: Moment) -> Option<Deadline> {
    now.real.checked_add(time).map(Deadline::Real)
}

#[cfg(test)]
mod tests;
