//! The workers: threads that take jobs from a channel, run them, and report.
//! Knows nothing of which job is next or what a report means.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::error::Error;
use crate::halt::Halt;
use crate::limit::Limit;
use crate::live::{Live, News};
use crate::outcome::{NotStarted, Outcome};
use crate::pool::staff::{Refused, Staff};
use crate::runner::{Context, Runner, Steering};
use crate::schedule::Start;
use crate::sys;

/// What a worker gives back for each job that it took: the job, and what came of it.
pub(crate) struct Report<W> {
    pub(crate) start: Start<W>,
    pub(crate) result: Upshot,
}

/// What came of a job that a worker took.
pub(crate) enum Upshot {
    Done(Outcome),
    /// The runner panicked.
    Panicked(Box<dyn Any + Send>),
    /// The machine had no room for it, and the worker leaves to make some: it is for those who stay.
    GivenBack,
}

/// What is told of outputs while they are written.
#[derive(Clone)]
pub(crate) struct Reporting {
    pub(crate) channel: Sender<Live>,
    /// How many further attempts a job has that doesn't say so itself.
    pub(crate) retries: u32,
}

impl Reporting {
    fn news_of<W>(&self, start: &Start<W>) -> News {
        let further = start.job.retries.unwrap_or(self.retries);
        News {
            channel: self.channel.clone(),
            key: start.job.key.clone(),
            attempts_left: further.saturating_sub(start.attempt - 1),
        }
    }
}

/// The workers of a run and the two channels to and from them, both bounded by the limit.
///
/// No more jobs than the limit are between `assign` and the receipt of their report, so neither channel is
/// ever full: no send blocks.
pub(crate) struct Crew<R: Runner> {
    worker: Worker<R>,
    jobs: Sender<Start<R::Work>>,
    reports: Receiver<Report<R::Work>>,
    threads: Vec<JoinHandle<()>>,
}

struct Worker<R: Runner> {
    runner: Arc<R>,
    steering: Steering,
    jobs: Receiver<Start<R::Work>>,
    reports: Sender<Report<R::Work>>,
    staff: Arc<Mutex<Staff>>,
    /// `None` where nobody follows the outputs.
    news: Option<Reporting>,
}

impl<R: Runner> Crew<R> {
    /// A crew of one; others join as they are needed, up to one a slot.
    pub(crate) fn new(
        limit: Limit,
        runner: Arc<R>,
        steering: Steering,
        news: Option<Reporting>,
    ) -> Result<Crew<R>, Error> {
        let (jobs, taken) = bounded(limit.get());
        let (reporting, reports) = bounded(limit.get());
        let staff = Arc::new(Mutex::new(Staff::new(most_threads(limit))));
        let worker = Worker {
            runner,
            steering,
            jobs: taken,
            reports: reporting,
            staff,
            news,
        };
        let first = worker.start(1).map_err(|error| Error::resource("a worker thread", error))?;
        Ok(Crew { worker, jobs, reports, threads: vec![first] })
    }

    /// Hands a job to a worker that is free. `running` jobs are under way, this one included.
    pub(crate) fn assign(&mut self, start: Start<R::Work>, running: usize) {
        if self.worker.staff().wants_another(running) {
            match self.worker.start(self.threads.len() + 1) {
                Ok(thread) => self.threads.push(thread),
                // The job waits for one of those there are.
                Err(_) => self.worker.staff().thread_refused(),
            }
        }
        self.assign_again(start);
    }

    /// Hands a job out that was given back.
    pub(crate) fn assign_again(&mut self, start: Start<R::Work>) {
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

/// Few threads need no look at what the machine can hold.
const FEW: usize = 1000;

fn most_threads(limit: Limit) -> usize {
    match limit.get() {
        few @ ..=FEW => few,
        many => many.min(sys::most_threads().max(FEW)),
    }
}

impl<R: Runner> Worker<R> {
    fn start(&self, number: usize) -> std::io::Result<JoinHandle<()>> {
        let worker = Worker {
            runner: Arc::clone(&self.runner),
            steering: self.steering.clone(),
            jobs: self.jobs.clone(),
            reports: self.reports.clone(),
            staff: Arc::clone(&self.staff),
            news: self.news.clone(),
        };
        let thread =
            thread::Builder::new().name(format!("procpool-{number}")).spawn(move || worker.work())?;
        self.staff().join();
        Ok(thread)
    }

    fn staff(&self) -> MutexGuard<'_, Staff> {
        self.staff.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(self) {
        for start in &self.jobs {
            let result = panic::catch_unwind(AssertUnwindSafe(|| self.run(&start)));
            let result = result.unwrap_or_else(Upshot::Panicked);
            // Whoever gives a job back has been counted out.
            let leaves = matches!(result, Upshot::GivenBack) || self.staff().leave();
            if self.reports.send(Report { start, result }).is_err() || leaves {
                return;
            }
        }
    }

    fn run(&self, start: &Start<R::Work>) -> Upshot {
        let context = Context::new(start.seq, start.slot, start.attempt, self.steering.clone())
            .held_up_by(start.held_up);
        let context = match &self.news {
            None => context,
            Some(reporting) => context.followed(reporting.news_of(start)),
        };
        loop {
            // The halt may have come while the job was on its way here.
            if self.steering.brake.halt() != Halt::GoOn {
                return Upshot::Done(NotStarted::NeverReached.into());
            }
            let before = self.staff().present();
            let outcome = self.runner.run(&start.job, &context);
            if !outcome.wants_room() {
                return Upshot::Done(outcome);
            }
            match self.staff().process_refused(before) {
                Refused::TryAgain => {}
                Refused::Leave => return Upshot::GivenBack,
                Refused::Accept => return Upshot::Done(outcome),
            }
        }
    }
}
