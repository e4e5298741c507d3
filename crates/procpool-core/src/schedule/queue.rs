//! What is known of the input: how much came, whether more may come, how much it is in all.
//! Knows nothing of where it comes from, nor of what becomes of it.
//! The jobs that wait to be started: those that came from the input, and those that wait for another attempt.
//! Knows nothing of slots, and not why a job has to wait.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::time::{Duration, Instant};

use crate::data::job::{Job, Seq};
use crate::outcome::snapshot::HeldUp;
use crate::schedule::pace::later;
use crate::schedule::policies::Positions;
use crate::schedule::random::SplitMix64;

/// The input of a run, seen from the schedule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input {
    next: Seq,
    /// How many jobs came: their positions may have gaps.
    jobs: u64,
    positions: Positions,
    state: InputState,
}

#[derive(Clone, Copy, Debug)]
enum InputState {
    /// More may come; how many in all, where the input said so.
    Open {
        expected: Option<u64>,
    },
    Ended,
}

impl Input {
    pub(crate) fn new(expected: Option<u64>, positions: Positions) -> Input {
        Input {
            next: Seq::FIRST,
            jobs: 0,
            positions,
            state: InputState::Open { expected },
        }
    }

    /// The position of a job that came, and may have said which it is.
    pub(crate) fn count(&mut self, position: Option<u64>) -> Seq {
        let seq = match self.positions {
            Positions::Rising => self.next.or_later(position),
            Positions::AsGiven => Seq::FIRST.or_later(position.or(Some(self.next.get()))),
        };
        self.next = self.next.max(seq.next());
        self.jobs += 1;
        seq
    }

    pub(crate) fn end(&mut self) {
        self.state = InputState::Ended;
    }

    pub(crate) fn is_open(self) -> bool {
        matches!(self.state, InputState::Open { .. })
    }

    /// How many jobs there are in all, where that is known.
    pub(crate) fn total(self) -> Option<u64> {
        match self.state {
            InputState::Open { expected } => expected,
            InputState::Ended => Some(self.jobs),
        }
    }
}

/// A job that was accepted and does not run.
#[derive(Debug)]
pub(crate) struct Waiting<W> {
    pub(crate) job: Job<W>,
    pub(crate) seq: Seq,
    /// The attempt that it waits for.
    pub(crate) attempt: u32,
    /// What kept it from its start last.
    pub(crate) held_up: Option<HeldUp>,
}

/// See the head of this file.
pub(crate) struct Queue<W> {
    new: VecDeque<Waiting<W>>,
    /// The one that is due first on top.
    again: BinaryHeap<Later<W>>,
}

struct Later<W> {
    due: Instant,
    waiting: Waiting<W>,
}

impl<W> Queue<W> {
    pub(crate) fn new() -> Queue<W> {
        Queue { new: VecDeque::new(), again: BinaryHeap::new() }
    }

    /// A job came from the input.
    pub(crate) fn add(&mut self, waiting: Waiting<W>) {
        self.new.push_back(waiting);
    }

    /// Puts those that came from the input into an order that follows from the seed and their number (Fisher and Yates).
    pub(crate) fn shuffle(&mut self, seed: u64) {
        let mut random = SplitMix64::new(seed);
        for last in (1..self.new.len()).rev() {
            // No number is likelier than another by more than their count in 2^64.
            let other = random.next() % (last as u64 + 1);
            self.new.swap(last, usize::try_from(other).expect("BUG: it is below a length"));
        }
    }

    /// A job is to be started again once `pause` has passed.
    pub(crate) fn add_again(&mut self, waiting: Waiting<W>, pause: Duration, now: Instant) {
        self.again.push(Later { due: later(now, pause), waiting });
    }

    /// When the next job may be started, as far as that is up to the queue.
    pub(crate) fn next_due(&self, now: Instant) -> Option<Instant> {
        let again = self.again.peek().map(|later| later.due);
        if self.new.is_empty() { again } else { Some(now) }
    }

    /// Nothing is started until then, and the job that is next by then was held up by that. It may become due only
    /// meanwhile: nobody looks again before the end of the hold.
    pub(crate) fn hold_up(&mut self, until: Instant, by: HeldUp) {
        match self.again.peek_mut() {
            Some(mut later) if later.due < until => later.waiting.held_up = Some(by),
            _ => {
                if let Some(waiting) = self.new.front_mut() {
                    waiting.held_up = Some(by);
                }
            }
        }
    }

    /// Takes the next job that may be started: one that is due again before one that is new.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Waiting<W>> {
        match self.again.peek() {
            Some(later) if later.due <= now => self.again.pop().map(|later| later.waiting),
            _ => self.new.pop_front(),
        }
    }

    /// Takes any job, due or not.
    pub(crate) fn give_up(&mut self) -> Option<Waiting<W>> {
        self.new.pop_front().or_else(|| self.again.pop().map(|later| later.waiting))
    }

    /// How many came from the input and wait for their first attempt.
    pub(crate) fn new_ones(&self) -> usize {
        self.new.len()
    }

    /// How many wait for another attempt.
    pub(crate) fn further_ones(&self) -> usize {
        self.again.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.new.is_empty() && self.again.is_empty()
    }
}

/// The greatest is the one that is due first; of those that are due together, the first in the input.
impl<W> Ord for Later<W> {
    fn cmp(&self, other: &Later<W>) -> Ordering {
        let place = |later: &Later<W>| (later.due, later.waiting.seq);
        place(other).cmp(&place(self))
    }
}

impl<W> PartialOrd for Later<W> {
    fn partial_cmp(&self, other: &Later<W>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<W> PartialEq for Later<W> {
    fn eq(&self, other: &Later<W>) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<W> Eq for Later<W> {}
