//! The state of a run behind its one lock: the schedule, and what the feeder has ready. Nobody waits while holding it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::data::job::{Job, Slot};
use crate::halt::{Halt, HaltSignal};
use crate::outcome::event::{Completion, Event, Retried};
use crate::outcome::snapshot::Snapshot;
use crate::outcome::{NotStarted, Outcome};
use crate::pool::feed::{Feed, FeedPoll, FeederState};
use crate::pool::gauge::Gauge;
use crate::runner::MovingTimeout;
use crate::schedule::{Schedule, Start, Verdict, Waiting};

/// All state of a run that several threads change.
pub(crate) struct RunState<W> {
    pub(crate) schedule: Schedule<W>,
    pub(crate) gauge: Gauge,
    /// `None` if no timeout depends on the time of other jobs.
    pub(crate) timeout: Option<Arc<MovingTimeout>>,
    pub(crate) halt_signal: Arc<HaltSignal>,
    pub(crate) feed: Feed<Job<W>>,
}

/// The state, shared by dispatcher and workers. Nobody blocks while it is locked.
pub(crate) struct SharedState<W>(Mutex<RunState<W>>);

/// What the dispatcher does next.
pub(crate) enum NextStep<W> {
    /// Start this attempt; the number of running jobs includes it.
    Start(Start<W>, usize),
    /// Give this job back, because the run was halted.
    GiveUp(Waiting<W>),
    Wait(Wait),
    End,
}

/// What to wait for, besides messages.
pub(crate) struct Wait {
    pub(crate) until: Option<Instant>,
    pub(crate) input: InputInterest,
}

/// Whether to wait for the input.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum InputInterest {
    Wanted,
    /// There is no room for a job, or none will come.
    Unwanted,
}

/// What to do with an attempt's slot once its end has been reported.
pub(crate) enum SlotAction<W> {
    Release(Slot),
    Retry(Start<W>, Duration),
}

impl<W> SharedState<W> {
    pub(crate) fn new(state: RunState<W>) -> SharedState<W> {
        SharedState(Mutex::new(state))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, RunState<W>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W> RunState<W> {
    pub(crate) fn next_step(&mut self) -> NextStep<W> {
        if let Some(start) = self.next_start() {
            return NextStep::Start(start, self.schedule.running());
        }
        let halt = self.sync_halt();
        if halt != Halt::GoOn {
            // Jobs that were already pulled must be given back too.
            self.pull();
            if let Some(waiting) = self.schedule.give_up() {
                return NextStep::GiveUp(waiting);
            }
        }
        if self.is_over() {
            return NextStep::End;
        }
        NextStep::Wait(self.wait(halt))
    }

    /// Takes the next attempt that may start.
    pub(crate) fn next_start(&mut self) -> Option<Start<W>> {
        if self.sync_halt() != Halt::GoOn {
            return None;
        }
        self.pull();
        // A halt rule in percent may have waited for the end of the input.
        self.sync_halt();
        let now = Instant::now();
        if self.schedule.wants_reading(now) {
            self.schedule.note_reading(self.gauge.read(), now);
        }
        self.schedule.start(now)
    }

    /// Judges an attempt that has ended. Returns what to report, and what to do once that is reported.
    pub(crate) fn conclude(&mut self, start: Start<W>, outcome: Outcome) -> (Event<W>, SlotAction<W>) {
        // An attempt that ends after the halt is the job's last.
        self.sync_halt();
        let Start { seq, slot, attempt, .. } = start;
        let (event, slot_action) = match self.schedule.conclude(start, &outcome) {
            Verdict::Done(Start { job, .. }) => {
                let ran_in = match outcome {
                    Outcome::NotStarted(NotStarted::NeverReached) => None,
                    _ => Some(slot),
                };
                let completion = Completion { job, seq, slot: ran_in, attempt, outcome, node: None };
                (Event::Completed(completion), SlotAction::Release(slot))
            }
            Verdict::Again(start, pause) => {
                let key = start.job.key.clone();
                let retried = Retried { key, seq, slot, attempt, outcome, pause, node: None };
                (Event::Retried(retried), SlotAction::Retry(start, pause))
            }
        };
        // Before the report to the caller, which may block for any time.
        self.sync_halt();
        if let Some(timeout) = &self.timeout {
            timeout.set(self.schedule.timeout());
        }
        (event, slot_action)
    }

    /// Called when the end of an attempt has been reported.
    pub(crate) fn apply(&mut self, slot_action: SlotAction<W>) {
        let now = Instant::now();
        match slot_action {
            SlotAction::Release(slot) => self.schedule.leave(slot, now),
            SlotAction::Retry(start, pause) => self.schedule.try_again(start, pause, now),
        }
    }

    /// Called when the time of [`Wait::until`] has passed.
    pub(crate) fn give_up_waiting(&mut self) {
        if self.halt_signal.halt() != Halt::GoOn {
            self.feed.give_up_waiting();
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.schedule.snapshot(Instant::now())
    }

    fn is_over(&self) -> bool {
        match self.halt_signal.halt() {
            Halt::GoOn => self.schedule.is_over(),
            _ => self.schedule.is_idle() && self.feed.state() != FeederState::Open,
        }
    }

    /// Passes a halt by the schedule's rule on to the halt signal and vice versa, and returns the level.
    fn sync_halt(&mut self) -> Halt {
        if let Some(halt) = self.schedule.take_halt() {
            self.halt_signal.raise(halt);
        }
        let halt = self.halt_signal.halt();
        if halt != Halt::GoOn {
            self.schedule.halt();
        }
        halt
    }

    fn wait(&mut self, halt: Halt) -> Wait {
        let until = match halt {
            Halt::GoOn => self.schedule.next_wake(Instant::now()),
            _ if self.schedule.is_idle() => Some(self.feed.last_wait(halt)),
            _ => None,
        };
        Wait { until, input: self.input() }
    }

    fn input(&self) -> InputInterest {
        let is_wanted = self.halt_signal.halt() != Halt::GoOn || self.schedule.wants_input();
        match self.feed.state() {
            FeederState::Open if is_wanted => InputInterest::Wanted,
            _ => InputInterest::Unwanted,
        }
    }

    /// Takes jobs from the feeder as long as some are wanted and ready.
    fn pull(&mut self) {
        while self.input() == InputInterest::Wanted {
            match self.feed.take() {
                FeedPoll::Job(job) => self.schedule.add(job),
                FeedPoll::Nothing => return,
                FeedPoll::End => self.schedule.end_input(),
                // Not halted, and no end was sent: the iterator panicked. That is reported once all jobs before it are
                // done.
                FeedPoll::Gone if self.halt_signal.halt() == Halt::GoOn => self.schedule.end_input(),
                // Halted: the feeder pulls no more jobs, and how many are left is unknown.
                FeedPoll::Gone => {}
            }
        }
    }
}
