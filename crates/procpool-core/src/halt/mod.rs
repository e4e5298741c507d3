//! How far a run has been told to stop, and the signal by which its workers learn of it while they wait in poll(2).
//! A signal, a halt policy and a dropped run all raise the same level.

pub(crate) mod rule;

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::data::status::Signal;
use crate::sys::WakeEvent;

/// How far a run has been told to stop. The level only ever rises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halt {
    /// Not halted.
    GoOn,
    /// Start nothing new; let running jobs finish.
    Drain,
    /// Start nothing new; end running jobs: send this signal, wait for the grace time, send KILL.
    Stop(Signal),
    /// Start nothing new; KILL running jobs at once.
    Kill,
}

/// Holds a run's [`Halt`] level and wakes those who wait for it to rise.
///
/// Workers wait in poll(2), so each of the two levels that concern them has an eventfd beside the number.
/// The eventfds are never read: once raised they stay readable, for all workers at once and for jobs that
/// start just afterwards.
#[derive(Debug)]
pub(crate) struct HaltSignal {
    /// The encoded `Halt`: the level above `SIGNAL_BITS`, the stop signal below.
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

    /// Raises the level. Does nothing if the level is as high already, so the first of two stops decides the signal.
    pub(crate) fn raise(&self, halt: Halt) {
        // The number first: whoever is woken by an eventfd must find the level that woke it.
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
