//! `--exit-code`: other numbers for the exit status, as GNU parallel has them.

use crate::exit::ExitStatus;

/// What the exit status counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scale {
    /// The number of jobs that failed, as GNU parallel has it.
    Count,
    /// The largest status of a job.
    Max,
}

/// What these numbers follow from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct JobFailures {
    pub(crate) count: u64,
    /// 0 if there was none.
    pub(crate) largest: u8,
}

/// For bad input and for failures of procpool itself, as in GNU parallel. 2 and 3 would be mistaken for counts.
const OTHER: u8 = 255;

/// More failures than this have the same number.
const MOST_COUNTED: u8 = 101;

impl Scale {
    /// Replaces procpool's own status.
    pub(crate) fn apply(self, end: ExitStatus, failures: JobFailures) -> ExitStatus {
        match (end, self) {
            (ExitStatus::Success | ExitStatus::Signal(_) | ExitStatus::Scaled(_), _) => end,
            (ExitStatus::JobsFailed, Scale::Count) => ExitStatus::Scaled(
                u8::try_from(failures.count).unwrap_or(MOST_COUNTED).clamp(1, MOST_COUNTED),
            ),
            (ExitStatus::JobsFailed, Scale::Max) => ExitStatus::Scaled(failures.largest.max(1)),
            (ExitStatus::BadInput | ExitStatus::OwnFailure, _) => ExitStatus::Scaled(OTHER),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(scale: Scale, end: ExitStatus, count: u64, largest: u8) -> i32 {
        scale.apply(end, JobFailures { count, largest }).number()
    }

    #[test]
    fn failures_are_counted_up_to_101() {
        for (count, status) in [(1, 1), (3, 3), (100, 100), (101, 101), (102, 101), (1_000_000, 101)] {
            assert_eq!(told(Scale::Count, ExitStatus::JobsFailed, count, 7), status);
        }
    }

    #[test]
    fn the_largest_status_of_a_job_is_told_and_never_0() {
        assert_eq!(told(Scale::Max, ExitStatus::JobsFailed, 3, 137), 137);
        assert_eq!(told(Scale::Max, ExitStatus::JobsFailed, 3, 0), 1);
    }

    #[test]
    fn what_is_no_failure_of_a_job_is_told_apart_and_success_stays_0() {
        for scale in [Scale::Count, Scale::Max] {
            assert_eq!(told(scale, ExitStatus::BadInput, 2, 2), 255);
            assert_eq!(told(scale, ExitStatus::OwnFailure, 3, 3), 255);
            assert_eq!(told(scale, ExitStatus::Success, 0, 0), 0);
            assert_eq!(told(scale, ExitStatus::Signal(2), 1, 1), 130);
        }
    }
}
