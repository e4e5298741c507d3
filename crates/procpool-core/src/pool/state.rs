//! The state of a run, behind its one lock: what may start, what is done, what the feeder has ready.
//! Decides nothing (`schedule.rs` does), runs nothing and waits for nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::data::job::Job;
use crate::data::job::Slot;
use crate::halt::{Halt, HaltSignal};
use crate::outcome::event::Completion;
use crate::outcome::event::{Event, Retried};
use crate::outcome::snapshot::Snapshot;
use crate::outcome::{NotStarted, Outcome};
use crate::pool::feed::{Feed, FeedPoll, FeederState};
use crate::pool::gauge::Gauge;
use crate::runner::MovingTimeout;
use crate::schedule::{Schedule, Start, Verdict, Waiting};

/// See the head of this file.
pub(crate) struct RunState<W> {
    pub(crate) schedule: Schedule<W>,
    pub(crate) gauge: Gauge,
    /// `None` where no job's timeout follows from others.
    pub(crate) timeout: Option<Arc<MovingTimeout>>,
    pub(crate) halt_signal: Arc<HaltSignal>,
    pub(crate) feed: Feed<Job<W>>,
}

/// The state, for all who carry the run on. Nobody waits for anything while it is locked.
pub(crate) struct SharedState<W>(Mutex<RunState<W>>);

/// What the dispatcher does next.
pub(crate) enum NextStep<W> {
    /// Has it started; so many jobs are under way then.
    Start(Start<W>, usize),
    /// Gives it back, for the run was halted.
    GiveUp(Waiting<W>),
    Wait(Wait),
    End,
}

/// What is waited for, beside a word from somebody.
pub(crate) struct Wait {
    pub(crate) until: Option<Instant>,
    pub(crate) input: InputInterest,
}

/// Whether the input is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum InputInterest {
    Wanted,
    /// There is no room for it, or no more will come.
    Unwanted,
}

/// What becomes of an attempt's slot once its end has been told.
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
            // What was pulled already is taken too, to be given back.
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
        // The end of the input may be what a rule waited for.
        self.sync_halt();
        let now = Instant::now();
        if self.schedule.wants_reading(now) {
            self.schedule.note_reading(self.gauge.read(), now);
        }
        self.schedule.start(now)
    }

    /// An attempt has ended: what is told of it, and what is done once that has been told.
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
        // Before the caller is told, which may take as long as it likes.
        self.sync_halt();
        if let Some(timeout) = &self.timeout {
            timeout.set(self.schedule.timeout());
        }
        (event, slot_action)
    }

    /// The end of an attempt has been told.
    pub(crate) fn apply(&mut self, slot_action: SlotAction<W>) {
        let now = Instant::now();
        match slot_action {
            SlotAction::Release(slot) => self.schedule.leave(slot, now),
            SlotAction::Retry(start, pause) => self.schedule.try_again(start, pause, now),
        }
    }

    /// Nothing has happened for as long as was waited.
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

    /// How far the run is to stop, after the schedule's rule and the brake know of each other.
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

    /// Takes what is wanted of what the feeder has ready.
    fn pull(&mut self) {
        while self.input() == InputInterest::Wanted {
            match self.feed.take() {
                FeedPoll::Job(job) => self.schedule.add(job),
                FeedPoll::Nothing => return,
                FeedPoll::End => self.schedule.end_input(),
                // Not halted, and no more comes without an end: the iterator panicked. That is told once all that
                // came before it is done.
                FeedPoll::Gone if self.halt_signal.halt() == Halt::GoOn => self.schedule.end_input(),
                // Halted, the feeder pulls no further, and how much was left is not known.
                FeedPoll::Gone => {}
            }
        }
    }
}
