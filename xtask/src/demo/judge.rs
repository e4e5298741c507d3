//! What the sleepers' stamps say about a run: how many ran at once, and how long it took compared with the
//! best schedule.

use std::fmt;
use std::time::Duration;

use anyhow::{Result, ensure};
use sleeper::stamp::{self, Interval};

/// A run's figures, beside the best possible ones.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RunTimes {
    /// The most that ran at once, and the most that could.
    peak: usize,
    possible_peak: usize,
    /// How long the run took, how long the best order of the jobs takes, and how long theirs takes if no
    /// slot stays idle.
    wall: Duration,
    best: Duration,
    in_order: Duration,
}

impl RunTimes {
    /// The figures of a run of jobs that take `times`, `limit` at a time, from their stamps.
    pub(crate) fn of(times: &[Duration], limit: usize, stamps: &[Interval]) -> RunTimes {
        RunTimes {
            peak: stamp::peak(stamps),
            possible_peak: limit.min(times.len()),
            wall: stamp::wall(stamps),
            best: best(times, &mut vec![Duration::ZERO; limit]),
            in_order: in_order(times, limit),
        }
    }

    /// # Errors
    /// More or fewer ran at once than should, or the run took less time than is possible, or much more than
    /// is needed: more than starting five processes takes on a busy machine.
    pub(crate) fn check(&self) -> Result<()> {
        let RunTimes { peak, possible_peak, wall, best, in_order } = *self;
        ensure!(peak == possible_peak, "{peak} ran at once, not {possible_peak}");
        ensure!(wall >= best, "{wall:.2?} is faster than possible: they did not all sleep");
        let patience = in_order.mul_f64(1.25) + Duration::from_secs(1);
        ensure!(wall <= patience, "{wall:.2?} where {in_order:.2?} are needed: slots stood idle");
        Ok(())
    }
}

impl fmt::Display for RunTimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RunTimes { peak, wall, best, in_order, .. } = self;
        let ratio = wall.as_secs_f64() / best.as_secs_f64();
        write!(
            f,
            "stamps: at most {peak} at once; {wall:.2?}, where the best possible schedule takes {best:.2?} \
             ({ratio:.3} times that) and this order {in_order:.2?}"
        )
    }
}

/// When the last job ends if each takes the first free slot.
fn in_order(times: &[Duration], limit: usize) -> Duration {
    let mut slots = vec![Duration::ZERO; limit];
    for time in times {
        if let Some(first_free) = slots.iter_mut().min() {
            *first_free += *time;
        }
    }
    slots.into_iter().max().unwrap_or_default()
}

/// When the last job ends in the best schedule, if slots become free at these times. Tries all schedules.
fn best(times: &[Duration], slots: &mut [Duration]) -> Duration {
    let Some((time, rest)) = times.split_first() else {
        return slots.iter().copied().max().unwrap_or_default();
    };
    let mut least = Duration::MAX;
    for slot in 0..slots.len() {
        slots[slot] += *time;
        least = least.min(best(rest, slots));
        slots[slot] -= *time;
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(times: &[u64]) -> Vec<Duration> {
        times.iter().copied().map(Duration::from_secs).collect()
    }

    fn ran(start: u64, end: u64) -> Interval {
        let (start, end) = (Duration::from_secs(start), Some(Duration::from_secs(end)));
        Interval { key: b"a".to_vec(), pid: 1, start, end }
    }

    #[test]
    fn the_best_schedule_may_beat_the_order_of_the_input() {
        let times = seconds(&[2, 2, 3, 3, 4]);
        assert_eq!(in_order(&times, 2), Duration::from_secs(9));
        assert_eq!(best(&times, &mut [Duration::ZERO; 2]), Duration::from_secs(7));
    }

    #[test]
    fn a_run_is_judged_by_its_stamps() {
        let judge = |stamps: &[Interval]| RunTimes::of(&seconds(&[4, 4, 4]), 2, stamps).check();
        assert!(judge(&[ran(0, 4), ran(0, 4), ran(4, 8)]).is_ok());
        let error = |stamps: &[Interval]| judge(stamps).unwrap_err().to_string();
        assert!(error(&[ran(0, 4), ran(4, 8), ran(8, 12)]).starts_with("1 ran at once"));
        assert!(error(&[ran(0, 4), ran(0, 4), ran(0, 4)]).starts_with("3 ran at once"));
        assert!(error(&[ran(0, 1), ran(0, 1), ran(1, 2)]).contains("faster than possible"));
        assert!(error(&[ran(0, 4), ran(0, 4), ran(40, 44)]).contains("slots stood idle"));
    }
}
