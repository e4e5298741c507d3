//! Decides what may start now and in which slot, what is retried, and when the run is over: a pure state machine. It
//! is given the time and has no thread, channel or process, so tests can run it through any sequence of events.

pub(crate) mod admission;
pub(crate) mod policies;
mod queue;
mod random;
pub(crate) mod retries;
mod slots;
#[cfg(test)]
mod tests;
mod typical;

use std::time::{Duration, Instant};

use crate::data::job::{Job, Seq, Slot};
use crate::data::limit::Limit;
use crate::halt::Halt;
use crate::halt::rule::{HaltCounts, HaltRule};
use crate::outcome::snapshot::{HeldUp, Pending, Snapshot};
use crate::outcome::{End, NotStarted, Outcome};
use crate::schedule::admission::{Admission, Pace, Reading};
use crate::schedule::policies::Policies;
use crate::schedule::queue::{Input, Queue};
use crate::schedule::retries::Retries;
use crate::schedule::slots::Slots;
use crate::schedule::typical::TypicalTime;

pub(crate) use crate::schedule::queue::Waiting;

/// Which jobs wait, which run in which slot, and how many are done. Owned by the state of the run.
pub(crate) struct Schedule<W> {
    input: Input,
    queue: Queue<W>,
    slots: Slots,
    pace: Pace,
    admission: Admission,
    retries: Retries,
    halt_rule: Option<HaltRule>,
    counts: HaltCounts,
    typical: Option<TypicalTime>,
    shuffle: Option<u64>,
    progress: Progress,
    /// Whether all of the input is wanted at once, although little of it can start.
    reads_ahead: bool,
    completed: u64,
}

/// Whether the run has been halted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    GoesOn,
    /// Halted from outside: nothing is started or retried.
    Halted,
    /// Halted because its rule was reached. Contains the halt level until [`take_halt`](Schedule::take_halt) takes it.
    Reached(Option<Halt>),
}

/// An attempt that may start now.
#[derive(Debug)]
pub(crate) struct Start<W> {
    pub(crate) job: Job<W>,
    pub(crate) seq: Seq,
    pub(crate) slot: Slot,
    pub(crate) attempt: u32,
    /// What last prevented its start although a slot was free.
    pub(crate) held_up: Option<HeldUp>,
}

/// What follows from the end of an attempt.
#[derive(Debug)]
pub(crate) enum Verdict<W> {
    /// The job is done.
    Done(Start<W>),
    /// The job is to be retried after this pause.
    Again(Start<W>, Duration),
}

impl<W> Schedule<W> {
    /// `expected` is the number of jobs that the input will bring, if it is known.
    pub(crate) fn new(limit: Limit, expected: Option<u64>, policies: Policies) -> Schedule<W> {
        Schedule {
            input: Input::new(expected, policies.positions),
            queue: Queue::new(),
            slots: Slots::new(limit),
            pace: Pace::new(policies.delay),
            admission: Admission::new(policies.admission),
            typical: policies.timeout_percent.map(TypicalTime::new),
            shuffle: policies.shuffle,
            retries: policies.retries,
            reads_ahead: policies.shuffle.is_some()
                || (expected.is_none() && policies.halt_rule.is_some_and(HaltRule::needs_total)),
            halt_rule: policies.halt_rule,
            counts: HaltCounts::default(),
            progress: Progress::GoesOn,
            completed: 0,
        }
    }

    /// Whether another job is wanted from the input: one that could start now, or any if all must be known first. Pulling
    /// nothing else keeps memory flat for a list of a million jobs.
    pub(crate) fn wants_input(&self) -> bool {
        let has_room = self.queue.new_ones() + self.slots.taken() < self.slots.limit().get();
        self.input.is_open() && (has_room || self.reads_ahead)
    }

    /// Accepts a job from the input. From now on the run owes it exactly one completion.
    pub(crate) fn add(&mut self, job: Job<W>) {
        let seq = self.input.count(job.position);
        self.queue.add(Waiting { job, seq, attempt: 1, held_up: None });
    }

    /// Declares the end of the input.
    pub(crate) fn end_input(&mut self) {
        if let (Some(seed), true) = (self.shuffle, self.input.is_open()) {
            self.queue.shuffle(seed);
        }
        self.input.end();
        self.judge();
    }

    /// Whether [`start`](Schedule::start) needs a [`Reading`] of the machine first.
    pub(crate) fn wants_reading(&self, now: Instant) -> bool {
        self.admission.wants_reading(now) && self.is_next_due(now) && self.pace.holds_until(now).is_none()
    }

    pub(crate) fn note_reading(&mut self, reading: Reading, now: Instant) {
        self.admission.note_reading(reading, now);
    }

    /// Takes the next attempt that may start, and gives it the lowest free slot.
    pub(crate) fn start(&mut self, now: Instant) -> Option<Start<W>> {
        if !self.may_start() {
            return None;
        }
        if self.pace.holds_until(now).is_some() || self.admission.is_closed() {
            self.note_hold(now);
            return None;
        }
        let Waiting { job, seq, attempt, held_up } = self.queue.pop(now)?;
        let slot = self.slots.take(job.key.clone(), seq, attempt, now);
        self.pace.note_start(now);
        self.admission.note_start(now);
        Some(Start { job, seq, slot, attempt, held_up })
    }

    /// Records on the next job that a policy prevented its start although a slot was free.
    fn note_hold(&mut self, now: Instant) {
        let until = self.pace.holds_until(now).or_else(|| self.admission.next_reading());
        if let (Some(until), Some(by)) = (until, self.held_by(now)) {
            self.queue.hold_up(until, by);
        }
    }

    /// When [`start`](Schedule::start) has to be called again even if nothing happens.
    pub(crate) fn next_wake(&self, now: Instant) -> Option<Instant> {
        if !self.may_start() {
            return None;
        }
        let due = self.queue.next_due(now)?;
        let held_until = self.pace.holds_until(now).max(self.admission.next_reading());
        Some(held_until.map_or(due, |until| until.max(due)))
    }

    fn may_start(&self) -> bool {
        let has_order = self.shuffle.is_none() || !self.input.is_open();
        self.progress == Progress::GoesOn && !self.slots.is_full() && has_order
    }

    /// Whether nothing but a policy can prevent the next start.
    fn is_next_due(&self, now: Instant) -> bool {
        self.may_start() && self.queue.next_due(now).is_some_and(|due| due <= now)
    }

    fn held_up(&self, now: Instant) -> Option<HeldUp> {
        if self.is_next_due(now) { self.held_by(now) } else { None }
    }

    /// The policy that prevents the next start, if one does.
    fn held_by(&self, now: Instant) -> Option<HeldUp> {
        let by_pace = self.pace.holds_until(now).map(|_| HeldUp::Delay);
        by_pace.or_else(|| self.admission.held_up_by())
    }

    /// The timeout of jobs without one of their own; `None` if it is not known yet, or if there is none.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.typical.as_ref().and_then(TypicalTime::timeout)
    }

    /// Judges an attempt that has ended. Its slot stays in use until [`leave`](Schedule::leave) or
    /// [`try_again`](Schedule::try_again): the caller is told in between, which may take long, and until then nothing starts in
    /// the slot.
    pub(crate) fn conclude(&mut self, start: Start<W>, outcome: &Outcome) -> Verdict<W> {
        let Start { job, seq, attempt, .. } = &start;
        let pause = match self.progress {
            Progress::GoesOn => self.retries.pause_after(*attempt, job.retries, *seq, outcome),
            Progress::Halted | Progress::Reached(_) => None,
        };
        if let Some(pause) = pause {
            return Verdict::Again(start, pause);
        }
        self.count(outcome);
        Verdict::Done(start)
    }

    /// Frees the slot of a job that is done.
    pub(crate) fn leave(&mut self, slot: Slot, now: Instant) {
        self.slots.release(slot, now);
        self.completed += 1;
    }

    /// Frees the slot of a job that waits for its next attempt.
    pub(crate) fn try_again(&mut self, start: Start<W>, pause: Duration, now: Instant) {
        let Start { job, seq, slot, attempt, .. } = start;
        self.slots.release(slot, now);
        self.queue.add_again(Waiting { job, seq, attempt: attempt + 1, held_up: None }, pause, now);
    }

    /// Counts the outcome for the halt rule, unless the run ended the job or never reached it.
    fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Ran(ran) if matches!(ran.end, End::Stopped(_)) => return,
            Outcome::NotStarted(NotStarted::NeverReached) => return,
            Outcome::Ran(ran) if outcome.is_success() => {
                self.counts.succeeded += 1;
                if let Some(typical) = &mut self.typical {
                    typical.note(ran.elapsed);
                }
            }
            _ => self.counts.failed += 1,
        }
        self.judge();
    }

    fn judge(&mut self) {
        if let Some(rule) = self.halt_rule {
            let may_be_reached = !matches!(self.progress, Progress::Reached(_));
            if may_be_reached && rule.is_reached(self.counts, self.input.total()) {
                self.progress = Progress::Reached(Some(rule.halt()));
            }
        }
    }

    /// The level to which the run is to be halted because its rule was reached. Returned once.
    pub(crate) fn take_halt(&mut self) -> Option<Halt> {
        match &mut self.progress {
            Progress::Reached(halt) => halt.take(),
            Progress::GoesOn | Progress::Halted => None,
        }
    }

    /// Records that the run was halted from outside.
    pub(crate) fn halt(&mut self) {
        if self.progress == Progress::GoesOn {
            self.progress = Progress::Halted;
        }
    }

    /// After a halt: takes the next accepted job that will not be started or retried any more.
    pub(crate) fn give_up(&mut self) -> Option<Waiting<W>> {
        let waiting = self.queue.give_up()?;
        self.completed += 1;
        Some(waiting)
    }

    /// Whether jobs wait although a slot is free: for their pause, for a policy, or just to be started.
    pub(crate) fn leaves_work(&self) -> bool {
        !self.slots.is_full() && !self.queue.is_empty()
    }

    /// The number of running jobs.
    pub(crate) fn running(&self) -> usize {
        self.slots.taken()
    }

    /// Whether no accepted job is left. An open input may still bring more.
    pub(crate) fn is_idle(&self) -> bool {
        self.slots.taken() == 0 && self.queue.is_empty()
    }

    /// Whether no job is left and none will come.
    pub(crate) fn is_over(&self) -> bool {
        self.is_idle() && !self.input.is_open()
    }

    pub(crate) fn snapshot(&self, now: Instant) -> Snapshot {
        let further = self.queue.further_ones() as u64;
        let known = self.completed + self.slots.taken() as u64;
        let total = self.input.total();
        Snapshot {
            limit: self.slots.limit(),
            total,
            pending: match total {
                Some(total) => Pending::Exactly(total.saturating_sub(known)),
                None => Pending::AtLeast(self.queue.new_ones() as u64 + further),
            },
            retrying: further,
            active: self.slots.active().cloned().collect(),
            completed: self.completed,
            held_up: self.held_up(now),
            reached: self.halt_rule.filter(|_| matches!(self.progress, Progress::Reached(_))),
            busy: self.slots.busy(now),
            elsewhere: None,
        }
    }
}
