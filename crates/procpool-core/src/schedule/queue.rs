//! The jobs that wait to be started: new ones from the input, and failed ones that wait for a retry; and how many jobs
//! the input has brought and will bring.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::time::{Duration, Instant};

use crate::data::job::{Job, Seq};
use crate::outcome::snapshot::HeldUp;
use crate::schedule::admission::later;
use crate::schedule::policies::Positions;
use crate::schedule::random::SplitMix64;

/// The progress of the input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input {
    next: Seq,
    /// How many jobs came. Differs from the last position if positions have gaps.
    jobs: u64,
    positions: Positions,
    state: InputState,
}

#[derive(Clone, Copy, Debug)]
enum InputState {
    /// More may come. `expected` is the number of all jobs, if the input declared it.
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

    /// Counts a job, and returns its seq, given the position that it may bring.
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

    /// The number of all jobs, if it is known.
    pub(crate) fn total(self) -> Option<u64> {
        match self.state {
            InputState::Open { expected } => expected,
            InputState::Ended => Some(self.jobs),
        }
    }
}

/// An accepted job that does not run.
#[derive(Debug)]
pub(crate) struct Waiting<W> {
    pub(crate) job: Job<W>,
    pub(crate) seq: Seq,
    /// The number of its next attempt.
    pub(crate) attempt: u32,
    /// What last prevented its start.
    pub(crate) held_up: Option<HeldUp>,
}

/// All waiting jobs.
pub(crate) struct Queue<W> {
    new: VecDeque<Waiting<W>>,
    /// Jobs that wait for a retry; the one that is due first on top.
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

    /// Adds a job that came from the input.
    pub(crate) fn add(&mut self, waiting: Waiting<W>) {
        self.new.push_back(waiting);
    }

    /// Shuffles the new jobs, reproducibly for the same seed and number of jobs (Fisher and Yates).
    pub(crate) fn shuffle(&mut self, seed: u64) {
        let mut random = SplitMix64::new(seed);
        for last in (1..self.new.len()).rev() {
            // The bias of the remainder is below the number of jobs in 2^64.
            let other = random.next() % (last as u64 + 1);
            self.new.swap(last, usize::try_from(other).expect("BUG: it is below a length"));
        }
    }

    /// Adds a job that is to be retried after `pause`.
    pub(crate) fn add_again(&mut self, waiting: Waiting<W>, pause: Duration, now: Instant) {
        self.again.push(Later { due: later(now, pause), waiting });
    }

    /// When the next job is due, apart from policies.
    pub(crate) fn next_due(&self, now: Instant) -> Option<Instant> {
        let again = self.again.peek().map(|later| later.due);
        if self.new.is_empty() { again } else { Some(now) }
    }

    /// Records that `by` prevents starts until then, on the job that will be next at that time. It may become due only in the
    /// meantime, because nobody looks at the queue before the end of the hold.
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

    /// Takes the next job that is due. Retries go before new jobs.
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

    /// The number of jobs that wait for their first attempt.
    pub(crate) fn new_ones(&self) -> usize {
        self.new.len()
    }

    /// The number of jobs that wait for a retry.
    pub(crate) fn further_ones(&self) -> usize {
        self.again.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.new.is_empty() && self.again.is_empty()
    }
}

/// Orders the heap: the greatest is the one that is due first, and among equal ones the first in the input.
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
