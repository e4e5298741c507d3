//! Whether the job with a given key fails: the same seed gives each key the same fate, so that a test can
//! predict it.

use crate::random::generator;
use rand::Rng;

/// Whether the job of this `key` fails when a share of `rate` (0 to 1) of all keys is to fail.
///
/// A pure function, the same on every platform and in every version. A key that fails at some rate also
/// fails at any higher one; at 0 none fails, at 1 all do.
///
/// ```
/// let doomed = (0..1000).filter(|job| sleeper::fate::fails(7, job.to_string().as_bytes(), 0.2));
/// assert_eq!(doomed.count(), 200);
/// ```
#[must_use]
pub fn fails(seed: u64, key: &[u8], rate: f64) -> bool {
    let draw = f64::from(generator(seed, key).next_u32()) / (f64::from(u32::MAX) + 1.0);
    draw < rate
}

#[cfg(test)]
mod tests {
    use super::fails;

    fn doomed(seed: u64, rate: f64) -> Vec<u32> {
        let fails = |job: &u32| fails(seed, format!("job {job}").as_bytes(), rate);
        (0..1000).filter(fails).collect()
    }

    #[test]
    fn the_fate_never_changes() {
        assert_eq!(&doomed(7, 0.2)[..5], &[8, 17, 24, 25, 27]);
    }

    #[test]
    fn about_the_given_share_fails_and_another_seed_dooms_others() {
        assert!((150..250).contains(&doomed(7, 0.2).len()));
        assert!((150..250).contains(&doomed(8, 0.2).len()));
        assert_ne!(doomed(7, 0.2), doomed(8, 0.2));
    }

    #[test]
    fn a_higher_rate_dooms_the_same_and_more() {
        let more = doomed(7, 0.3);
        assert!(doomed(7, 0.2).iter().all(|job| more.contains(job)));
    }

    #[test]
    fn nobody_fails_at_zero_and_everybody_at_one() {
        assert!(doomed(7, 0.0).is_empty());
        assert_eq!(doomed(7, 1.0).len(), 1000);
    }
}
