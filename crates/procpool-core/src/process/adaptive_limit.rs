//! How many jobs may be under way where the machine has no room for more: fewer for a while.
//! Knows nothing of what is missing, or of how a job is started.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Shared by all who start jobs.
#[derive(Default)]
pub(crate) struct AdaptiveLimit {
    under_way: AtomicUsize,
    bound: Mutex<Bound>,
    /// Who wants to know of the first shortage.
    callback: OnceLock<ShortageCallback>,
}

pub(crate) type ShortageCallback = Box<dyn Fn(&io::Error) + Send + Sync>;

/// A place among those under way, from before the start to the end; given back when it is dropped.
pub(crate) struct LimitPermit<'a>(&'a AdaptiveLimit);

/// The pure part: how many may be under way at a time.
#[derive(Debug)]
struct Bound {
    most: usize,
    /// When there may be more again.
    rises: Option<Instant>,
    shortages: u64,
}

/// After a shortage the bound stays this long, and as long after each rise by a quarter.
const WHILE: Duration = Duration::from_millis(250);

impl Default for Bound {
    fn default() -> Bound {
        Bound { most: usize::MAX, rises: None, shortages: 0 }
    }
}

impl Bound {
    fn admit(&mut self, under_way: usize, now: Instant) -> bool {
        if self.rises.is_some_and(|rises| now >= rises) {
            self.most = self.most.saturating_add(self.most / 4 + 1);
            self.rises = Some(now + WHILE);
        }
        under_way < self.most
    }

    /// Says whether this is the first shortage of all.
    fn fall_to(&mut self, under_way: usize, now: Instant) -> bool {
        // One is tried whatever happens: who else would find out that there is room again?
        self.most = under_way.max(1);
        self.rises = Some(now + WHILE);
        self.shortages += 1;
        self.shortages == 1
    }
}

impl AdaptiveLimit {
    /// The first shortage is told to `callback`, once; only the first witness counts.
    pub(crate) fn tell(&self, callback: ShortageCallback) {
        let _ = self.callback.set(callback);
    }

    /// A place, unless as many are under way as may be.
    pub(crate) fn take(&self) -> Option<LimitPermit<'_>> {
        let mut bound = self.bound();
        let admitted = bound.admit(self.under_way(), Instant::now());
        admitted.then(|| {
            self.under_way.fetch_add(1, Ordering::Relaxed);
            LimitPermit(self)
        })
    }

    /// The machine had no room for one more than are under way now.
    pub(crate) fn note_shortage(&self, error: &io::Error) {
        let is_first = self.bound().fall_to(self.under_way(), Instant::now());
        if let (true, Some(callback)) = (is_first, self.callback.get()) {
            callback(error);
        }
    }

    pub(crate) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    fn bound(&self) -> MutexGuard<'_, Bound> {
        self.bound.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LimitPermit<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn without_a_shortage_there_is_no_bound() {
        assert!(Bound::default().admit(1_000_000, Instant::now()));
    }

    #[test]
    fn after_a_shortage_no_more_start_than_had_room_and_then_more_and_more() {
        let now = Instant::now();
        let mut bound = Bound::default();
        bound.fall_to(8, now);
        assert!(bound.admit(7, now));
        assert!(!bound.admit(8, now));
        assert!(bound.admit(10, now + WHILE));
        assert!(!bound.admit(11, now + WHILE));
        assert!(bound.admit(11, now + 2 * WHILE));
    }

    #[test]
    fn one_may_always_be_tried() {
        let now = Instant::now();
        let mut bound = Bound::default();
        bound.fall_to(0, now);
        assert!(bound.admit(0, now));
        assert!(!bound.admit(1, now));
    }

    #[test]
    fn the_first_shortage_is_told_and_no_other() {
        let room = AdaptiveLimit::default();
        let told = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&told);
        room.tell(Box::new(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
        }));
        let error = io::Error::from_raw_os_error(libc::EAGAIN);
        let place = room.take().unwrap();
        room.note_shortage(&error);
        room.note_shortage(&error);
        assert_eq!(told.load(Ordering::Relaxed), 1);
        assert!(room.take().is_none());
        drop(place);
        assert!(room.take().is_some());
    }
}
