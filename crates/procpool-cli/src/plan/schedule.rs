//! Sets how many jobs run, when, how often and for how long, by the options.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use procpool_core::{HaltRule, Pool, Retries, Runner};

use crate::args::{HaltChoice, ScheduleArgs, TimeLimit};

/// Applies all options but the limit to a pool.
pub(super) fn schedule<R: Runner>(args: &ScheduleArgs, pool: Pool<R>) -> Pool<R> {
    let mut pool = pool.retries(retries(args));
    if let Some(rule) = halt_rule(args) {
        pool = pool.halt_rule(rule);
    }
    if let Some(delay) = args.delay {
        pool = pool.delay(delay);
    }
    if let Some(load) = args.load {
        pool = pool.load_limit(load.0);
    }
    if let Some(bytes) = args.mem_free {
        pool = pool.memory_reserve(bytes);
    }
    if let Some(TimeLimit::Percent(percent)) = args.timeout {
        pool = pool.timeout_percent(percent);
    }
    if let Some(seed) = seed(args) {
        pool = pool.shuffle(seed);
    }
    pool
}

/// The seed of the shuffle, if jobs are shuffled.
pub(super) fn seed(args: &ScheduleArgs) -> Option<u64> {
    args.shuffle.then(|| args.seed.unwrap_or_else(any_seed))
}

/// The timeout of jobs that don't set one, unless it depends on how long jobs take.
pub(super) fn fixed_timeout(args: &ScheduleArgs) -> Option<Duration> {
    match args.timeout {
        Some(TimeLimit::Fixed(timeout)) => Some(timeout),
        Some(TimeLimit::Percent(_)) | None => None,
    }
}

pub(super) fn retries(args: &ScheduleArgs) -> Retries {
    let mut retries = Retries::new(args.retries);
    if let Some(delay) = args.retry_delay {
        retries = retries.delay(delay);
    }
    if let Some(longest) = args.retry_max_delay {
        retries = retries.longest_delay(longest);
    }
    match args.retry_on.as_slice() {
        [] => retries,
        causes => retries.on(causes.iter().copied()),
    }
}

pub(super) fn halt_rule(args: &ScheduleArgs) -> Option<HaltRule> {
    match args.halt {
        Some(HaltChoice::By(rule)) => Some(rule),
        Some(HaltChoice::Never) => None,
        None => args.fail_fast.then_some(HaltChoice::FAIL_FAST),
    }
}

/// A different seed each time.
fn any_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() ^ (u64::from(since.subsec_nanos()) << 32)
}
