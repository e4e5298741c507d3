//! The slots of a run: which are free, which jobs hold the others, and for how long slots were in use.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use crate::data::job::{Key, Seq, Slot};
use crate::data::limit::Limit;
use crate::outcome::snapshot::Active;

/// The slots of a run. A job takes the lowest free one.
pub(crate) struct Slots {
    limit: Limit,
    /// Indexed by slot; grows to the highest number of slots in use at once.
    places: Vec<Option<Active>>,
    /// Free slots among `places`, the lowest on top.
    free: BinaryHeap<Reverse<Slot>>,
    taken: usize,
    /// How long slots were in use, without those in use now.
    busy: Duration,
}

impl Slots {
    pub(crate) fn new(limit: Limit) -> Slots {
        Slots {
            limit,
            places: Vec::new(),
            free: BinaryHeap::new(),
            taken: 0,
            busy: Duration::ZERO,
        }
    }

    pub(crate) fn limit(&self) -> Limit {
        self.limit
    }

    /// How many slots are in use.
    pub(crate) fn taken(&self) -> usize {
        self.taken
    }

    pub(crate) fn is_full(&self) -> bool {
        self.taken == self.limit.get()
    }

    /// Gives the lowest free slot to this attempt.
    pub(crate) fn take(&mut self, key: Key, seq: Seq, attempt: u32, now: Instant) -> Slot {
        assert!(!self.is_full(), "BUG: a job more than the limit");
        let slot = match self.free.pop() {
            Some(Reverse(slot)) => slot,
            None => {
                self.places.push(None);
                Slot::at(self.places.len() - 1)
            }
        };
        self.places[slot.index()] = Some(Active { key, seq, slot, attempt, since: now, node: None });
        self.taken += 1;
        slot
    }

    /// Frees a slot whose job has ended.
    pub(crate) fn release(&mut self, slot: Slot, now: Instant) {
        let active = self.places[slot.index()].take();
        let active = active.unwrap_or_else(|| panic!("BUG: slot {slot} finished without a job"));
        self.busy += now.saturating_duration_since(active.since);
        self.free.push(Reverse(slot));
        self.taken -= 1;
    }

    /// The running jobs, by slot.
    pub(crate) fn active(&self) -> impl Iterator<Item = &Active> {
        self.places.iter().flatten()
    }

    /// The sum of the times that slots were in use until now.
    pub(crate) fn busy(&self, now: Instant) -> Duration {
        self.busy + self.active().map(|active| now.saturating_duration_since(active.since)).sum::<Duration>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(limit: usize) -> Slots {
        Slots::new(Limit::new(limit).unwrap())
    }

    fn take(slots: &mut Slots, now: Instant) -> usize {
        slots.take(Key::from("key"), Seq::FIRST, 1, now).get()
    }

    #[test]
    fn the_lowest_free_slot_is_taken() {
        let mut slots = slots(3);
        let now = Instant::now();
        assert_eq!([(); 3].map(|()| take(&mut slots, now)), [1, 2, 3]);
        assert!(slots.is_full());
        slots.release(Slot::at(2), now);
        slots.release(Slot::at(0), now);
        assert_eq!([(); 2].map(|()| take(&mut slots, now)), [1, 3]);
    }

    #[test]
    fn what_was_taken_and_what_is_taken_both_count_as_busy() {
        let mut slots = slots(2);
        let begin = Instant::now();
        let after = |seconds| begin + Duration::from_secs(seconds);
        take(&mut slots, begin);
        take(&mut slots, after(2));
        slots.release(Slot::at(0), after(5));
        assert_eq!(slots.busy(after(6)), Duration::from_secs(5 + 4));
        slots.release(Slot::at(1), after(7));
        assert_eq!(slots.busy(after(100)), Duration::from_secs(5 + 5));
    }
}
