//! The load of a slice: how many of its jobs run or are about to, how long jobs take, and when the slice's
//! time is over. The source of jobs reads it to know when to take more.

use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use procpool_core::{Context, Halt, Job, NotStarted, Outcome, Runner};

use crate::cluster::bad_nodes::OwnNode;
use crate::job::work::Work;

pub(crate) struct Workload {
    limit: usize,
    /// When the slice is ended together with its jobs, once that is known.
    ends: OnceLock<SystemTime>,
    state: Mutex<State>,
    changed: Condvar,
    /// Called after a job has ended and before the next one is given out.
    between: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

#[derive(Default)]
struct State {
    /// Jobs that were given out and have not begun.
    given: usize,
    running: usize,
    /// No further job is started.
    is_closed: bool,
    took: Took,
}

/// What follows after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    GoOn,
    NoMore,
}

/// How long the last attempts took.
#[derive(Default)]
struct Took {
    last: Vec<Duration>,
    next: usize,
}

/// How many durations are remembered.
const REMEMBERED: usize = 256;

/// Jobs are given out ahead of their turn while this many more, one after another, would still end in time.
const FAR: u32 = 20;

impl Workload {
    pub(crate) fn new(limit: usize) -> Workload {
        Workload {
            limit,
            ends: OnceLock::new(),
            state: Mutex::default(),
            changed: Condvar::new(),
            between: OnceLock::new(),
        }
    }

    /// Sets when the slice is ended together with its jobs.
    pub(crate) fn ends_at(&self, ends: SystemTime) {
        let _ = self.ends.set(ends);
    }

    /// Sets a function to be called before each job is given out. If jobs run one by one, none runs during
    /// the call.
    pub(crate) fn call_between(&self, call: impl Fn() + Send + Sync + 'static) {
        let _ = self.between.set(Box::new(call));
    }

    /// Waits until another job could start at once. Returns whether it may.
    pub(crate) fn wait_for_room(&self) -> bool {
        let mut state = self.lock();
        while !state.is_closed && state.given + state.running >= self.limit {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(call) = self.between.get().filter(|_| !state.is_closed) {
            drop(state);
            call();
            state = self.lock();
        }
        !state.is_closed && self.is_time_for_another(&state)
    }

    /// Called before the next job of the current piece is given out: waits for room, unless jobs may be given
    /// out ahead. Returns whether it may be given out.
    pub(crate) fn give(&self) -> bool {
        let is_far = self.between.get().is_none() && self.is_far(&self.lock());
        if !is_far && !self.wait_for_room() {
            return false;
        }
        let mut state = self.lock();
        state.given += usize::from(!state.is_closed);
        !state.is_closed
    }

    /// Whether another job would probably end in time, judged by the previous ones.
    fn is_time_for_another(&self, state: &State) -> bool {
        self.has_left(state, 1)
    }

    /// Whether jobs may be given out ahead. Until one has ended, nobody knows whether there is time for that.
    fn is_far(&self, state: &State) -> bool {
        (self.ends.get().is_none() || state.took.usual().is_some()) && self.has_left(state, FAR)
    }

    fn has_left(&self, state: &State, times: u32) -> bool {
        // Most slices have no known end: then nothing is calculated for each job.
        let Some(ends) = self.ends.get() else { return true };
        let Some(usual) = state.took.usual() else { return true };
        let left = ends.duration_since(SystemTime::now()).unwrap_or_default();
        usual.saturating_mul(times) <= left
    }

    fn begin(&self, attempt: u32) {
        let mut state = self.lock();
        // A retry comes from the pool, and was not given out here.
        state.given -= usize::from(attempt == 1 && state.given > 0);
        state.running += 1;
    }

    fn end(&self, took: Duration, then: Then) {
        let mut state = self.lock();
        state.running -= 1;
        state.is_closed |= then == Then::NoMore;
        state.took.note(took);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Took {
    fn note(&mut self, took: Duration) {
        if self.last.len() < REMEMBERED {
            self.last.push(took);
        } else {
            self.last[self.next % REMEMBERED] = took;
            self.next += 1;
        }
    }

    /// The duration that nine of ten attempts did not exceed.
    fn usual(&self) -> Option<Duration> {
        let mut last = self.last.clone();
        let place = (last.len() * 9).div_ceil(10).checked_sub(1)?;
        Some(*last.select_nth_unstable(place).1)
    }
}

/// A runner that notes its attempts in `hand` and `node`.
pub(crate) struct NotingRunner<R> {
    pub(crate) inner: R,
    pub(crate) workload: std::sync::Arc<Workload>,
    pub(crate) node: std::sync::Arc<OwnNode>,
}

impl<R: Runner<Work = Work>> Runner for NotingRunner<R> {
    type Work = Work;

    fn run(&self, job: &Job<Work>, context: &Context) -> Outcome {
        self.workload.begin(context.attempt());
        let begun = std::time::Instant::now();
        let outcome = self.inner.run(job, context);
        self.node.note(&outcome);
        // An attempt that never got a process means that nothing can be recorded any more. Jobs that are
        // taken now would only be kept from other slices.
        let is_never_reached = matches!(outcome, Outcome::NotStarted(NotStarted::NeverReached));
        let goes_on = context.halt() == Halt::GoOn && !is_never_reached;
        self.workload.end(begun.elapsed(), if goes_on { Then::GoOn } else { Then::NoMore });
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    impl Workload {
        fn counts(&self) -> (usize, usize) {
            let state = self.lock();
            (state.given, state.running)
        }
    }

    /// A workload that is ended in this many seconds.
    fn ending(limit: usize, seconds: u64) -> Workload {
        let workload = Workload::new(limit);
        workload.ends_at(SystemTime::now() + Duration::from_secs(seconds));
        workload
    }

    fn ended(workload: &Workload, seconds: u64) {
        workload.begin(1);
        workload.end(Duration::from_secs(seconds), Then::GoOn);
    }

    #[test]
    fn there_is_room_while_fewer_run_or_are_about_to_than_may() {
        let workload = Arc::new(Workload::new(2));
        assert!(workload.wait_for_room() && workload.give());
        workload.begin(1);
        assert!(workload.wait_for_room() && workload.give());
        let (told, heard) = mpsc::channel();
        let waiting = Arc::clone(&workload);
        thread::spawn(move || told.send(waiting.wait_for_room()));
        workload.begin(1);
        assert!(heard.try_recv().is_err());
        workload.end(Duration::ZERO, Then::GoOn);
        assert!(heard.recv().unwrap());
    }

    #[test]
    fn a_further_attempt_takes_the_room_of_no_job_that_was_given_out() {
        let workload = Workload::new(2);
        assert!(workload.give());
        workload.begin(2);
        assert_eq!(workload.counts(), (1, 1));
        workload.begin(1);
        assert_eq!(workload.counts(), (0, 2));
    }

    #[test]
    fn who_waits_when_the_run_is_halted_gets_nothing_more() {
        let workload = Workload::new(1);
        assert!(workload.give());
        workload.begin(1);
        workload.end(Duration::ZERO, Then::NoMore);
        assert!(!workload.wait_for_room() && !workload.give());
    }

    #[test]
    fn nothing_is_begun_that_would_not_end_in_time_as_most_before_it_did() {
        let workload = ending(4, 1000);
        assert!(workload.wait_for_room());
        (0..9).for_each(|_| ended(&workload, 10));
        assert!(workload.wait_for_room());
        // One in ten jobs may be slow.
        ended(&workload, 2000);
        assert!(workload.wait_for_room());
        ended(&workload, 2000);
        ended(&workload, 2000);
        assert!(!workload.wait_for_room() && !workload.give());
        assert!(ending(4, 0).wait_for_room(), "nobody knows how long jobs take");
    }

    #[test]
    fn ahead_of_their_turn_are_only_jobs_whose_time_is_far_from_over() {
        let workload = Arc::new(ending(1, 1000));
        ended(&workload, 10);
        assert!(workload.give() && workload.give() && workload.give());
        let near = Arc::new(ending(1, 1000));
        ended(&near, 100);
        assert!(near.give());
        let (told, heard) = mpsc::channel();
        let waiting = Arc::clone(&near);
        thread::spawn(move || told.send(waiting.give()));
        near.begin(1);
        assert!(heard.try_recv().is_err());
        near.end(Duration::from_secs(100), Then::GoOn);
        assert!(heard.recv().unwrap());
    }

    #[test]
    fn the_last_of_many_say_what_is_usual() {
        let mut took = Took::default();
        assert_eq!(took.usual(), None);
        (0..REMEMBERED as u64 * 3).for_each(|seconds| took.note(Duration::from_secs(seconds)));
        assert_eq!(took.last.len(), REMEMBERED);
        let usual = took.usual().unwrap().as_secs();
        assert!((512..768).contains(&usual), "{usual}");
    }
}
