//! How many jobs run, when, how often and for how long, by what was typed.
//! Knows nothing of what they are.

use procpool_core::{HaltRule, Pool, Retries, Runner};

use crate::args::{Halting, ScheduleArgs};

/// Tells a pool all but the limit.
pub(super) fn schedule<R: Runner>(args: &ScheduleArgs, pool: Pool<R>) -> Pool<R> {
    let mut pool = pool.retries(retries(args));
    if let Some(rule) = halt_rule(args) {
        pool = pool.halt_rule(rule);
    }
    if let Some(delay) = args.delay {
        pool = pool.delay(delay);
    }
    pool
}

fn retries(args: &ScheduleArgs) -> Retries {
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

fn halt_rule(args: &ScheduleArgs) -> Option<HaltRule> {
    match args.halt {
        Some(Halting::By(rule)) => Some(rule),
        Some(Halting::Never) => None,
        None => args.fail_fast.then_some(Halting::FAIL_FAST),
    }
}
