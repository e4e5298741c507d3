//! Decides whether a failed start is tried again, and after which pause. Pure.

use std::io;
use std::time::Duration;

use crate::sys::is_shortage;

/// Counts the attempts of one start.
#[derive(Debug, Default)]
pub(crate) struct StartRetries {
    made: u32,
}

/// Whether other jobs run, whose end will free resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OtherJobs {
    Running,
    None,
}

/// A program file that is being written (ETXTBSY) is either closed soon or stays open: 1 + 2 + … + 64 + 100 + 100 ms.
const TRIES_WHILE_BUSY: u32 = 9;

/// If no other job holds what is missing, something outside does: about 2 s.
const TRIES_ALONE: u32 = 26;

const LONGEST_PAUSE: Duration = Duration::from_millis(100);

impl StartRetries {
    /// The pause before the next attempt after this error; `None` to give up.
    ///
    /// What the machine lacks comes back when other jobs end, however long they take. Giving up before that would
    /// lose jobs to a limit that is just too high.
    pub(crate) fn after(&mut self, error: &io::Error, others: OtherJobs) -> Option<Duration> {
        let most = match (is_shortage(error), others) {
            (true, OtherJobs::Running) => u32::MAX,
            (true, OtherJobs::None) => TRIES_ALONE,
            (false, _) if error.raw_os_error() == Some(libc::ETXTBSY) => TRIES_WHILE_BUSY,
            (false, _) => return None,
        };
        if self.made >= most {
            return None;
        }
        let pause = Duration::from_millis(1 << self.made.min(10)).min(LONGEST_PAUSE);
        self.made = self.made.saturating_add(1);
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(code: i32, others: OtherJobs) -> Vec<u128> {
        let mut tries = StartRetries::default();
        let error = io::Error::from_raw_os_error(code);
        std::iter::from_fn(|| tries.after(&error, others)).map(|pause| pause.as_millis()).take(1000).collect()
    }

    #[test]
    fn what_time_does_not_heal_is_not_tried_again() {
        for code in [libc::ENOENT, libc::EACCES, libc::E2BIG, libc::ENOEXEC] {
            assert!(pauses(code, OtherJobs::Running).is_empty());
        }
    }

    #[test]
    fn a_busy_file_gets_a_few_tries_at_growing_pauses() {
        assert_eq!(pauses(libc::ETXTBSY, OtherJobs::Running), [1, 2, 4, 8, 16, 32, 64, 100, 100]);
    }

    #[test]
    fn what_other_jobs_hold_is_waited_for_as_long_as_they_run() {
        for code in [libc::EAGAIN, libc::ENOMEM, libc::EMFILE, libc::ENFILE] {
            assert_eq!(pauses(code, OtherJobs::Running).len(), 1000);
            let alone = pauses(code, OtherJobs::None);
            assert!((1000..5000).contains(&alone.iter().sum::<u128>()), "{alone:?}");
        }
    }
}
