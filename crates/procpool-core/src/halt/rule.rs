//! The rule by which a run halts itself: after so many jobs have failed, succeeded or ended.

use crate::data::status::Signal;
use crate::halt::Halt;

/// The rule by which a run halts itself, with the meaning of GNU parallel's `--halt`; see
/// [`Pool::halt_rule`](crate::Pool::halt_rule).
///
/// A job counts once, after its last attempt. Jobs that the run ended or never reached don't count.
///
/// ```
/// use procpool_core::{Command, HaltQuantity, HaltRule, HaltWhen, HaltWhy, Job, Limit, Pool};
///
/// let rule = HaltRule { when: HaltWhen::Now, why: HaltWhy::Fail, quantity: HaltQuantity::Number(1) };
/// let jobs = ["true", "false", "true"].map(|program| Job::new(program, Command::new(program)));
/// let mut run = Pool::new(Limit::new(1)?).halt_rule(rule).run(jobs)?;
/// let handle = run.handle();
/// let started = run.filter(|done| done.slot.is_some()).count();
/// assert_eq!(started, 2);
/// assert_eq!(handle.snapshot().reached, Some(rule));
/// # Ok::<(), procpool_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HaltRule {
    /// How soon.
    pub when: HaltWhen,
    /// Which jobs count.
    pub why: HaltWhy,
    /// How many of them must have ended.
    pub quantity: HaltQuantity,
}

/// How soon a run halts whose rule is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HaltWhen {
    /// Start nothing new and let running jobs finish: [`Halt::Drain`].
    Soon,
    /// Start nothing new and end running jobs by TERM, the grace time, KILL: [`Halt::Stop`].
    Now,
}

/// Which jobs count towards a [`HaltRule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HaltWhy {
    /// Those that failed.
    Fail,
    /// Those that succeeded.
    Success,
    /// Both.
    Done,
}

/// How many jobs reach a [`HaltRule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HaltQuantity {
    /// This many. 0 counts as 1: no rule is reached without a job.
    Number(u64),
    /// This percentage of all jobs. If the length of the input isn't known, all of it is read into memory while
    /// the first jobs run, and the rule applies once that is done. More than 100 is never reached.
    Percent(u8),
}

/// How many jobs are done, by result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HaltCounts {
    /// Jobs that failed.
    pub failed: u64,
    /// Jobs that succeeded.
    pub succeeded: u64,
}

impl HaltRule {
    /// Whether the rule can be judged only when the number of all jobs is known.
    pub(crate) fn needs_total(self) -> bool {
        matches!(self.quantity, HaltQuantity::Percent(_))
    }

    /// Whether these counts reach the rule. `total` is the number of all jobs, if it is known.
    #[must_use]
    pub fn is_reached(self, counts: HaltCounts, total: Option<u64>) -> bool {
        let count = match self.why {
            HaltWhy::Fail => counts.failed,
            HaltWhy::Success => counts.succeeded,
            HaltWhy::Done => counts.failed + counts.succeeded,
        };
        let is_enough = match self.quantity {
            HaltQuantity::Number(number) => count >= number,
            HaltQuantity::Percent(percent) => {
                total.is_some_and(|total| u128::from(count) * 100 >= u128::from(total) * u128::from(percent))
            }
        };
        count > 0 && is_enough
    }

    /// The level to which it halts the run.
    #[must_use]
    pub fn halt(self) -> Halt {
        match self.when {
            HaltWhen::Soon => Halt::Drain,
            HaltWhen::Now => Halt::Stop(Signal::TERM),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(
        why: HaltWhy,
        quantity: HaltQuantity,
        (failed, succeeded): (u64, u64),
        total: Option<u64>,
    ) -> bool {
        let rule = HaltRule { when: HaltWhen::Soon, why, quantity };
        rule.is_reached(HaltCounts { failed, succeeded }, total)
    }

    #[test]
    fn a_number_is_reached_by_those_that_count() {
        use HaltQuantity::Number;
        assert!(!reached(HaltWhy::Fail, Number(2), (1, 9), None));
        assert!(reached(HaltWhy::Fail, Number(2), (2, 0), None));
        assert!(!reached(HaltWhy::Success, Number(2), (9, 1), None));
        assert!(reached(HaltWhy::Success, Number(2), (0, 3), None));
        assert!(!reached(HaltWhy::Done, Number(3), (1, 1), None));
        assert!(reached(HaltWhy::Done, Number(3), (1, 2), None));
    }

    #[test]
    fn a_percentage_is_of_all_jobs_and_not_judged_before_they_are_known() {
        use HaltQuantity::Percent;
        assert!(!reached(HaltWhy::Fail, Percent(50), (9, 0), None));
        assert!(!reached(HaltWhy::Fail, Percent(50), (1, 0), Some(3)));
        assert!(reached(HaltWhy::Fail, Percent(50), (2, 0), Some(3)));
        assert!(reached(HaltWhy::Done, Percent(100), (1, 2), Some(3)));
        assert!(!reached(HaltWhy::Done, Percent(101), (1, 2), Some(3)));
    }

    #[test]
    fn it_takes_a_job_to_reach_a_rule() {
        for quantity in [HaltQuantity::Number(0), HaltQuantity::Percent(0)] {
            assert!(!reached(HaltWhy::Fail, quantity, (0, 5), Some(5)));
            assert!(reached(HaltWhy::Fail, quantity, (1, 0), Some(5)));
        }
        assert!(!reached(HaltWhy::Done, HaltQuantity::Percent(50), (0, 0), Some(0)));
    }
}
