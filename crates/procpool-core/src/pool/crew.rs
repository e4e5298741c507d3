//! The workers: threads that take jobs from a channel, run them, and report.
//! Knows nothing of which job is next or what a report means.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::error::Error;
use crate::halt::{Brake, Halt};
use crate::job::Job;
use crate::limit::Limit;
use crate::outcome::{NotStarted, Outcome};
use crate::runner::{Context, Runner};
use crate::schedule::Start;

/// What a worker gives back for each job that it took: the job, and what came of it or the runner's panic.
pub(crate) struct Report<W> {
    pub(crate) start: Start<Job<W>>,
    pub(crate) result: Result<Outcome, Box<dyn Any + Send>>,
}

/// The workers of a run and the two channels to and from them, both bounded by the limit.
///
/// No more jobs than the limit are between `assign` and the receipt of their report, so neither channel is
/// ever full: no send blocks.
pub(crate) struct Crew<R: Runner> {
    worker: Worker<R>,
    jobs: Sender<Start<Job<R::Work>>>,
    reports: Receiver<Report<R::Work>>,
    threads: Vec<JoinHandle<()>>,
    limit: Limit,
}

struct Worker<R: Runner> {
    runner: Arc<R>,
    brake: Arc<Brake>,
    jobs: Receiver<Start<Job<R::Work>>>,
    reports: Sender<Report<R::Work>>,
}

impl<R: Runner> Crew<R> {
    /// A crew of one; others join as they are needed, up to one a slot.
    pub(crate) fn new(limit: Limit, runner: Arc<R>, brake: Arc<Brake>) -> Result<Crew<R>, Error> {
        let (jobs, taken) = bounded(limit.get());
        let (reporting, reports) = bounded(limit.get());
        let worker = Worker { runner, brake, jobs: taken, reports: reporting };
        let first = worker.start(1).map_err(|error| Error::resource("a worker thread", error))?;
        Ok(Crew { worker, jobs, reports, threads: vec![first], limit })
    }

    /// Hands a job to a worker that is free. `running` jobs are under way, this one included.
    pub(crate) fn assign(&mut self, start: Start<Job<R::Work>>, running: usize) {
        if running > self.threads.len() && self.threads.len() < self.limit.get() {
            // Where the machine has no room for another thread, the job waits for one of those there are.
            self.threads.extend(self.worker.start(self.threads.len() + 1).ok());
        }
        assert!(self.jobs.try_send(start).is_ok(), "BUG: more jobs under way than the limit");
    }

    pub(crate) fn reports(&self) -> &Receiver<Report<R::Work>> {
        &self.reports
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

impl<R: Runner> Worker<R> {
    fn start(&self, number: usize) -> std::io::Result<JoinHandle<()>> {
        let worker = Worker {
            runner: Arc::clone(&self.runner),
            brake: Arc::clone(&self.brake),
            jobs: self.jobs.clone(),
            reports: self.reports.clone(),
        };
        thread::Builder::new().name(format!("procpool-{number}")).spawn(move || worker.work())
    }

    fn work(self) {
        for start in &self.jobs {
            let result = panic::catch_unwind(AssertUnwindSafe(|| self.run(&start)));
            if self.reports.send(Report { start, result }).is_err() {
                return;
            }
        }
    }

    fn run(&self, start: &Start<Job<R::Work>>) -> Outcome {
        // The halt may have come while the job was on its way here.
        if self.brake.halt() != Halt::GoOn {
            return NotStarted::NeverReached.into();
        }
        let context = Context::new(start.seq, start.slot, start.attempt, Arc::clone(&self.brake));
        self.runner.run(&start.job, &context)
    }
}
