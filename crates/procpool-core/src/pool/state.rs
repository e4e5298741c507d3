//! The state of a run, behind its one lock: what may start, what is done, what the feeder has ready.
//! Decides nothing (`schedule.rs` does), runs nothing and waits for nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::data::id::Slot;
use crate::data::job::Job;
use crate::halt::{Brake, Halt};
use crate::outcome::completion::Completion;
use crate::outcome::event::{Event, Retried};
use crate::outcome::snapshot::Snapshot;
use crate::outcome::{NotStarted, Outcome};
use crate::pool::feed::{Feed, Feeding, Taken};
use crate::pool::gauge::Gauge;
use crate::runner::moving_timeout::MovingTimeout;
use crate::schedule::{Schedule, Start, Verdict, Waiting};

/// See the head of this file.
pub(crate) struct State<W> {
    pub(crate) schedule: Schedule<W>,
    pub(crate) gauge: Gauge,
    /// `None` where no job's timeout follows from others.
    pub(crate) timeout: Option<Arc<MovingTimeout>>,
    pub(crate) brake: Arc<Brake>,
    pub(crate) feed: Feed<Job<W>>,
}

/// The state, for all who carry the run on. Nobody waits for anything while it is locked.
pub(crate) struct Shared<W>(Mutex<State<W>>);

/// What the dispatcher does next.
pub(crate) enum Move<W> {
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
    pub(crate) input: Input,
}

/// Whether the input is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    Wanted,
    /// There is no room for it, or no more will come.
    Unwanted,
}

/// What becomes of an attempt's slot once its end has been told.
pub(crate) enum Afterwards<W> {
    Leave(Slot),
    TryAgain(Start<W>, Duration),
}

impl<W> Shared<W> {
    pub(crate) fn new(state: State<W>) -> Shared<W> {
        Shared(Mutex::new(state))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State<W>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W> State<W> {
    pub(crate) fn next_move(&mut self) -> Move<W> {
        if let Some(start) = self.next_start() {
            return Move::Start(start, self.schedule.running());
        }
        let halt = self.halt();
        if halt != Halt::GoOn {
            // What was pulled already is taken too, to be given back.
            self.pull();
            if let Some(waiting) = self.schedule.give_up() {
                return Move::GiveUp(waiting);
            }
        }
        if self.is_over() {
            return Move::End;
        }
        Move::Wait(self.wait(halt))
    }

    /// Takes the next attempt that may start.
    pub(crate) fn next_start(&mut self) -> Option<Start<W>> {
        if self.halt() != Halt::GoOn {
            return None;
        }
        self.pull();
        // The end of the input may be what a rule waited for.
        self.halt();
        let now = Instant::now();
        if self.schedule.wants_reading(now) {
            self.schedule.note_reading(self.gauge.read(), now);
        }
        self.schedule.start(now)
    }

    /// An attempt has ended: what is told of it, and what is done once that has been told.
    pub(crate) fn conclude(&mut self, start: Start<W>, outcome: Outcome) -> (Event<W>, Afterwards<W>) {
        // An attempt that ends after the halt is the job's last.
        self.halt();
        let Start { seq, slot, attempt, .. } = start;
        let (event, afterwards) = match self.schedule.conclude(start, &outcome) {
            Verdict::Done(Start { job, .. }) => {
                let ran_in = match outcome {
                    Outcome::NotStarted(NotStarted::NeverReached) => None,
                    _ => Some(slot),
                };
                let completion = Completion { job, seq, slot: ran_in, attempt, outcome, node: None };
                (Event::Completed(completion), Afterwards::Leave(slot))
            }
            Verdict::Again(start, pause) => {
                let key = start.job.key.clone();
                let retried = Retried { key, seq, slot, attempt, outcome, pause, node: None };
                (Event::Retried(retried), Afterwards::TryAgain(start, pause))
            }
        };
        // Before the caller is told, which may take as long as it likes.
        self.halt();
        if let Some(timeout) = &self.timeout {
            timeout.set(self.schedule.timeout());
        }
        (event, afterwards)
    }

    /// The end of an attempt has been told.
    pub(crate) fn settle(&mut self, afterwards: Afterwards<W>) {
        let now = Instant::now();
        match afterwards {
            Afterwards::Leave(slot) => self.schedule.leave(slot, now),
            Afterwards::TryAgain(start, pause) => self.schedule.try_again(start, pause, now),
        }
    }

    /// Nothing has happened for as long as was waited.
    pub(crate) fn lose_patience(&mut self) {
        if self.brake.halt() != Halt::GoOn {
            self.feed.lose_patience();
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.schedule.snapshot(Instant::now())
    }

    fn is_over(&self) -> bool {
        match self.brake.halt() {
            Halt::GoOn => self.schedule.is_over(),
            _ => self.schedule.is_idle() && self.feed.state() != Feeding::Open,
        }
    }

    /// How far the run is to stop, after the schedule's rule and the brake know of each other.
    fn halt(&mut self) -> Halt {
        if let Some(halt) = self.schedule.take_halt() {
            self.brake.raise(halt);
        }
        let halt = self.brake.halt();
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

    fn input(&self) -> Input {
        let is_wanted = self.brake.halt() != Halt::GoOn || self.schedule.wants_input();
        match self.feed.state() {
            Feeding::Open if is_wanted => Input::Wanted,
            _ => Input::Unwanted,
        }
    }

    /// Takes what is wanted of what the feeder has ready.
    fn pull(&mut self) {
        while self.input() == Input::Wanted {
            match self.feed.take() {
                Taken::Job(job) => self.schedule.add(job),
                Taken::Nothing => return,
                Taken::End => self.schedule.end_input(),
                // Not halted, and no more comes without an end: the iterator panicked. That is told once all that
                // came before it is done.
                Taken::Gone if self.brake.halt() == Halt::GoOn => self.schedule.end_input(),
                // Halted, the feeder pulls no further, and how much was left is not known.
                Taken::Gone => {}
            }
        }
    }
}
