//! Decides what may start now, in which slot, and when all is over: a pure state machine.
//! Knows no clock (it is told the time), no thread, no channel, no process.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Instant;

use crate::id::{Seq, Slot};
use crate::key::Key;
use crate::limit::Limit;
use crate::snapshot::{Active, Pending, Snapshot};

/// The state of a run: what waits, what runs where, what is done. Its one owner is the dispatcher.
///
/// `J` is a job; all that the schedule wants of it is its key.
pub(crate) struct Schedule<J> {
    limit: Limit,
    input: Input,
    next_seq: Seq,
    waiting: VecDeque<Waiting<J>>,
    /// Indexed by slot; grows to the number of slots that were ever in use at once.
    slots: Vec<Option<Active>>,
    /// Free ones among `slots`, the lowest on top.
    free: BinaryHeap<Reverse<Slot>>,
    running: usize,
    completed: u64,
}

/// A job that may start now: everything that identifies the attempt.
#[derive(Debug)]
pub(crate) struct Start<J> {
    pub(crate) job: J,
    pub(crate) seq: Seq,
    pub(crate) slot: Slot,
    pub(crate) attempt: u32,
}

/// A job that was accepted and has not been started.
#[derive(Debug)]
pub(crate) struct Waiting<J> {
    pub(crate) job: J,
    pub(crate) seq: Seq,
    pub(crate) attempt: u32,
}

#[derive(Clone, Copy)]
enum Input {
    /// More may come; how many in all, where the input said so.
    Open {
        expected: Option<u64>,
    },
    Ended,
}

impl<J> Schedule<J> {
    /// `expected` is the number of jobs that the input will bring, where that is known.
    pub(crate) fn new(limit: Limit, expected: Option<u64>) -> Schedule<J> {
        Schedule {
            limit,
            input: Input::Open { expected },
            next_seq: Seq::FIRST,
            waiting: VecDeque::new(),
            slots: Vec::new(),
            free: BinaryHeap::new(),
            running: 0,
            completed: 0,
        }
    }

    /// Whether a job that came now could start now. Nothing is pulled from the input before that: this
    /// is what keeps a million jobs in flat memory.
    pub(crate) fn wants_input(&self) -> bool {
        matches!(self.input, Input::Open { .. }) && self.waiting.len() + self.running < self.limit.get()
    }

    /// Accepts a job from the input. From here on it is owed exactly one completion.
    pub(crate) fn add(&mut self, job: J) {
        let seq = self.next_seq;
        self.next_seq = seq.next();
        self.waiting.push_back(Waiting { job, seq, attempt: 1 });
    }

    /// The input has no more jobs.
    pub(crate) fn end_input(&mut self) {
        self.input = Input::Ended;
    }

    /// Takes the next job that may start, and gives it the lowest free slot. `key` tells a job's key.
    pub(crate) fn start(&mut self, now: Instant, key: impl Fn(&J) -> Key) -> Option<Start<J>> {
        if self.running == self.limit.get() {
            return None;
        }
        let Waiting { job, seq, attempt } = self.waiting.pop_front()?;
        let slot = match self.free.pop() {
            Some(Reverse(slot)) => slot,
            None => {
                self.slots.push(None);
                Slot::at(self.slots.len() - 1)
            }
        };
        self.slots[slot.index()] = Some(Active { key: key(&job), seq, slot, attempt, since: now });
        self.running += 1;
        Some(Start { job, seq, slot, attempt })
    }

    /// The job in this slot has ended.
    pub(crate) fn finish(&mut self, slot: Slot) {
        let active = self.slots[slot.index()].take();
        assert!(active.is_some(), "BUG: slot {slot} finished without a job");
        self.free.push(Reverse(slot));
        self.running -= 1;
        self.completed += 1;
    }

    /// Takes the next job that was accepted and will never start, because the run was halted.
    pub(crate) fn give_up(&mut self) -> Option<Waiting<J>> {
        let waiting = self.waiting.pop_front()?;
        self.completed += 1;
        Some(waiting)
    }

    /// How many jobs run.
    pub(crate) fn running(&self) -> usize {
        self.running
    }

    /// Whether nothing that was accepted is left to do. More may still come from an open input.
    pub(crate) fn is_idle(&self) -> bool {
        self.running == 0 && self.waiting.is_empty()
    }

    /// Whether nothing is left to do and nothing will come.
    pub(crate) fn is_over(&self) -> bool {
        self.is_idle() && matches!(self.input, Input::Ended)
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let waiting = self.waiting.len() as u64;
        Snapshot {
            limit: self.limit,
            pending: match self.input {
                Input::Ended => Pending::Exactly(waiting),
                Input::Open { expected: None } => Pending::AtLeast(waiting),
                Input::Open { expected: Some(expected) } => {
                    Pending::Exactly(expected.saturating_sub(self.completed + self.running as u64))
                }
            },
            active: self.slots.iter().flatten().cloned().collect(),
            completed: self.completed,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn schedule(limit: usize, expected: Option<u64>) -> Schedule<u64> {
        Schedule::new(Limit::new(limit).unwrap(), expected)
    }

    fn start(schedule: &mut Schedule<u64>) -> Option<Start<u64>> {
        schedule.start(Instant::now(), |job| Key::from(job.to_string()))
    }

    #[test]
    fn the_lowest_free_slot_is_taken() {
        let mut schedule = schedule(3, None);
        (0..5).for_each(|job| schedule.add(job));
        let slots: Vec<_> =
            std::iter::from_fn(|| start(&mut schedule).map(|start| start.slot.get())).collect();
        assert_eq!(slots, [1, 2, 3]);
        schedule.finish(Slot::at(2));
        schedule.finish(Slot::at(0));
        assert_eq!(start(&mut schedule).unwrap().slot.get(), 1);
        assert_eq!(start(&mut schedule).unwrap().slot.get(), 3);
    }

    #[test]
    fn nothing_is_wanted_from_the_input_while_all_slots_are_taken() {
        let mut schedule = schedule(1, None);
        assert!(schedule.wants_input());
        schedule.add(1);
        assert!(!schedule.wants_input());
        let slot = start(&mut schedule).unwrap().slot;
        assert!(!schedule.wants_input());
        schedule.finish(slot);
        assert!(schedule.wants_input());
        schedule.end_input();
        assert!(!schedule.wants_input());
        assert!(schedule.is_over());
    }

    #[test]
    fn a_snapshot_tells_pending_exactly_where_the_input_said_how_long_it_is() {
        let mut known = schedule(2, Some(5));
        known.add(1);
        start(&mut known).unwrap();
        let snapshot = known.snapshot();
        assert_eq!(snapshot.pending, Pending::Exactly(4));
        assert!(!snapshot.is_limit_reached());
        assert_eq!(snapshot.active[0].slot.get(), 1);

        let mut open = schedule(2, None);
        open.add(1);
        assert_eq!(open.snapshot().pending, Pending::AtLeast(1));
        open.end_input();
        assert_eq!(open.snapshot().pending, Pending::Exactly(1));
    }

    proptest! {
        /// Whatever the order in which jobs come and end: never more than the limit at once, nobody
        /// shares a slot, nothing is lost, nothing starts twice, the order of the input is kept.
        #[test]
        fn whatever_happens_the_limit_holds_and_nothing_is_lost(
            limit in 1_usize..6,
            choices in proptest::collection::vec(any::<usize>(), 1..200),
        ) {
            let mut schedule = schedule(limit, None);
            let mut running: Vec<(Seq, Slot)> = Vec::new();
            let (mut added, mut started) = (0_u64, 0_u64);
            for choice in choices {
                match choice % 3 {
                    0 => { schedule.add(added); added += 1; }
                    1 => if let Some(start) = start(&mut schedule) {
                        prop_assert_eq!(start.job, started);
                        started += 1;
                        prop_assert_eq!(start.seq.get(), started);
                        prop_assert!(start.slot.get() <= limit);
                        prop_assert!(running.iter().all(|(_, slot)| *slot != start.slot));
                        running.push((start.seq, start.slot));
                    } else {
                        prop_assert!(running.len() == limit || started == added);
                    },
                    _ => if !running.is_empty() {
                        let (_, slot) = running.swap_remove(choice / 3 % running.len());
                        schedule.finish(slot);
                    },
                }
                prop_assert!(running.len() <= limit);
                let snapshot = schedule.snapshot();
                prop_assert_eq!(snapshot.active.len(), running.len());
                prop_assert_eq!(snapshot.completed, started - running.len() as u64);
                prop_assert_eq!(snapshot.pending, Pending::AtLeast(added - started));
            }
            schedule.end_input();
            while started > 0 && !running.is_empty() {
                let (_, slot) = running.pop().unwrap();
                schedule.finish(slot);
            }
            let given_up = std::iter::from_fn(|| schedule.give_up()).count() as u64;
            prop_assert_eq!(given_up, added - started);
            prop_assert!(schedule.is_over());
        }
    }
}
