//! When a machine loses its power: mostly while results are recorded, sometimes while it starts or resumes.
//! All of it follows from a seed. Pure.

use std::fmt;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// The moment of a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// This long after the machine was started.
    SwitchedOn(Duration),
    /// This long after its run or resume began.
    Begun(Duration),
    /// This long after this many results were seen.
    Seen(u32, Duration),
}

/// How many of a hundred moments come after results.
const AFTER_RESULTS: u32 = 75;
const IN_A_START: u32 = 10;

/// One moment for each cut, always the same for a seed.
pub(crate) fn moments(seed: u64, cuts: u64) -> Vec<Moment> {
    let mut random = StdRng::seed_from_u64(seed);
    (0..cuts).map(|_| moment(&mut random)).collect()
}

fn moment(random: &mut StdRng) -> Moment {
    let chance = random.random_range(0..100);
    let mut up_to = |milliseconds: u64| Duration::from_micros(random.random_range(0..milliseconds * 1000));
    if chance < AFTER_RESULTS {
        let after = up_to(120);
        Moment::Seen(random.random_range(1..=20), after)
    } else if chance < AFTER_RESULTS + IN_A_START {
        // The machine is up after about three seconds, or later on a busy host.
        Moment::SwitchedOn(Duration::from_secs(2) + up_to(3000))
    } else {
        Moment::Begun(up_to(1000))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Moment::SwitchedOn(after) => write!(f, "{after:.1?} after it was switched on"),
            Moment::Begun(after) => write!(f, "{after:.1?} after the run was begun"),
            Moment::Seen(results, after) => write!(f, "{after:.1?} after result {results}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_has_the_same_moments_every_time() {
        assert_eq!(moments(7, 20), moments(7, 20));
        assert_ne!(moments(7, 20), moments(8, 20));
    }

    #[test]
    fn twenty_cuts_hit_records_more_often_than_anything_else() {
        let all = moments(1, 1000);
        let count = |is: fn(&Moment) -> bool| all.iter().filter(|moment| is(moment)).count();
        assert!((700..800).contains(&count(|moment| matches!(moment, Moment::Seen(..)))));
        assert!(count(|moment| matches!(moment, Moment::SwitchedOn(_))) > 50);
        assert!(count(|moment| matches!(moment, Moment::Begun(_))) > 50);
    }
}
