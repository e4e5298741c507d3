//! What a job costs in the schedule: its key, its slot, its retries.

use divan::{Bencher, counter::ItemsCount};
use procpool_core::{End, Limit, Outcome, Ran, Retries, Status, benching};

/// Without optimisation the benchmark is only tried, not measured.
const JOBS: u64 = if cfg!(debug_assertions) { 1_000 } else { 100_000 };

fn main() {
    divan::main();
}

fn exited(status: u8) -> Outcome {
    Outcome::from(Ran::new(End::Itself(Status::Exited(status))))
}

#[divan::bench(args = [1, 8, 1000])]
fn all_succeed(bencher: Bencher, slots: usize) {
    let limit = Limit::new(slots).expect("a limit");
    bencher
        .counter(ItemsCount::new(JOBS))
        .bench(|| benching::schedule(limit, JOBS, Retries::default(), |_| exited(0)));
}

/// Each job fails once.
#[divan::bench(args = [1, 8, 1000])]
fn all_are_tried_twice(bencher: Bencher, slots: usize) {
    let limit = Limit::new(slots).expect("a limit");
    bencher.counter(ItemsCount::new(JOBS)).bench(|| {
        let fails_first = |attempt| exited(u8::from(attempt == 1));
        benching::schedule(limit, JOBS, Retries::new(1), fails_first)
    });
}
