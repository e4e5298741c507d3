//! The interface between the pool, which schedules attempts, and whatever runs one.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::data::job::{Job, Seq, Slot};
use crate::halt::{Halt, HaltSignal};
use crate::outcome::Outcome;
use crate::outcome::snapshot::HeldUp;
use crate::spool::live::{OutputNotifier, Source, StreamNotifier};
use crate::sys;

/// Runs jobs. [`LocalProcess`](crate::LocalProcess) runs them as processes of this machine; a test may use a
/// scripted runner without any process, and others may run them elsewhere.
///
/// ```
/// use procpool_core::{Context, End, Job, Limit, Outcome, Pool, Ran, Runner, Status};
///
/// /// "Runs" a number by exiting with it.
/// struct Echo;
///
/// impl Runner for Echo {
///     type Work = u8;
///     fn run(&self, job: &Job<u8>, _: &Context) -> Outcome {
///         Ran::new(End::Itself(Status::Exited(job.work))).into()
///     }
/// }
///
/// let jobs = (0..10).map(|number| Job::new(number.to_string(), number));
/// let results = Pool::with_runner(Limit::new(2)?, Echo).run_all(jobs)?;
/// assert_eq!(results["7"].outcome.status(), Some(7));
/// # Ok::<(), procpool_core::Error>(())
/// ```
pub trait Runner: Send + Sync + 'static {
    /// What a job must contain for this runner to run it.
    type Work: Send + 'static;

    /// Runs one attempt of a job to its end on the calling thread, and returns its outcome.
    ///
    /// There is no error: a failure of the job is an outcome. `run` is called from as many threads at once as the limit
    /// allows. It must enforce the timeout of the job or else of the [context](Context::timeout), and must end
    /// soon after the context says stop and at once after it says kill. If the outcome says that the machine has no
    /// room for a process ([`Subject::Machine`](crate::Subject::Machine) with EAGAIN, ENOMEM, EMFILE or ENFILE), it
    /// is accepted only from the last worker; until then `run` is called again with fewer workers. If it panics, the
    /// run is killed and the panic resumes on the caller's thread.
    fn run(&self, job: &Job<Self::Work>, context: &Context) -> Outcome;
}

/// What a [`Runner`] is told about an attempt, besides the job itself.
#[derive(Clone, Debug)]
pub struct Context {
    seq: Seq,
    slot: Slot,
    attempt: u32,
    held_up: Option<HeldUp>,
    signals: RunSignals,
    notifier: Option<OutputNotifier>,
}

/// How a run reaches its running jobs; shared by all of them.
#[derive(Clone, Debug)]
pub(crate) struct RunSignals {
    pub(crate) halt_signal: Arc<HaltSignal>,
    /// The timeout that changes while jobs run; `None` if there is none.
    pub(crate) timeout: Option<Arc<MovingTimeout>>,
}

impl Context {
    pub(crate) fn new(seq: Seq, slot: Slot, attempt: u32, signals: RunSignals) -> Context {
        Context { seq, slot, attempt, held_up: None, signals, notifier: None }
    }

    /// Sets what delayed the start.
    pub(crate) fn held_up_by(mut self, held_up: Option<HeldUp>) -> Context {
        self.held_up = held_up;
        self
    }

    /// Reports outputs to this notifier while they are written.
    pub(crate) fn followed(mut self, notifier: OutputNotifier) -> Context {
        self.notifier = Some(notifier);
        self
    }

    /// The notifier of one of its outputs, if outputs are followed.
    pub(crate) fn notifier(&self, source: Source) -> Option<StreamNotifier> {
        let Context { seq, slot, attempt, .. } = *self;
        self.notifier.clone().map(|notifier| StreamNotifier { notifier, seq, slot, attempt, source })
    }

    /// The job's position in the input.
    #[must_use]
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// The slot it runs in; no other job has it at the same time.
    #[must_use]
    pub fn slot(&self) -> Slot {
        self.slot
    }

    /// The number of the attempt, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// What last prevented the start of this attempt although a slot was free; `None` if nothing did.
    ///
    /// ```
    /// use std::time::Duration;
    /// use procpool_core::{Context, End, Job, Limit, Outcome, Pool, Ran, Runner, Status};
    ///
    /// /// Does nothing, and says why it took so long.
    /// struct Excuse;
    ///
    /// impl Runner for Excuse {
    ///     type Work = ();
    ///     fn run(&self, job: &Job<()>, context: &Context) -> Outcome {
    ///         if let Some(held_up) = context.held_up() {
    ///             eprintln!("{} had to wait: {held_up:?}", job.key);
    ///         }
    ///         Ran::new(End::Itself(Status::Exited(0))).into()
    ///     }
    /// }
    ///
    /// let pool = Pool::with_runner(Limit::new(2)?, Excuse).delay(Duration::from_millis(10));
    /// assert!(pool.run_all(["a", "b"].map(|key| Job::new(key, ())))?.all_succeeded()); // "b had to wait: Delay"
    /// # Ok::<(), procpool_core::Error>(())
    /// ```
    #[must_use]
    pub fn held_up(&self) -> Option<HeldUp> {
        self.held_up
    }

    /// The current timeout of an attempt whose job has no timeout of its own. `None` means forever.
    /// [`Pool::timeout_percent`](crate::Pool::timeout_percent) changes it while jobs run.
    ///
    /// A runner that enforces it should ask again from time to time, and once more before it ends a job.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        self.signals.timeout.as_ref().and_then(|timeout| timeout.get())
    }

    /// Whether [`timeout`](Context::timeout) can change.
    pub(crate) fn has_moving_timeout(&self) -> bool {
        self.signals.timeout.is_some()
    }

    /// The signal by which the run is halted.
    pub(crate) fn halt_signal(&self) -> &HaltSignal {
        &self.signals.halt_signal
    }

    /// How far the run has been told to stop by now.
    #[must_use]
    pub fn halt(&self) -> Halt {
        self.signals.halt_signal.halt()
    }

    /// Readable once the run is stopped or killed, for runners that wait in poll(2). Never read from it.
    #[must_use]
    pub fn stop_event(&self) -> BorrowedFd<'_> {
        self.signals.halt_signal.stop_event()
    }

    /// Readable once the run is killed. Never read from it.
    #[must_use]
    pub fn kill_event(&self) -> BorrowedFd<'_> {
        self.signals.halt_signal.kill_event()
    }

    /// Waits until the run is stopped or killed, or until `at_most` has passed (`None`: forever), and returns the
    /// halt level. For runners that have nothing else to wait for.
    #[must_use]
    pub fn wait_for_stop(&self, at_most: Option<Duration>) -> Halt {
        sys::wait_readable(self.stop_event(), at_most);
        self.halt()
    }
}

/// A timeout that changes while jobs run: written at the end of attempts, read by all workers.
#[derive(Debug)]
pub(crate) struct MovingTimeout {
    nanoseconds: AtomicU64,
}

/// Not known yet. As a duration this would be 585 years.
const UNKNOWN: u64 = u64::MAX;

impl MovingTimeout {
    pub(crate) fn new() -> MovingTimeout {
        MovingTimeout { nanoseconds: AtomicU64::new(UNKNOWN) }
    }

    pub(crate) fn get(&self) -> Option<Duration> {
        match self.nanoseconds.load(Ordering::Relaxed) {
            UNKNOWN => None,
            nanoseconds => Some(Duration::from_nanos(nanoseconds)),
        }
    }

    pub(crate) fn set(&self, timeout: Option<Duration>) {
        let nanoseconds = timeout.and_then(|timeout| u64::try_from(timeout.as_nanos()).ok());
        self.nanoseconds.store(nanoseconds.unwrap_or(UNKNOWN), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_it_was_told_and_nothing_before_that() {
        let timeout = MovingTimeout::new();
        assert_eq!(timeout.get(), None);
        for set in [Duration::ZERO, Duration::from_millis(1500)] {
            timeout.set(Some(set));
            assert_eq!(timeout.get(), Some(set));
        }
        timeout.set(Some(Duration::MAX));
        assert_eq!(timeout.get(), None, "longer than the clock is for ever");
    }
}
