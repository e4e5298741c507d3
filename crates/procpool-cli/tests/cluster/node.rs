//! A node dies in the middle of a run, or a job takes its slice with it each time.
//! Does not know who notices.

use crate::case::{Case, numbers, printed};
use crate::cluster::Cluster;

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn when_a_node_is_killed_only_what_ran_there_is_started_again() {
    let case = Case::new(Cluster::own(""));
    case.job("sleep 0.1; echo \"this is $1\"");
    let run = "run -k --on slurm --slices 20 -j8 --journal J -- sh job {}";
    let running = case.start(run, &numbers(1000));
    case.wait_for_starts(300);
    let node = case.starts().pop().unwrap().node;
    case.cluster.order(&format!("kill-node {node}"));
    let ended = running.end().exited(0);
    let expected = printed(1000);
    assert!(ended.text() == expected, "{}", ended.describe());
    case.outcomes("J").all_succeeded(1000);
    // Those that ran there, and those that had ended there within a second before, of which there was no record yet.
    let count = case.starts().len();
    assert!(count <= 1000 + 8 + 8 * 11, "{count} starts");
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn a_job_that_takes_its_slice_with_it_each_time_is_lost() {
    let case = Case::new(Cluster::shared());
    // Both of procpool's processes at once, so that neither can tell, but not before the other job is recorded.
    case.job(
        r"[ $1 = 2 ] || exit 0
until grep -qs outcome.*key...1 J/journal-1-1-*; do sleep 0.1; done
other=$(sed -n 's/^PPid:\t//p' /proc/$PPID/status)
[ $(cat /proc/$other/comm) = procpool ] || other=$PPID
kill -9 $other $PPID; sleep 100",
    );
    let run = "run --on slurm --slices 1 -j1 --journal J -- sh job {}";
    let ended = case.end(run, &numbers(3)).exited(3).said("lost");
    let named = ended.error_text().lines().any(|line| line.contains("lost") && line.contains('2'));
    assert!(named, "{}", ended.describe());
    let keys: Vec<String> = case.starts().into_iter().map(|start| start.key).collect();
    assert_eq!(keys.iter().filter(|key| *key == "2").count(), 3);
    assert_eq!(keys.iter().filter(|key| *key != "2").count(), 2);
    assert_eq!(case.records("J", "array").len(), 3);
}
