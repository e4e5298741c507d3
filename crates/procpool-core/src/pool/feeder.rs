//! The thread that pulls jobs from the caller's iterator.
//! Knows nothing of slots: it stops where the channel is full.

use std::any::Any;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::error::Error;
use crate::halt::{Brake, Halt};

/// The iterator may block for ever (it may read a terminal), so it has a thread to itself, and nobody
/// waits for that thread but at its end.
pub(crate) struct Feeder {
    thread: JoinHandle<()>,
    /// Disconnected when the thread is done.
    done: Receiver<()>,
}

/// How long a thread that may be inside the caller's iterator is waited for.
const PATIENCE: Duration = Duration::from_millis(100);

impl Feeder {
    /// Sends what `jobs` yields until it ends, the run is halted or the other side of `feed` is gone.
    pub(crate) fn start<J: Send + 'static>(
        jobs: impl Iterator<Item = J> + Send + 'static,
        feed: Sender<J>,
        brake: Arc<Brake>,
    ) -> Result<Feeder, Error> {
        let (finished, done) = bounded(0);
        let pull = move || {
            // Dropped last, after the iterator: who sees it disconnected may join.
            let _finished: Sender<()> = finished;
            for job in jobs {
                if brake.halt() != Halt::GoOn || feed.send(job).is_err() {
                    break;
                }
            }
        };
        let thread = thread::Builder::new().name("procpool-feed".into()).spawn(pull);
        let thread = thread.map_err(|error| Error::resource("a thread that pulls jobs", error))?;
        Ok(Feeder { thread, done })
    }

    /// Waits for the thread where it is not inside the caller's iterator; a panic of that comes back.
    /// Else the thread ends by itself as soon as the iterator lets go of it.
    pub(crate) fn finish(self) -> Result<(), Box<dyn Any + Send>> {
        // Nothing is ever sent, so all that can come is the disconnection, or nothing in time.
        match self.done.recv_timeout(PATIENCE) {
            Err(crossbeam_channel::RecvTimeoutError::Timeout) => Ok(()),
            _ => self.thread.join(),
        }
    }
}
