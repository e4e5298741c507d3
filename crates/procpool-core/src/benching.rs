//! Entry points for benchmarks of code that is pure but not public: the schedule, and the preparation of a command.
//! Not a stable interface: it may change in any version.

use std::collections::VecDeque;
use std::time::Instant;

use crate::data::command::Command;
use crate::data::job::Job;
use crate::data::limit::Limit;
use crate::outcome::Outcome;
use crate::process::inherited::Inherited;
use crate::process::spawn::argument_list;
use crate::schedule::policies::Policies;
use crate::schedule::retries::Retries;
use crate::schedule::{Schedule, Verdict};

/// Runs jobs through a schedule as a pool does, with all slots in use and the oldest attempt ending first. Returns
/// the number of attempts. Retries must have no delay, because no time passes.
pub fn schedule(limit: Limit, jobs: u64, retries: Retries, outcome: impl Fn(u32) -> Outcome) -> u64 {
    let mut schedule = Schedule::new(limit, None, Policies { retries, ..Policies::default() });
    let mut input = (1..=jobs).map(|number| Job::new(number.to_string(), ()));
    let mut running = VecDeque::with_capacity(limit.get());
    let mut attempts = 0;
    let now = Instant::now();
    while !schedule.is_over() {
        while schedule.wants_input() {
            match input.next() {
                Some(job) => schedule.add(job),
                None => schedule.end_input(),
            }
        }
        while let Some(start) = schedule.start(now) {
            attempts += 1;
            running.push_back(start);
        }
        if let Some(start) = running.pop_front() {
            let outcome = outcome(start.attempt);
            match schedule.conclude(start, &outcome) {
                Verdict::Done(start) => schedule.leave(start.slot, now),
                Verdict::Again(start, pause) => schedule.try_again(start, pause, now),
            }
        }
    }
    attempts
}

/// The environment that all jobs start from.
pub struct Base(Inherited);

impl Base {
    /// The environment of this process.
    #[must_use]
    pub fn take() -> Base {
        Base(Inherited::take())
    }

    /// Builds the arguments of execve(2) for a command, and returns the number of strings.
    ///
    /// # Panics
    /// If one contains a NUL byte.
    #[must_use]
    pub fn image_of(&self, command: &Command) -> usize {
        let arguments = argument_list(command).expect("a command without NUL bytes");
        let variables = self.0.changed_by(command.environment()).expect("an environment without NUL bytes");
        arguments.len() + variables.iter().count()
    }
}
