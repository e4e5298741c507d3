//! The thread that pulls jobs from the caller's iterator.
//! Knows nothing of slots: it waits where the feed has no room.

use std::any::Any;
use std::sync::Arc;
use std::thread::JoinHandle;

use crate::data::error::Error;
use crate::halt::{Halt, HaltSignal};
use crate::pool::feed::FeedSender;
use crate::pool::patient;

/// The iterator may block for ever (it may read a terminal), so it has a thread to itself, and nobody
/// waits for that thread but once it is known to be out of the iterator.
pub(crate) struct Feeder {
    thread: JoinHandle<()>,
}

impl Feeder {
    /// Gives what `jobs` yields until it ends, the run is halted or over.
    pub(crate) fn start<J: Send + 'static>(
        jobs: impl Iterator<Item = J> + Send + 'static,
        sender: FeedSender<J>,
        halt_signal: Arc<HaltSignal>,
    ) -> Result<Feeder, Error> {
        let pull = move || {
            // Dropped last, after the iterator: who sees it gone may join.
            let sender = sender;
            for job in jobs {
                // The job first: once pulled it has to come back, halted or not.
                if sender.give(job).is_err() || halt_signal.halt() != Halt::GoOn {
                    return;
                }
            }
            sender.end();
        };
        let thread = patient::start("procpool-feed", pull);
        let thread = thread.map_err(|error| Error::resource("a thread that pulls jobs", error))?;
        Ok(Feeder { thread })
    }

    /// Waits for the thread, which is out of the iterator; a panic of that comes back.
    pub(crate) fn join(self) -> Result<(), Box<dyn Any + Send>> {
        self.thread.join()
    }
}
