//! How many descriptors a run needs, and what to do if fewer are allowed: pure. `plan/machine.rs` makes the
//! calls.

/// Descriptors of a run without jobs: standard streams, signals, halts, spool, input, and some inherited
/// ones.
const RUN: u64 = 20;

/// Descriptors of a running job: two pipes, and what reports its end.
const JOB: u64 = 3;

/// Further descriptors during a start: the job's ends of its pipes.
const START: u64 = 2;

/// How many jobs start at about the same time.
const AT_ONCE: u64 = 16;

/// The limit is not lowered below this: a job that finds no descriptor waits for one.
const FEW: usize = 4;

/// Descriptors that a run opens when it begins: for halts, and `/dev/null`.
const BEGIN: u64 = 3;

/// Descriptors that results or a journal open for a moment when a job has ended.
pub(crate) const SPARE: u64 = 6;

/// Descriptors of a record, or of a journal, at most.
pub(crate) const RECORD: u64 = 2;
pub(crate) const JOURNAL: u64 = 8;

/// How many descriptors must be free when a run begins, to run one job at a time.
pub(crate) fn for_one_job(spare: u64) -> u64 {
    BEGIN + JOB + START + spare
}

/// What is needed and what is allowed. `None` is no limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DescriptorNeed {
    /// Descriptors of all records together.
    pub(crate) records: u64,
    /// The most jobs that run at once.
    pub(crate) jobs: usize,
    pub(crate) soft: Option<u64>,
    pub(crate) hard: Option<u64>,
}

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DescriptorPlan {
    pub(crate) soft: SoftLimit,
    pub(crate) jobs: JobLimit,
}

/// The soft limit of descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SoftLimit {
    Keep,
    RaiseTo(u64),
}

/// The limit of jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobLimit {
    Keep,
    /// There are descriptors for this many.
    ClampTo(usize),
}

impl DescriptorNeed {
    pub(crate) fn plan(self) -> DescriptorPlan {
        let jobs = u64::try_from(self.jobs).unwrap_or(u64::MAX);
        // All of them may start at the same time. If that is too much, they wait for each other.
        let wanted = (JOB + START).saturating_mul(jobs).saturating_add(RUN + self.records);
        let hard = self.hard.unwrap_or(u64::MAX);
        let soft = match self.soft {
            Some(soft) if soft < wanted && soft < hard => SoftLimit::RaiseTo(wanted.min(hard)),
            _ => SoftLimit::Keep,
        };
        let left = hard.saturating_sub(RUN + self.records);
        let room = match left / (JOB + START) {
            few @ ..=AT_ONCE => few,
            _ => (left - START * AT_ONCE) / JOB,
        };
        let room = usize::try_from(room).unwrap_or(usize::MAX).max(FEW);
        let jobs = if self.jobs > room { JobLimit::ClampTo(room) } else { JobLimit::Keep };
        DescriptorPlan { soft, jobs }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plan(
        jobs: usize,
        soft: impl Into<Option<u64>>,
        hard: impl Into<Option<u64>>,
    ) -> (SoftLimit, JobLimit) {
        let DescriptorPlan { soft, jobs } =
            DescriptorNeed { records: 0, jobs, soft: soft.into(), hard: hard.into() }.plan();
        (soft, jobs)
    }

    #[test]
    fn what_records_need_comes_on_top() {
        let need = |hard| DescriptorNeed { records: 14, jobs: 10, soft: Some(32), hard: Some(hard) }.plan();
        assert_eq!(need(4096), DescriptorPlan { soft: SoftLimit::RaiseTo(84), jobs: JobLimit::Keep });
        assert_eq!(need(64), DescriptorPlan { soft: SoftLimit::RaiseTo(64), jobs: JobLimit::ClampTo(6) });
    }

    #[test]
    fn for_one_job_there_must_be_its_own_and_those_of_the_run() {
        assert_eq!([for_one_job(0), for_one_job(SPARE)], [8, 14]);
    }

    #[test]
    fn what_is_enough_is_not_touched() {
        assert_eq!(plan(4, 1024, 4096), (SoftLimit::Keep, JobLimit::Keep));
        assert_eq!(plan(4, 40, 4096), (SoftLimit::Keep, JobLimit::Keep));
        assert_eq!(plan(10_000, None, None), (SoftLimit::Keep, JobLimit::Keep));
    }

    #[test]
    fn the_soft_limit_is_raised_to_what_is_needed() {
        assert_eq!(plan(4, 39, 4096), (SoftLimit::RaiseTo(40), JobLimit::Keep));
        assert_eq!(plan(10_000, 1024, 1_048_576), (SoftLimit::RaiseTo(50_020), JobLimit::Keep));
        assert_eq!(plan(10_000, 1024, None), (SoftLimit::RaiseTo(50_020), JobLimit::Keep));
    }

    #[test]
    fn the_soft_limit_is_never_raised_above_the_hard_one() {
        assert_eq!(plan(10_000, 1024, 40_000), (SoftLimit::RaiseTo(40_000), JobLimit::Keep));
        assert_eq!(plan(10_000, 40_000, 40_000), (SoftLimit::Keep, JobLimit::Keep));
    }

    #[test]
    fn the_jobs_are_clamped_where_the_hard_limit_is_too_low() {
        assert_eq!(plan(10_000, 1024, 30_052), (SoftLimit::RaiseTo(30_052), JobLimit::Keep));
        assert_eq!(plan(10_000, 1024, 30_051), (SoftLimit::RaiseTo(30_051), JobLimit::ClampTo(9_999)));
        assert_eq!(plan(600, 64, 64), (SoftLimit::Keep, JobLimit::ClampTo(8)));
    }

    #[test]
    fn few_jobs_run_however_low_the_limit_is() {
        for allowed in [0, 1, 20] {
            assert_eq!(plan(1, allowed, allowed), (SoftLimit::Keep, JobLimit::Keep));
            assert_eq!(plan(4, allowed, allowed), (SoftLimit::Keep, JobLimit::Keep));
            assert_eq!(plan(50, allowed, allowed), (SoftLimit::Keep, JobLimit::ClampTo(4)));
        }
    }

    proptest! {
        #[test]
        fn it_is_never_lowered_never_past_the_hard_one_and_never_clamped_to_more(
            jobs in 1..=usize::MAX, soft: u64, above: u64,
        ) {
            let hard = soft.saturating_add(above);
            let (raised, clamped) = plan(jobs, soft, hard);
            if let SoftLimit::RaiseTo(to) = raised {
                prop_assert!(soft < to && to <= hard);
            }
            if let JobLimit::ClampTo(to) = clamped {
                prop_assert!((FEW..jobs).contains(&to));
            }
        }
    }
}
