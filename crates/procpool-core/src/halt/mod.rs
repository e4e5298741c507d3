//! How far a run has been told to stop, and the means by which its workers hear of it while they wait.
//! Knows nothing of who says so and why: a signal, a policy and a dropped run are all the same here.

pub(crate) mod rule;

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::data::status::Signal;
use crate::sys::WakeEvent;

/// How far a run has been told to stop. It only ever rises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halt {
    /// Go on.
    GoOn,
    /// Start nothing new; let what runs finish.
    Drain,
    /// Start nothing new; end what runs: this signal, the grace time, KILL.
    Stop(Signal),
    /// Start nothing new; KILL what runs at once.
    Kill,
}

/// The one place where a run's [`Halt`] is kept.
///
/// Workers wait in poll(2), so each of the two levels that concern them is an eventfd beside the number.
/// Nobody ever reads the eventfds empty: once raised they stay readable, for all workers at once and for
/// jobs that start later by a hair.
#[derive(Debug)]
pub(crate) struct HaltSignal {
    /// `Halt` as a number that grows with it; below `SIGNAL_BITS` the signal.
    level: AtomicU32,
    stop: WakeEvent,
    kill: WakeEvent,
}

impl HaltSignal {
    pub(crate) fn new() -> io::Result<HaltSignal> {
        Ok(HaltSignal {
            level: AtomicU32::new(encode(Halt::GoOn)),
            stop: WakeEvent::new()?,
            kill: WakeEvent::new()?,
        })
    }

    pub(crate) fn halt(&self) -> Halt {
        decode(self.level.load(Ordering::Acquire))
    }

    /// Raises the level; does nothing where it is as high already, so the first of two stops has its signal.
    pub(crate) fn raise(&self, halt: Halt) {
        // The number first: who is woken by an eventfd must find the level that woke it.
        let higher = |level| (encode(halt) >> SIGNAL_BITS > level >> SIGNAL_BITS).then(|| encode(halt));
        let _ = self.level.fetch_update(Ordering::AcqRel, Ordering::Acquire, higher);
        match halt {
            Halt::GoOn | Halt::Drain => {}
            Halt::Stop(_) => self.stop.raise(),
            Halt::Kill => {
                self.stop.raise();
                self.kill.raise();
            }
        }
    }

    /// Readable once the run is stopped or killed.
    pub(crate) fn stop_event(&self) -> BorrowedFd<'_> {
        self.stop.as_fd()
    }

    /// Readable once the run is killed.
    pub(crate) fn kill_event(&self) -> BorrowedFd<'_> {
        self.kill.as_fd()
    }
}

const SIGNAL_BITS: u32 = 8;

fn encode(halt: Halt) -> u32 {
    match halt {
        Halt::GoOn => 0,
        Halt::Drain => 1 << SIGNAL_BITS,
        Halt::Stop(signal) => (2 << SIGNAL_BITS) | signal.number().unsigned_abs(),
        Halt::Kill => 3 << SIGNAL_BITS,
    }
}

fn decode(level: u32) -> Halt {
    match level >> SIGNAL_BITS {
        0 => Halt::GoOn,
        1 => Halt::Drain,
        2 => {
            let number = i32::try_from(level & ((1 << SIGNAL_BITS) - 1));
            Halt::Stop(number.ok().and_then(Signal::from_number).unwrap_or(Signal::TERM))
        }
        _ => Halt::Kill,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_halt_only_ever_rises() {
        let halt_signal = HaltSignal::new().unwrap();
        assert_eq!(halt_signal.halt(), Halt::GoOn);
        for (raised, seen) in [
            (Halt::Drain, Halt::Drain),
            (Halt::Stop(Signal::INT), Halt::Stop(Signal::INT)),
            (Halt::Drain, Halt::Stop(Signal::INT)),
            (Halt::Stop(Signal::TERM), Halt::Stop(Signal::INT)),
            (Halt::Kill, Halt::Kill),
            (Halt::Stop(Signal::TERM), Halt::Kill),
        ] {
            halt_signal.raise(raised);
            assert_eq!(halt_signal.halt(), seen);
        }
    }
}
