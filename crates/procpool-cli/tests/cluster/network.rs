//! A node is cut off from the controller and goes on working, so its jobs are started a second time
//! elsewhere: each counts once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::case::{Case, Start, numbers, printed};
use crate::cluster::Cluster;
use crate::wait_for;

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn jobs_that_end_on_both_sides_of_a_broken_network_count_once() {
    let case = Case::new(Cluster::own(""));
    // Ends when the case allows it, separately for each node and each of its tries.
    case.job(
        r#"until [ -e "go-$SLURMD_NODENAME-${SLURM_RESTART_COUNT:-0}" ] && [ ! -e "hold-$1" ]; do sleep 0.2; done
echo "this is $1""#,
    );
    let go = |node: &str, again: u32| case.write(&format!("go-{node}-{again}"), "");
    let run = "run -k --on slurm --slices 4 -j8 --journal J -- sh job {}";
    let running = case.start(run, &numbers(32));
    case.wait_for_starts(32);
    let lost = case.starts().pop().unwrap().node;
    let (there, elsewhere): (Vec<Start>, Vec<Start>) =
        case.starts().into_iter().partition(|start| start.node == lost);
    assert_eq!(there.len(), 8);
    // The run goes on as long as one job does, but doesn't wait for jobs whose outcome it already has.
    let held = format!("hold-{}", elsewhere[0].key);
    case.write(&held, "");

    case.cluster.order(&format!("cut-node {lost}"));
    let others: BTreeSet<&str> = elsewhere.iter().map(|start| start.node.as_str()).collect();
    for node in &others {
        go(node, 0);
    }
    case.wait_for_starts(32 + 8);
    go(&lost, 0);
    wait_for("all but one have ended once", || case.outcomes("J").ended() == 31);
    for node in &others {
        go(node, 1);
    }
    wait_for("one slice is left", || case.cluster.ask("squeue --noheader --array").lines().count() == 1);
    fs::remove_file(case.file(&held)).unwrap();

    let ended = running.end().exited(0).said("8 jobs ended twice");
    let expected = printed(32);
    assert!(ended.text() == expected, "{}", ended.describe());
    case.outcomes("J").all_succeeded(32);
    let there: BTreeSet<String> = there.into_iter().map(|start| start.key).collect();
    let mut starts: BTreeMap<String, usize> = BTreeMap::new();
    for start in case.starts() {
        *starts.entry(start.key).or_default() += 1;
    }
    assert!(starts.iter().all(|(key, count)| *count == 1 + usize::from(there.contains(key))), "{starts:?}");
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn at_most_once_never_starts_a_job_a_second_time() {
    let case = Case::new(Cluster::own("--nodes 2"));
    case.job(r#"until [ -e "go-$SLURMD_NODENAME" ]; do sleep 0.2; done"#);
    let run = "run --on slurm --at-most-once --slices 2 -j8 --journal J -- sh job {}";
    let running = case.start(run, &numbers(16));
    case.wait_for_starts(16);
    let lost = case.starts().pop().unwrap().node;
    case.cluster.order(&format!("kill-node {lost}"));
    for node in ["n1", "n2"] {
        case.write(&format!("go-{node}"), "");
    }
    running.end().exited(3).said("lost");
    assert_eq!(case.starts().len(), 16);
    assert_eq!(case.records("J", "array").len(), 1);
}
