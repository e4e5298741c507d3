//! The thread that pulls jobs from the caller's iterator.
//! Knows nothing of slots: it stops where the channel is full.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crossbeam_channel::Sender;

use crate::error::Error;
use crate::halt::{Brake, Halt};

/// The iterator may block for ever (it may read a terminal), so it has a thread to itself, and nobody
/// waits for that thread but once it is known to be out of the iterator.
pub(crate) struct Feeder {
    thread: JoinHandle<()>,
}

/// Whether the feeder holds a job that it pulled and has not handed over. It may have to wait for room, or
/// for a processor, so that no time is too long to wait for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hand(Arc<AtomicBool>);

impl Hand {
    pub(crate) fn is_empty(&self) -> bool {
        !self.0.load(Ordering::Acquire)
    }

    fn hold<T>(&self, act: impl FnOnce() -> T) -> T {
        self.0.store(true, Ordering::Release);
        let result = act();
        self.0.store(false, Ordering::Release);
        result
    }
}

/// What comes out of the iterator. Where the channel hangs up without an end, the iterator panicked, or the
/// run was halted and nobody knows how much was left.
pub(crate) enum Pulled<J> {
    Job(J),
    End,
}

impl Feeder {
    /// Sends what `jobs` yields until it ends, the run is halted or the other side of `feed` is gone.
    pub(crate) fn start<J: Send + 'static>(
        jobs: impl Iterator<Item = J> + Send + 'static,
        feed: Sender<Pulled<J>>,
        hand: Hand,
        brake: Arc<Brake>,
    ) -> Result<Feeder, Error> {
        let pull = move || {
            // Dropped last, after the iterator: who sees it hang up may join.
            let feed = feed;
            for job in jobs {
                // The job first: once pulled it has to come back, halted or not.
                if hand.hold(|| feed.send(Pulled::Job(job))).is_err() || brake.halt() != Halt::GoOn {
                    return;
                }
            }
            // Fails where the run is over.
            let _ = feed.send(Pulled::End);
        };
        let thread = thread::Builder::new().name("procpool-feed".into()).spawn(pull);
        let thread = thread.map_err(|error| Error::resource("a thread that pulls jobs", error))?;
        Ok(Feeder { thread })
    }

    /// Waits for the thread, which is out of the iterator; a panic of that comes back.
    pub(crate) fn join(self) -> Result<(), Box<dyn Any + Send>> {
        self.thread.join()
    }
}
