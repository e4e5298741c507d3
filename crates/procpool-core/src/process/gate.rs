//! The gate that every start goes through, so that there can be a moment without any.
//! Knows nothing of what is started.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::halt::{Brake, Halt};
use crate::sys::{self, Event};

/// A start is within the gate from before the child exists until it is on the roster. In between it holds copies
/// of whatever descriptors its parent has, or is on no list.
#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    within: usize,
    closed_by: usize,
    /// Raised when the gate is opened, for those who wait for that; made by the first of them.
    opening: Option<Arc<Event>>,
}

/// Permission to start. Given back when it is dropped.
pub(crate) struct Pass<'a>(&'a Gate);

/// Nobody gets a pass as long as this lives.
pub(crate) struct Closed<'a>(&'a Gate);

/// A start takes about a millisecond, and over a second where the machine is busy enough. One that takes this long
/// hangs, on a file server maybe, and must not hold up all others for ever.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is looked whether the gate is open where there was no descriptor to wait by.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

impl Gate {
    /// Waits while the gate is closed; `None` where the run is halted meanwhile. The gate may be closed for as long as
    /// somebody keeps all jobs stopped, and a run that is told to end must not wait for him.
    pub(crate) fn pass(&self, brake: &Brake) -> Option<Pass<'_>> {
        let mut state = self.state();
        while state.closed_by > 0 {
            if brake.halt() != Halt::GoOn {
                return None;
            }
            state = match state.opening() {
                Some(opening) => {
                    drop(state);
                    sys::wait_any([Some(opening.as_fd()), Some(brake.drain_event())], None);
                    self.state()
                }
                None => {
                    self.changed.wait_timeout(state, LOOK_AGAIN).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        state.within += 1;
        Some(Pass(self))
    }

    /// Closes the gate and waits until nobody is within, or for as long as a start may take.
    pub(crate) fn close(&self) -> Closed<'_> {
        let mut state = self.state();
        state.closed_by += 1;
        let waited = self.changed.wait_timeout_while(state, PATIENCE, |state| state.within > 0);
        drop(waited);
        Closed(self)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What tells that the gate is open, where the system has a descriptor for it.
    fn opening(&mut self) -> Option<Arc<Event>> {
        if self.opening.is_none() {
            self.opening = Event::new().ok().map(Arc::new);
        }
        self.opening.clone()
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.within -= 1;
        // To wake nobody costs a system call too, and each start comes by here.
        if state.closed_by > 0 {
            self.0.changed.notify_all();
        }
    }
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.closed_by -= 1;
        if state.closed_by == 0 {
            if let Some(opening) = state.opening.take() {
                opening.raise();
            }
        }
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;
    use crate::signal::Signal;

    #[test]
    fn who_closes_it_waits_for_those_within_and_holds_up_all_others() {
        let (gate, brake) = (Gate::default(), Brake::new().unwrap());
        let within = AtomicBool::new(true);
        let pass = gate.pass(&brake);
        thread::scope(|scope| {
            let closer = scope.spawn(|| {
                let closed = gate.close();
                assert!(!within.load(Ordering::SeqCst));
                closed
            });
            while gate.state().closed_by == 0 {
                thread::yield_now();
            }
            let other = scope.spawn(|| {
                let _pass = gate.pass(&brake).unwrap();
                assert!(!within.load(Ordering::SeqCst));
            });
            within.store(false, Ordering::SeqCst);
            drop(pass);
            drop(closer.join().unwrap());
            other.join().unwrap();
        });
    }

    #[test]
    fn who_waits_at_it_hears_of_each_halt_and_of_no_opening_but_the_last() {
        for halt in [Halt::Drain, Halt::Stop(Signal::TERM), Halt::Kill] {
            let (gate, brake) = (Gate::default(), Brake::new().unwrap());
            let closed = gate.close();
            thread::scope(|scope| {
                let waits = scope.spawn(|| gate.pass(&brake).is_none());
                while gate.state().opening.is_none() {
                    thread::yield_now();
                }
                drop(gate.close());
                assert!(gate.state().opening.is_some());
                brake.raise(halt);
                assert!(waits.join().unwrap());
            });
            drop(closed);
            // A gate that is open lets everybody through: what may start then others have decided.
            assert!(gate.pass(&brake).is_some());
        }
    }
}
