//! What every start has to pass: a limit that adapts to shortages of the machine, and a gate that can be closed for
//! moments in which no process is being started.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::halt::{Halt, HaltSignal};

/// A start is inside the gate from before the child exists until it is on the roster and has closed all inherited
/// descriptors. Until then it holds copies of whatever descriptors its parent has, and can't be signalled by way of the roster.
#[derive(Default)]
pub(crate) struct StartGate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Default)]
struct GateState {
    starting: usize,
    closed_by: usize,
}

/// Permission to start a process; given back on drop.
pub(crate) struct StartPermit<'a>(&'a StartGate);

/// While this lives, no start gets a permit.
pub(crate) struct ClosedGate<'a>(&'a StartGate);

/// A start takes about a millisecond. One that hangs, because a file server doesn't answer, leaves the gate itself once its
/// child has closed all inherited descriptors; only `posix_spawn` can't do that. After this time it no longer delays others.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a start that waits at the gate checks whether its run is halted. A descriptor to wait for would be one
/// more in each run, and only a run that somebody keeps stopped needs it.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

impl StartGate {
    /// Waits while the gate is closed. `None` if the run is halted meanwhile: the gate stays closed as long as
    /// somebody keeps all jobs stopped, and a run that is told to end must not wait for that.
    pub(crate) fn pass(&self, halt_signal: &HaltSignal) -> Option<StartPermit<'_>> {
        let mut state = self.state();
        while state.closed_by > 0 {
            if halt_signal.halt() != Halt::GoOn {
                return None;
            }
            state = self.changed.wait_timeout(state, LOOK_AGAIN).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.starting += 1;
        Some(StartPermit(self))
    }

    /// Closes the gate and waits until no start is inside, at most for [`PATIENCE`].
    pub(crate) fn close(&self) -> ClosedGate<'_> {
        let mut state = self.state();
        state.closed_by += 1;
        let waited = self.changed.wait_timeout_while(state, PATIENCE, |state| state.starting > 0);
        drop(waited);
        ClosedGate(self)
    }

    fn state(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for StartPermit<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.starting -= 1;
        // A notify costs a system call even if nobody waits, and each start comes by here.
        if state.closed_by > 0 {
            self.0.changed.notify_all();
        }
    }
}

impl Drop for ClosedGate<'_> {
    fn drop(&mut self) {
        self.0.state().closed_by -= 1;
        self.0.changed.notify_all();
    }
}

/// Limits the number of running jobs after the machine had no room for another one. Shared by all starts of a runner.
#[derive(Default)]
pub(crate) struct AdaptiveLimit {
    under_way: AtomicUsize,
    bound: Mutex<Bound>,
    /// Called on the first shortage.
    callback: OnceLock<ShortageCallback>,
}

pub(crate) type ShortageCallback = Box<dyn Fn(&io::Error) + Send + Sync>;

/// Counts as one running job, from before its start to its end; given back on drop.
pub(crate) struct LimitPermit<'a>(&'a AdaptiveLimit);

/// The pure part: how many jobs may run at a time.
#[derive(Debug)]
struct Bound {
    most: usize,
    /// When `most` may rise again.
    rises: Option<Instant>,
    shortages: u64,
}

/// How long the bound stays after a shortage, and after each rise by a quarter.
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

    /// Lowers the bound. Returns whether this is the first shortage.
    fn fall_to(&mut self, under_way: usize, now: Instant) -> bool {
        // One is always allowed: nothing else would find out that there is room again.
        self.most = under_way.max(1);
        self.rises = Some(now + WHILE);
        self.shortages += 1;
        self.shortages == 1
    }
}

impl AdaptiveLimit {
    /// Sets the callback for the first shortage. Only the first callback counts.
    pub(crate) fn set_callback(&self, callback: ShortageCallback) {
        let _ = self.callback.set(callback);
    }

    /// A permit, unless as many jobs run as may.
    pub(crate) fn take(&self) -> Option<LimitPermit<'_>> {
        let mut bound = self.bound();
        let admitted = bound.admit(self.under_way(), Instant::now());
        admitted.then(|| {
            self.under_way.fetch_add(1, Ordering::Relaxed);
            LimitPermit(self)
        })
    }

    /// Records that the machine had no room for more jobs than run now, and calls the callback on the first shortage.
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
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;
    use crate::data::status::Signal;

    #[test]
    fn who_closes_it_waits_for_those_within_and_holds_up_all_others() {
        let (gate, halt_signal) = (StartGate::default(), HaltSignal::new().unwrap());
        let starting = AtomicBool::new(true);
        let pass = gate.pass(&halt_signal);
        thread::scope(|scope| {
            let closer = scope.spawn(|| {
                let closed = gate.close();
                assert!(!starting.load(Ordering::SeqCst));
                closed
            });
            while gate.state().closed_by == 0 {
                thread::yield_now();
            }
            let other = scope.spawn(|| {
                let _pass = gate.pass(&halt_signal).unwrap();
                assert!(!starting.load(Ordering::SeqCst));
            });
            starting.store(false, Ordering::SeqCst);
            drop(pass);
            drop(closer.join().unwrap());
            other.join().unwrap();
        });
    }

    #[test]
    fn who_waits_at_it_is_let_go_by_each_halt_and_by_no_opening_but_the_last() {
        for halt in [Halt::Drain, Halt::Stop(Signal::TERM), Halt::Kill] {
            let (gate, halt_signal) = (StartGate::default(), HaltSignal::new().unwrap());
            let (first, _last) = (gate.close(), gate.close());
            thread::scope(|scope| {
                let waits = scope.spawn(|| gate.pass(&halt_signal).is_none());
                drop(first);
                halt_signal.raise(halt);
                assert!(waits.join().unwrap(), "{halt:?}");
            });
        }
    }

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
        let limit = AdaptiveLimit::default();
        let calls = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&calls);
        limit.set_callback(Box::new(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
        }));
        let error = io::Error::from_raw_os_error(libc::EAGAIN);
        let place = limit.take().unwrap();
        limit.note_shortage(&error);
        limit.note_shortage(&error);
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        assert!(limit.take().is_none());
        drop(place);
        assert!(limit.take().is_some());
    }
}
