//! Decides which failed attempts are retried and after what pause. Pure.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

use crate::data::job::Seq;
use crate::data::status::Status;
use crate::outcome::{End, NotStarted, Outcome, Subject};
use crate::schedule::random::SplitMix64;

/// How often a failed job is retried, after what pause, and for which failures; see
/// [`Pool::retries`](crate::Pool::retries).
///
/// A job that was [stopped](End::Stopped) or whose output was [lost](crate::Ran::lost) is never retried: neither is
/// the job's fault, and whoever started the run must learn of it.
///
/// ```
/// use std::time::Duration;
/// use procpool_core::{Cause, Retries};
///
/// // At most three attempts; pauses of 1 s and 2 s, and up to a quarter more of each.
/// let patient = Retries::new(2).delay(Duration::from_secs(1)).longest_delay(Duration::from_secs(60));
/// // Only if the job asks for it by its exit code.
/// let on_request = Retries::new(10).on([Cause::ExitCode(75)]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Retries {
    further: u32,
    delay: Duration,
    longest_delay: Option<Duration>,
    on: Option<Vec<Cause>>,
    seed: u64,
}

/// Why an attempt failed, as far as [`Retries::on`] distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// It exited with any code but 0.
    Exit,
    /// It exited with this code.
    ExitCode(u8),
    /// It was killed by a signal that the run didn't send.
    Signal,
    /// It timed out.
    Timeout,
    /// It could not be started.
    Spawn,
}

impl Retries {
    /// Up to `further` retries, without a pause, after every failure except that the program is missing or can't be
    /// executed.
    #[must_use]
    pub fn new(further: u32) -> Retries {
        // Random seed from std: several runs that lost the same server must not retry in step.
        Retries {
            further,
            seed: RandomState::new().hash_one(further),
            ..Retries::default()
        }
    }

    /// Sets the pause before the second attempt. It doubles with each further attempt, and up to a quarter is added at
    /// random, so that jobs that failed together are not retried together.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Retries {
        self.delay = delay;
        self
    }

    /// Limits the pause, including what is added at random.
    #[must_use]
    pub fn longest_delay(mut self, longest: Duration) -> Retries {
        self.longest_delay = Some(longest);
        self
    }

    /// Retries only after these failures.
    #[must_use]
    pub fn on(mut self, causes: impl IntoIterator<Item = Cause>) -> Retries {
        self.on = Some(causes.into_iter().collect());
        self
    }

    /// Sets the seed of the random part of the pauses, to make them reproducible.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Retries {
        self.seed = seed;
        self
    }

    /// Whether a job is retried after this attempt with this outcome. `of_job` is the job's own number of
    /// [retries](crate::Job::retries).
    ///
    /// ```
    /// use procpool_core::{End, Ran, Retries, Status};
    ///
    /// let failed = Ran::new(End::Itself(Status::Exited(1))).into();
    /// assert!(Retries::new(1).follow(1, None, &failed) && !Retries::new(1).follow(2, None, &failed));
    /// ```
    #[must_use]
    pub fn follow(&self, attempt: u32, of_job: Option<u32>, outcome: &Outcome) -> bool {
        attempt <= of_job.unwrap_or(self.further) && self.is_worth_another(outcome)
    }

    /// The number of retries of jobs without a number of their own.
    pub(crate) fn count(&self) -> u32 {
        self.further
    }

    /// The pause after this attempt, or `None` if there is no retry. `of_job` is the job's own number of retries.
    pub(crate) fn pause_after(
        &self,
        attempt: u32,
        of_job: Option<u32>,
        seq: Seq,
        outcome: &Outcome,
    ) -> Option<Duration> {
        self.follow(attempt, of_job, outcome).then(|| self.pause(attempt, seq))
    }

    fn is_worth_another(&self, outcome: &Outcome) -> bool {
        match &self.on {
            Some(causes) => causes.iter().any(|cause| cause.is_of(outcome)),
            None => match outcome {
                Outcome::NotStarted(NotStarted::Spawn(error)) => {
                    !matches!(error.subject, Subject::Program(_) | Subject::Interpreter { .. })
                }
                _ => [Cause::Exit, Cause::Signal, Cause::Timeout].iter().any(|cause| cause.is_of(outcome)),
            },
        }
    }

    /// Depends only on the seed, the job and the attempt, not on the rest of the run.
    fn pause(&self, attempt: u32, seq: Seq) -> Duration {
        let doubled = 2_u32.checked_pow(attempt - 1).unwrap_or(u32::MAX);
        let pause = self.delay.saturating_mul(doubled);
        let mut random = SplitMix64::new(self.seed ^ seq.get().rotate_left(32) ^ u64::from(attempt));
        let pause = pause.saturating_add(pause.mul_f64(random.fraction() / 4.0));
        self.longest_delay.map_or(pause, |longest| pause.min(longest))
    }
}

impl Cause {
    fn is_of(self, outcome: &Outcome) -> bool {
        match outcome {
            Outcome::Ran(ran) if ran.lost.is_some() => false,
            Outcome::Ran(ran) => match (ran.end, self) {
                (End::Itself(Status::Exited(code)), Cause::Exit) => code != 0,
                (End::Itself(Status::Exited(code)), Cause::ExitCode(wanted)) => code != 0 && code == wanted,
                (End::Itself(Status::Signalled(_)), Cause::Signal) | (End::TimedOut(_), Cause::Timeout) => {
                    true
                }
                _ => false,
            },
            Outcome::NotStarted(NotStarted::Spawn(_)) => self == Cause::Spawn,
            Outcome::NotStarted(NotStarted::NeverReached) | Outcome::Lost(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use proptest::prelude::*;

    use super::*;
    use crate::data::status::Signal;
    use crate::outcome::{Ran, SpawnError};

    const KILLED: Status = Status::Signalled(Signal::KILL);
    const SECOND: Duration = Duration::from_secs(1);

    fn ran(end: End) -> Outcome {
        Ran::new(end).into()
    }

    fn exit(code: u8) -> Outcome {
        ran(End::Itself(Status::Exited(code)))
    }

    fn unstarted(subject: Subject) -> Outcome {
        let source = io::Error::from(io::ErrorKind::NotFound);
        NotStarted::Spawn(SpawnError { subject, source }).into()
    }

    fn lost() -> Outcome {
        let mut ran = Ran::new(End::Itself(Status::Exited(1)));
        ran.lost = Some(io::Error::from(io::ErrorKind::StorageFull));
        ran.into()
    }

    fn tries_again(retries: &Retries, outcome: &Outcome) -> bool {
        retries.pause_after(1, None, Seq::FIRST, outcome).is_some()
    }

    #[test]
    fn any_failure_is_tried_again_but_a_missing_program_a_stop_and_a_loss() {
        let retries = Retries::new(1);
        for again in [
            exit(1),
            ran(End::Itself(KILLED)),
            ran(End::TimedOut(Status::Exited(0))),
            unstarted(Subject::Machine),
            unstarted(Subject::Directory("x".into())),
        ] {
            assert!(tries_again(&retries, &again), "{again}");
        }
        for not_again in [
            exit(0),
            lost(),
            ran(End::Stopped(Status::Exited(1))),
            ran(End::Stopped(KILLED)),
            unstarted(Subject::Program("x".into())),
            unstarted(Subject::Interpreter { script: "x".into(), interpreter: "y".into() }),
            NotStarted::NeverReached.into(),
        ] {
            assert!(!tries_again(&retries, &not_again), "{not_again}");
        }
    }

    #[test]
    fn causes_that_were_named_count_and_no_others() {
        let program = || unstarted(Subject::Program("x".into()));
        let cases = [
            (Cause::Exit, exit(3), exit(0)),
            (Cause::ExitCode(75), exit(75), exit(1)),
            (Cause::ExitCode(0), exit(1), exit(0)),
            (Cause::Signal, ran(End::Itself(KILLED)), ran(End::Stopped(KILLED))),
            (Cause::Timeout, ran(End::TimedOut(KILLED)), ran(End::Itself(KILLED))),
            (Cause::Spawn, program(), exit(127)),
        ];
        for (cause, again, not_again) in cases {
            let retries = Retries::new(1).on([cause]);
            assert_eq!(tries_again(&retries, &again), cause != Cause::ExitCode(0), "{cause:?}");
            assert!(!tries_again(&retries, &not_again), "{cause:?}");
            assert!(!tries_again(&retries, &lost()), "{cause:?}");
        }
        assert!(!tries_again(&Retries::new(1).on([]), &exit(1)));
        let several = Retries::new(1).on([Cause::ExitCode(3), Cause::Spawn]);
        assert!(tries_again(&several, &exit(3)) && tries_again(&several, &program()));
    }

    #[test]
    fn a_job_has_so_many_further_attempts_and_its_own_number_counts_first() {
        let attempts = |retries: Retries, of_job| {
            let again = |attempt: &u32| retries.pause_after(*attempt, of_job, Seq::FIRST, &exit(1)).is_some();
            1 + (1..100).take_while(again).count()
        };
        assert_eq!(attempts(Retries::default(), None), 1);
        assert_eq!(attempts(Retries::new(2), None), 3);
        assert_eq!(attempts(Retries::new(2), Some(5)), 6);
        assert_eq!(attempts(Retries::new(2), Some(0)), 1);
        assert_eq!(attempts(Retries::default(), Some(1)), 2);
    }

    #[test]
    fn pauses_differ_by_job_and_are_the_same_for_the_same_seed() {
        let retries = Retries::new(9).delay(SECOND).seed(1);
        let second = Seq::FIRST.next();
        assert_ne!(retries.pause(1, Seq::FIRST), retries.pause(1, second));
        assert_ne!(retries.pause(1, Seq::FIRST), retries.clone().seed(2).pause(1, Seq::FIRST));
        assert_eq!(retries.pause(4, second), retries.clone().pause(4, second));
    }

    proptest! {
        #[test]
        fn a_pause_doubles_with_up_to_a_quarter_more_and_is_never_longer_than_the_longest(
            milliseconds in 0_u64..10_000, longest in 0_u64..100_000, seed: u64, attempt in 1_u32..10,
        ) {
            let delay = Duration::from_millis(milliseconds);
            let longest = Duration::from_millis(longest);
            let retries = Retries::new(9).delay(delay).seed(seed);
            let pause = retries.pause(attempt, Seq::FIRST);
            let doubled = delay * (1 << (attempt - 1));
            prop_assert!(doubled <= pause && pause <= doubled + doubled / 4);
            prop_assert_eq!(retries.longest_delay(longest).pause(attempt, Seq::FIRST), pause.min(longest));
        }

        #[test]
        fn no_delay_and_no_attempt_is_too_large(seconds: u64, attempt in 1_u32..) {
            let pause = Retries::new(u32::MAX).delay(Duration::from_secs(seconds)).pause(attempt, Seq::FIRST);
            prop_assert!(pause >= Duration::from_secs(seconds));
        }
    }
}
