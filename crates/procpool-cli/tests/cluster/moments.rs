//! Slices are taken away at random moments (requeued, preempted, cancelled), again and again: no success is
//! recorded that was none, and no job is lost.
//!
//! `CLUSTER_MOMENTS` sets how often (default 3), `CLUSTER_SEED` the random seed.

use std::collections::BTreeSet;
use std::env;
use std::thread;
use std::time::Duration;

use crate::case::{Case, numbers};
use crate::cluster::{Cluster, Which};
use crate::comes_true;
use crate::running::Running;

/// Stamps that it is done unless its child was killed, and ends in one of four ways that hide a killed child.
const JOB: &str = r#"length=0.$(($1 * 7 % 9))$1
case $(($1 % 4)) in
0) sleep $length && echo "$1" >> done; echo "this is $1" ;;
1) sleep $length && echo "$1" >> done || exit 1 ;;
2) { sleep $length && echo "$1" >> done; } | cat ;;
3) trap 'exit 0' TERM; sleep $length & wait $! && echo "$1" >> done ;;
esac"#;

const JOBS: usize = 200;

/// How slices are taken away from an array.
#[derive(Clone, Copy, Debug)]
enum Blow {
    Requeue,
    Preempt,
    Cancel,
}

const BLOWS: [Blow; 3] = [Blow::Requeue, Blow::Preempt, Blow::Cancel];

/// A pseudo-random number generator.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn at_any_moment_what_is_recorded_is_what_was_done() {
    let (moments, seed) = (number("CLUSTER_MOMENTS", 3), number("CLUSTER_SEED", 1));
    let mut random = Random(seed);
    let mut struck: u64 = 0;
    while struck < moments {
        let case = Case::new(Cluster::shared());
        case.job(JOB);
        let mut command = "run --on slurm --slices 4 -j8 --journal J -- sh job {}";
        let mut input = numbers(JOBS);
        loop {
            let mut running = case.start(command, &input);
            while struck < moments && works(&case, &mut running) {
                // This waits for no fact: it chooses the random moment.
                thread::sleep(Duration::from_millis(random.below(1500)));
                let blow = BLOWS[usize::try_from(struck % 3).unwrap()];
                if !strike(&case, blow) {
                    break;
                }
                struck += 1;
                eprintln!("moment {struck} of seed {seed}: {blow:?} after {} starts", case.starts().len());
            }
            let ended = running.end();
            compare(&case);
            if ended.code() == Some(0) {
                break;
            }
            ended.exited(3).said("cancelled").said_nothing_of("lost");
            (command, input) = ("resume J", String::new());
        }
        case.outcomes("J").all_succeeded(JOBS);
    }
}

/// Waits until jobs start or the run has ended. Returns whether it still runs.
fn works(case: &Case, running: &mut Running) -> bool {
    let before = case.starts().len();
    let works = comes_true(crate::DEADLINE, || case.starts().len() > before + 4 || running.has_ended());
    assert!(works, "nothing starts any more: {}", running.error_text());
    !running.has_ended()
}

/// Returns whether there was an array left to strike.
fn strike(case: &Case, blow: Blow) -> bool {
    let arrays = case.arrays(Which::Queued);
    let order = |order: &str| arrays.iter().any(|array| case.cluster.asked(&format!("{order} {array}")));
    match blow {
        Blow::Requeue => order("scontrol requeue"),
        Blow::Cancel => order("scancel"),
        Blow::Preempt => {
            let urgent =
                "sbatch --partition=urgent --nodes=4 --exclusive --chdir=/ --output=/dev/null --wrap=true";
            !arrays.is_empty() && case.cluster.asked(urgent)
        }
    }
}

/// The recorded outcomes are those that the jobs have stamped.
#[track_caller]
fn compare(case: &Case) {
    let outcomes = case.outcomes("J");
    let done: BTreeSet<String> = case.read("done").lines().map(str::to_owned).collect();
    let untrue: Vec<String> = outcomes.succeeded().difference(&done).cloned().collect();
    assert!(untrue.is_empty(), "recorded as success, and killed: {untrue:?}");
    assert!(outcomes.failed().is_empty(), "recorded as failed, and killed: {:?}", outcomes.failed());
}
