//! The gate that every start goes through, so that there can be a moment without any.
//! Knows nothing of what is started.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::halt::{Halt, HaltSignal};

/// A start is within the gate from before the child exists until it is on the roster, with descriptors of its own. In between it holds copies
/// of whatever descriptors its parent has, or is on no list.
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

/// Permission to start. Given back when it is dropped.
pub(crate) struct StartPermit<'a>(&'a StartGate);

/// Nobody gets a pass as long as this lives.
pub(crate) struct ClosedGate<'a>(&'a StartGate);

/// A start is within for about a millisecond. One that is long because a file server doesn't answer leaves by itself, once its child
/// holds nothing but its own; only on the lowest step it can't. One that takes this long must not hold up all others for ever.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a start that waits at the gate looks whether its run is halted. A descriptor to wait by would be one more in each run,
/// and only a run that somebody keeps stopped needs it.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

impl StartGate {
    /// Waits while the gate is closed; `None` where the run is halted meanwhile. The gate may be closed for as long as
    /// somebody keeps all jobs stopped, and a run that is told to end must not wait for him.
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

    /// Closes the gate and waits until nobody is within, or for as long as a start may take.
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
        // To wake nobody costs a system call too, and each start comes by here.
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;
    use crate::data::signal::Signal;

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
}
