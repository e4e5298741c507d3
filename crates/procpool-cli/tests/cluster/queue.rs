//! A user requeues or cancels an array by hand, or Slurm ends it because its time is over.

use crate::case::{Case, numbers, printed};
use crate::cluster::{Cluster, Which};

/// Waits to be cancelled, unless the file `go` exists.
const PATIENT: &str = "[ -e go ] || sleep 1000; echo \"this is $1\"";

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn a_slice_that_is_put_back_in_the_queue_goes_on_where_it_was() {
    let case = Case::new(Cluster::shared());
    case.job("[ -e go ] || [ $1 -le 4 ] || sleep 1000; echo \"this is $1\"");
    let running = case.start("run -k --on slurm --slices 1 -j8 --journal J -- sh job {}", &numbers(20));
    case.wait_for_starts(12);
    case.wait_for_records("J", 4);
    case.write("go", "");
    for array in case.arrays(Which::Queued) {
        case.cluster.ask(&format!("scontrol requeue {array}"));
    }
    let ended = running.end().exited(0);
    assert_eq!(ended.text(), printed(20));
    case.outcomes("J").all_succeeded(20);
    // Besides the 20: the 8 that ran, and those that started in their places and may have ended just then.
    let count = case.starts().len();
    assert!((20 + 8..=20 + 8 + 8).contains(&count), "{count} starts");
    assert_eq!(case.records("J", "array").len(), 1);
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn an_array_that_somebody_cancels_is_not_submitted_again_until_a_resume() {
    let case = Case::new(Cluster::shared());
    case.job(PATIENT);
    let running = case.start("run -k --on slurm --slices 4 -j8 --journal J -- sh job {}", &numbers(40));
    case.wait_for_starts(32);
    for array in case.arrays(Which::Queued) {
        case.cluster.ask(&format!("scancel {array}"));
    }
    running.end().exited(3).said("cancelled");
    assert_eq!(case.records("J", "array").len(), 1);

    case.write("go", "");
    let ended = case.end("resume J", "").exited(0);
    case.outcomes("J").all_succeeded(40);
    assert_eq!(ended.text(), printed(40));
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn what_a_slice_leaves_when_its_time_is_over_is_run_by_another() {
    // Slurm's shortest time limit is a minute, so the case has its own cluster and delays no other.
    let case = Case::new(Cluster::own("--nodes 1"));
    case.job("[ $1 != 1 ] || [ $(grep -c '^1 ' starts) = 2 ] || sleep 1000; echo \"this is $1\"");
    let run = "run -k --on slurm --slices 1 -j1 --time 1m --journal J -- sh job {}";
    let ended = case.end(run, &numbers(3)).exited(0);
    assert_eq!(ended.text(), printed(3));
    case.outcomes("J").all_succeeded(3);
    assert_eq!(case.starts().len(), 4);
}
