//! Slices are taken away while shell scripts run in them whose children are killed first. Such a script may
//! then exit "normally", and must count neither as succeeded nor as failed. The jobs stamp what they have
//! really done.

use std::collections::BTreeSet;

use crate::case::{Case, numbers, printed};
use crate::cluster::{Cluster, Which};
use crate::outcomes::Outcomes;
use crate::wait_for;

/// The script of `sh job N`. If the file `go` exists, the job stamps that it is done. Otherwise it waits for
/// a child, and ends in one of four ways when the child is killed.
const JOB: &str = r#"if [ -e go ]; then
    echo "$1" >> done
else
    case $(($1 % 4)) in
    0) sleep 1000 ;;
    1) sleep 1000 || exit 1 ;;
    2) sleep 1000 | cat ;;
    3) trap 'exit 0' TERM; sleep 1000 & wait ;;
    esac
fi
echo "this is $1""#;

/// The recorded outcomes are true: each success is stamped, and no job has failed.
#[track_caller]
fn compare(outcomes: &Outcomes, case: &Case) {
    let done: BTreeSet<String> = case.read("done").lines().map(str::to_owned).collect();
    let untrue: Vec<String> = outcomes.succeeded().difference(&done).cloned().collect();
    assert!(untrue.is_empty(), "recorded as success, and killed: {untrue:?}");
    assert!(outcomes.failed().is_empty(), "recorded as failed, and killed: {:?}", outcomes.failed());
}

/// All jobs have succeeded. The `running` ones were killed once, and so may be those that started in their
/// places.
#[track_caller]
fn all_are_done(case: &Case, count: usize, running: usize) {
    let outcomes = case.outcomes("J");
    compare(&outcomes, case);
    outcomes.all_succeeded(count);
    let starts = case.starts().len();
    assert!((count + running..=count + running + (count - running)).contains(&starts), "{starts} starts");
}

/// For `scontrol requeue` and other ways to restart an array all of whose slices run.
fn begins_anew(take_away: impl FnOnce(&Case)) {
    let case = Case::new(Cluster::shared());
    case.job(JOB);
    let running = case.start("run -k --on slurm --slices 4 -j8 --journal J -- sh job {}", &numbers(40));
    case.wait_for_starts(32);
    case.write("go", "");
    take_away(&case);
    let ended = running.end().exited(0);
    assert_eq!(ended.text(), printed(40));
    all_are_done(&case, 40, 32);
    assert_eq!(case.records("J", "array").len(), 1);
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn what_a_requeue_kills_has_not_ended() {
    begins_anew(|case| {
        for array in case.arrays(Which::Queued) {
            case.cluster.ask(&format!("scontrol requeue {array}"));
        }
    });
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn what_is_preempted_has_not_ended() {
    begins_anew(|case| {
        let urgent =
            "sbatch --partition=urgent --nodes=4 --exclusive --chdir=/ --output=/dev/null --wrap=true";
        case.cluster.ask(urgent);
    });
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn what_is_cancelled_has_not_ended() {
    let case = Case::new(Cluster::shared());
    case.job(JOB);
    let running = case.start("run -k --on slurm --slices 4 -j8 --journal J -- sh job {}", &numbers(40));
    case.wait_for_starts(32);
    case.write("go", "");
    for array in case.arrays(Which::Queued) {
        case.cluster.ask(&format!("scancel {array}"));
    }
    let ended = running.end().exited(3).said("cancelled");
    assert_eq!(ended.text(), "");
    let outcomes = case.outcomes("J");
    compare(&outcomes, &case);
    assert!(outcomes.succeeded().is_empty(), "{outcomes:?}");

    assert_eq!(case.end("resume J", "").exited(0).text(), printed(40));
    all_are_done(&case, 40, 32);
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn what_ran_on_a_node_that_is_set_down_has_not_ended() {
    let case = Case::new(Cluster::own("--nodes 1"));
    case.job(JOB);
    let running = case.start("run -k --on slurm --slices 1 -j8 --journal J -- sh job {}", &numbers(12));
    case.wait_for_starts(8);
    case.write("go", "");
    case.cluster.ask("scontrol update nodename=n1 state=down reason=test");
    wait_for("the node is back", || {
        // Slurm refuses this while the node has processes to end, or if it is back already.
        case.cluster.asked("scontrol update nodename=n1 state=resume");
        let state = case.cluster.ask("sinfo --noheader --partition=main --format=%T");
        ["idle", "mixed", "allocated"].contains(&state.trim())
    });
    let ended = running.end().exited(0);
    assert_eq!(ended.text(), printed(12));
    all_are_done(&case, 12, 8);
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn what_runs_when_the_time_of_a_slice_is_over_has_not_ended() {
    // Slurm's shortest time limit is a minute, so the case has its own cluster and delays no other.
    let case = Case::new(Cluster::own("--nodes 1"));
    case.job(JOB);
    let run = "run -k --on slurm --slices 1 -j8 --time 1m --journal J -- sh job {}";
    let running = case.start(run, &numbers(12));
    case.wait_for_starts(8);
    case.write("go", "");
    let ended = running.end().exited(0);
    assert_eq!(ended.text(), printed(12));
    all_are_done(&case, 12, 8);
}
