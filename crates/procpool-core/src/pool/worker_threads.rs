//! The workers together: as many as are needed, up to one a slot, and the way to them.
//! Knows nothing of which job is next or what becomes of one.

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use crate::data::error::Error;
use crate::data::limit::Limit;
use crate::pool::thread_budget::ThreadBudget;
use crate::pool::worker::{DispatcherChannels, Worker, WorkerShared};
use crate::runner::Runner;
use crate::schedule::Start;
use crate::sys;

/// The workers of a run, and the channel to them, which is bounded by the limit.
///
/// No more jobs than the limit are between `assign` and their end, so it is never full: no send blocks.
pub(crate) struct WorkerThreads<R: Runner> {
    worker: Worker<R>,
    jobs: Sender<Start<R::Work>>,
    wakes: Receiver<()>,
    given_back: Receiver<Start<R::Work>>,
    threads: Vec<JoinHandle<()>>,
}

impl<R: Runner> WorkerThreads<R> {
    /// A crew of one; others join as they are needed, up to one a slot.
    pub(crate) fn new(limit: Limit, shared: WorkerShared<R>) -> Result<WorkerThreads<R>, Error> {
        let (jobs, taken) = bounded(limit.get());
        let (wake, wakes) = bounded(1);
        // Of each worker one at most is in there.
        let (giving_back, given_back) = unbounded();
        let worker = Worker {
            shared,
            budget: Arc::new(Mutex::new(ThreadBudget::new(most_threads(limit)))),
            dispatcher: DispatcherChannels { jobs: taken, wake, given_back: giving_back },
        };
        let first = worker.start_first().map_err(|error| Error::resource("a worker thread", error))?;
        Ok(WorkerThreads { worker, jobs, wakes, given_back, threads: vec![first] })
    }

    /// Hands a job to a worker that is free. `running` jobs are under way, this one included.
    pub(crate) fn assign(&mut self, start: Start<R::Work>, running: usize) {
        let now = Instant::now();
        if self.worker.budget().admit_another(running, now) {
            match self.worker.start(self.threads.len() + 1) {
                Ok(thread) => self.threads.push(thread),
                // The job waits for one of those there are.
                Err(_) => self.worker.budget().thread_refused(now),
            }
        }
        self.assign_again(start);
    }

    /// Hands a job out that was given back.
    pub(crate) fn assign_again(&mut self, start: Start<R::Work>) {
        assert!(self.jobs.try_send(start).is_ok(), "BUG: more jobs under way than the limit");
    }

    /// A word from a worker: there may be something to do.
    pub(crate) fn wakes(&self) -> &Receiver<()> {
        &self.wakes
    }

    /// Jobs whose worker has left.
    pub(crate) fn given_back(&self) -> &Receiver<Start<R::Work>> {
        &self.given_back
    }

    /// Sends the workers home and waits until they are gone.
    pub(crate) fn dismiss(self) {
        drop(self.jobs);
        for thread in self.threads {
            // A worker catches its runner's panics, so there is nothing to learn here.
            let _ = thread.join();
        }
    }
}

/// Few threads need no look at what the machine can hold.
const FEW: usize = 1000;

fn most_threads(limit: Limit) -> usize {
    match limit.get() {
        few @ ..=FEW => few,
        many => many.min(sys::most_threads().max(FEW)),
    }
}
