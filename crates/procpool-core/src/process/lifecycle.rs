//! What to do with a process when: a pure state machine over its timeout, the run's halt and its end.
//! Knows no clock (it is told the time), no process, no stream.

use std::time::{Duration, Instant};

use crate::halt::Halt;
use crate::outcome::End;
use crate::signal::Signal;
use crate::status::Status;

/// How long a descendant that holds a stream open has to let go of it once the process itself has ended.
const LEAK_WAIT: Duration = Duration::from_millis(200);

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
    cause: Cause,
    leak: Leak,
    policy: Policy,
    began: Instant,
    /// When its time is up.
    timeout: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// It may run until its time is up.
    Running,
    /// It was asked to end, and is killed then.
    Ending { kill_at: Option<Instant> },
    /// It was killed; only the kernel is to wait for.
    Killed,
    /// Its process has ended, but its streams are still open. They may be until then.
    Draining { until: Option<Instant> },
    /// Its process has ended and a stream is still open, which may take until its time is up.
    Lingering,
    /// Its group was killed and a stream is still open: somebody left the group. No more waiting then.
    Abandoning { until: Option<Instant> },
}

/// Who ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
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
    Ask(Signal),
    /// Send the group KILL.
    Kill,
    /// Close what is still open and reap.
    GiveUp,
}

impl Lifecycle {
    pub(crate) fn new(now: Instant, timeout: Option<Duration>, policy: Policy) -> Lifecycle {
        Lifecycle {
            phase: Phase::Running,
            cause: Cause::Itself,
            leak: Leak::None,
            policy,
            began: now,
            // A time beyond what the clock can say is as good as for ever; so below.
            timeout: timeout.and_then(|timeout| now.checked_add(timeout)),
        }
    }

    /// Its time is another one from now on, counted from its start as ever.
    pub(crate) fn move_timeout(&mut self, timeout: Option<Duration>) {
        self.timeout = timeout.and_then(|timeout| self.began.checked_add(timeout));
    }

    /// When [`tick`](Lifecycle::tick) has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Running | Phase::Lingering => self.timeout,
            Phase::Ending { kill_at: until } | Phase::Draining { until } | Phase::Abandoning { until } => {
                until
            }
            Phase::Killed => None,
        }
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, now: Instant) -> Action {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return Action::Wait;
        }
        match self.phase {
            Phase::Running | Phase::Lingering => self.ask(Cause::Timeout, Signal::TERM, now),
            Phase::Ending { .. } => self.kill(),
            Phase::Draining { .. } => {
                self.leak = Leak::Leaked;
                match (self.cause, self.policy.on_leak) {
                    (Cause::Itself, OnLeak::Keep) => Action::GiveUp,
                    (Cause::Itself, OnLeak::Wait) => {
                        self.phase = Phase::Lingering;
                        self.tick(now)
                    }
                    (Cause::Itself, OnLeak::Kill) | (Cause::Timeout | Cause::Stop, _) => self.abandon(now),
                }
            }
            Phase::Abandoning { .. } => {
                self.leak = Leak::Leaked;
                Action::GiveUp
            }
            Phase::Killed => Action::Wait,
        }
    }

    /// The run has been told to stop, this far.
    pub(crate) fn halt(&mut self, halt: Halt, now: Instant) -> Action {
        match (halt, self.phase) {
            (Halt::Stop(signal), Phase::Running | Phase::Lingering) => self.ask(Cause::Stop, signal, now),
            // It would be forgotten once the job lingers.
            (Halt::Stop(signal), Phase::Draining { .. }) if self.may_linger() => {
                self.ask(Cause::Stop, signal, now)
            }
            (Halt::Kill, Phase::Running) => {
                self.cause = Cause::Stop;
                self.kill()
            }
            (Halt::Kill, Phase::Ending { .. }) => self.kill(),
            (Halt::Kill, Phase::Lingering) => {
                self.cause = Cause::Stop;
                self.abandon(now)
            }
            (Halt::Kill, Phase::Draining { .. }) => self.abandon(now),
            _ => Action::Wait,
        }
    }

    /// The process itself has ended.
    pub(crate) fn end(&mut self, now: Instant) {
        self.phase = match self.phase {
            Phase::Running | Phase::Killed => Phase::Draining { until: now.checked_add(LEAK_WAIT) },
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
            Cause::Itself => End::Itself(status),
            Cause::Timeout => End::TimedOut(status),
            Cause::Stop => End::Stopped(status),
        }
    }

    /// Whether it was asked to end or killed, whatever it made of that.
    pub(crate) fn was_ended_by_us(&self) -> bool {
        self.cause != Cause::Itself
    }

    /// Whether a descendant held a stream for longer than it may.
    pub(crate) fn has_leaked(&self) -> bool {
        self.leak == Leak::Leaked
    }

    /// Whether its process has ended, and what it left behind is waited for.
    fn may_linger(&self) -> bool {
        self.cause == Cause::Itself && self.policy.on_leak == OnLeak::Wait
    }

    fn ask(&mut self, cause: Cause, signal: Signal, now: Instant) -> Action {
        self.cause = cause;
        let kill_at = now.checked_add(self.policy.grace);
        self.phase = match self.phase {
            Phase::Draining { .. } | Phase::Lingering => Phase::Draining { until: kill_at },
            _ => Phase::Ending { kill_at },
        };
        Action::Ask(signal)
    }

    fn kill(&mut self) -> Action {
        self.phase = Phase::Killed;
        Action::Kill
    }

    fn abandon(&mut self, now: Instant) -> Action {
        self.phase = Phase::Abandoning { until: now.checked_add(LEAK_WAIT) };
        Action::Kill
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(2);
    const TIMEOUT: Duration = Duration::from_secs(10);
    const OK: Status = Status::Exited(0);

    fn started(timeout: Option<Duration>) -> (Lifecycle, Instant) {
        leaking(OnLeak::Kill, timeout)
    }

    fn leaking(on_leak: OnLeak, timeout: Option<Duration>) -> (Lifecycle, Instant) {
        let now = Instant::now();
        (Lifecycle::new(now, timeout, Policy { grace: GRACE, on_leak }), now)
    }

    #[test]
    fn without_a_timeout_there_is_nothing_to_wait_for_but_the_end() {
        let (mut life, now) = started(None);
        assert_eq!(life.deadline(), None);
        assert_eq!(life.tick(now + TIMEOUT), Action::Wait);
        life.end(now);
        assert_eq!(life.verdict(OK), End::Itself(OK));
        assert!(!life.has_leaked());
    }

    #[test]
    fn a_timeout_is_never_early_asks_first_and_kills_after_the_grace_time() {
        let (mut life, now) = started(Some(TIMEOUT));
        let up = now + TIMEOUT;
        assert_eq!(life.tick(up.checked_sub(Duration::from_nanos(1)).unwrap()), Action::Wait);
        assert_eq!(life.tick(up), Action::Ask(Signal::TERM));
        assert_eq!(life.tick(up), Action::Wait);
        assert_eq!(life.tick(up + GRACE), Action::Kill);
        life.end(up + GRACE);
        assert_eq!(life.verdict(OK), End::TimedOut(OK));
    }

    #[test]
    fn a_job_that_exits_0_on_the_signal_of_its_timeout_has_still_timed_out() {
        let (mut life, now) = started(Some(TIMEOUT));
        assert_eq!(life.tick(now + TIMEOUT), Action::Ask(Signal::TERM));
        life.end(now + TIMEOUT);
        assert_eq!(life.verdict(OK), End::TimedOut(OK));
    }

    #[test]
    fn a_stop_asks_with_its_signal_and_a_kill_does_not_ask() {
        let (mut life, now) = started(None);
        assert_eq!(life.halt(Halt::Stop(Signal::INT), now), Action::Ask(Signal::INT));
        assert_eq!(life.halt(Halt::Stop(Signal::INT), now), Action::Wait);
        assert_eq!(life.halt(Halt::Kill, now), Action::Kill);
        assert_eq!(life.verdict(OK), End::Stopped(OK));

        let (mut life, now) = started(None);
        assert_eq!(life.halt(Halt::Kill, now), Action::Kill);
        assert_eq!(life.verdict(OK), End::Stopped(OK));
    }

    #[test]
    fn a_drain_lets_it_run() {
        let (mut life, now) = started(None);
        assert_eq!(life.halt(Halt::Drain, now), Action::Wait);
        assert_eq!(life.verdict(OK), End::Itself(OK));
    }

    #[test]
    fn a_stop_after_the_timeout_changes_nothing() {
        let (mut life, now) = started(Some(TIMEOUT));
        assert_eq!(life.tick(now + TIMEOUT), Action::Ask(Signal::TERM));
        assert_eq!(life.halt(Halt::Stop(Signal::INT), now + TIMEOUT), Action::Wait);
        assert_eq!(life.verdict(OK), End::TimedOut(OK));
    }

    #[test]
    fn a_descendant_that_holds_a_stream_is_killed_then_given_up() {
        let (mut life, now) = started(None);
        life.end(now);
        assert_eq!(life.deadline(), Some(now + LEAK_WAIT));
        assert_eq!(life.tick(now + LEAK_WAIT), Action::Kill);
        assert!(life.has_leaked());
        assert_eq!(life.tick(now + 2 * LEAK_WAIT), Action::GiveUp);
        assert_eq!(life.verdict(OK), End::Itself(OK));
    }

    #[test]
    fn a_stream_that_is_given_up_after_a_kill_is_a_leak_too() {
        let (mut life, now) = started(None);
        life.end(now);
        assert_eq!(life.halt(Halt::Kill, now), Action::Kill);
        assert!(!life.has_leaked());
        assert_eq!(life.tick(now + LEAK_WAIT), Action::GiveUp);
        assert!(life.has_leaked());
    }

    #[test]
    fn the_rest_of_a_group_that_was_asked_to_end_has_the_whole_grace_time() {
        let (mut life, now) = started(None);
        life.halt(Halt::Stop(Signal::TERM), now);
        life.end(now);
        assert_eq!(life.deadline(), Some(now + GRACE));
        assert_eq!(life.tick(now + GRACE), Action::Kill);
    }

    #[test]
    fn a_timeout_that_moves_counts_from_the_start_and_not_as_it_was() {
        let (mut life, now) = started(None);
        life.move_timeout(Some(TIMEOUT));
        assert_eq!(life.deadline(), Some(now + TIMEOUT));
        life.move_timeout(Some(2 * TIMEOUT));
        assert_eq!(life.tick(now + TIMEOUT), Action::Wait);
        life.move_timeout(Some(TIMEOUT / 2));
        assert_eq!(life.tick(now + TIMEOUT), Action::Ask(Signal::TERM));
        life.move_timeout(None);
        assert_eq!(life.tick(now + TIMEOUT + GRACE), Action::Kill);
    }

    #[test]
    fn a_timeout_beyond_the_clock_is_none() {
        let (life, _) = started(Some(Duration::MAX));
        assert_eq!(life.deadline(), None);
    }

    #[test]
    fn one_that_may_keep_a_stream_is_given_up_without_a_kill() {
        let (mut life, now) = leaking(OnLeak::Keep, None);
        life.end(now);
        assert_eq!(life.tick(now + LEAK_WAIT), Action::GiveUp);
        assert!(life.has_leaked());
        assert_eq!(life.verdict(OK), End::Itself(OK));
    }

    #[test]
    fn a_job_that_was_ended_keeps_nothing() {
        let (mut life, now) = leaking(OnLeak::Keep, Some(TIMEOUT));
        assert_eq!(life.tick(now + TIMEOUT), Action::Ask(Signal::TERM));
        life.end(now + TIMEOUT);
        assert_eq!(life.tick(now + TIMEOUT + GRACE), Action::Kill);
    }

    #[test]
    fn one_that_is_waited_for_has_until_the_timeout_and_then_the_grace_time() {
        let (mut life, now) = leaking(OnLeak::Wait, Some(TIMEOUT));
        life.end(now);
        assert_eq!(life.tick(now + LEAK_WAIT), Action::Wait);
        assert!(life.has_leaked());
        assert_eq!(life.verdict(OK), End::Itself(OK));
        let up = now + TIMEOUT;
        assert_eq!(life.deadline(), Some(up));
        assert_eq!(life.tick(up), Action::Ask(Signal::TERM));
        assert_eq!(life.tick(up + GRACE), Action::Kill);
        assert_eq!(life.tick(up + GRACE + LEAK_WAIT), Action::GiveUp);
        assert_eq!(life.verdict(OK), End::TimedOut(OK));
    }

    #[test]
    fn one_that_is_waited_for_hears_a_stop_at_any_time() {
        for ended_before in [LEAK_WAIT / 2, 2 * LEAK_WAIT] {
            let (mut life, now) = leaking(OnLeak::Wait, None);
            life.end(now);
            let later = now + ended_before;
            assert_eq!(life.tick(later), Action::Wait);
            assert_eq!(life.halt(Halt::Stop(Signal::INT), later), Action::Ask(Signal::INT));
            assert_eq!(life.tick(later + GRACE), Action::Kill);
            assert_eq!(life.verdict(OK), End::Stopped(OK));
        }
        let (mut life, now) = leaking(OnLeak::Wait, None);
        life.end(now);
        assert_eq!(life.tick(now + LEAK_WAIT), Action::Wait);
        assert_eq!(life.halt(Halt::Kill, now + LEAK_WAIT), Action::Kill);
        assert_eq!(life.tick(now + 2 * LEAK_WAIT), Action::GiveUp);
    }
}
