//! When a procpool is killed, and which of its processes.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;

use crate::target::Target;

/// A KILL at a moment.
#[derive(Debug)]
pub(crate) struct PlannedKill {
    /// Also all three at once: then no process is left to clean up.
    pub(crate) victim: Target,
    pub(crate) moment: KillPoint,
    /// At the latest after this many starts of jobs.
    pub(crate) most_starts: u64,
}

/// The moment of a KILL.
#[derive(Debug, PartialEq)]
pub(crate) enum KillPoint {
    /// This long after procpool's start; mostly before a job runs.
    After(Duration),
    /// After this many starts of jobs.
    Started(u64),
    /// After this many more bytes of the journal.
    Recorded(u64),
    /// After this many more bytes of output.
    Printed(u64),
}

/// What is left to be done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remaining {
    pub(crate) jobs: u64,
    pub(crate) kills: u64,
    /// The last measured time from procpool's start to its first job.
    pub(crate) way_to_first_job: Duration,
}

impl PlannedKill {
    /// The next kill, planned so that the jobs last for all kills that are left.
    pub(crate) fn random(random: &mut StdRng, limit: u64, left: Remaining) -> PlannedKill {
        // Each kill makes the running jobs start again.
        let fair = left.jobs / left.kills.max(1) + limit / 2;
        let most_starts = random.random_range(0..=2 * fair);
        let moment = match random.random_range(0..8) {
            0 | 1 => KillPoint::After(left.way_to_first_job.mul_f64(random.random_range(0.0..1.3))),
            2..=4 => KillPoint::Started(random.random_range(0..=most_starts)),
            5 => KillPoint::Recorded(random.random_range(1..=1_000 * (fair + 1))),
            _ => KillPoint::Printed(random.random_range(1..=5_000 * (fair + 1))),
        };
        let victim = Target::random(&Target::EVERY, random);
        PlannedKill { victim, moment, most_starts }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::mem::discriminant;

    use rand::SeedableRng;

    use super::*;

    #[test]
    fn every_moment_and_every_victim_comes_and_never_are_more_jobs_started_than_is_fair() {
        let random = &mut StdRng::seed_from_u64(7);
        let left = Remaining {
            jobs: 5000,
            kills: 1000,
            way_to_first_job: Duration::from_millis(20),
        };
        let kills: Vec<PlannedKill> = (0..1000).map(|_| PlannedKill::random(random, 8, left)).collect();
        let kinds: HashSet<_> =
            kills.iter().map(|planned| (planned.victim, discriminant(&planned.moment))).collect();
        assert_eq!(kinds.len(), Target::EVERY.len() * 4);
        assert_eq!(kills.iter().map(|planned| planned.most_starts).max(), Some(18));
        assert!(kills.iter().any(|planned| planned.moment == KillPoint::Started(0)));
    }
}
