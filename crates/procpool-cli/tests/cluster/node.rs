//! A node dies in the middle of a run, or a job kills its slice at each attempt.

use rustix::process::Signal;

use crate::case::{Case, numbers, printed};
use crate::cluster::Cluster;
use crate::{DEADLINE, comes_true, wait_for};

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
    // These are started again: the jobs that ran there, and those that had ended there within the last second
    // and were not yet recorded.
    let count = case.starts().len();
    assert!(count <= 1000 + 8 + 8 * 11, "{count} starts");
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn a_job_that_takes_its_slice_with_it_each_time_is_lost() {
    let case = Case::new(Cluster::shared());
    // Kills two of procpool's processes at once, so that neither can report it, but only when the other job
    // is recorded.
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
    // Jobs that no slice had taken until then run before the last try of job 2, in which it is alone.
    assert_eq!(case.records("J", "array").len(), 4);
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn a_node_on_which_all_fails_at_once_is_named_and_gets_no_more() {
    let case = Case::new(Cluster::shared());
    case.job("[ $SLURMD_NODENAME != n3 ] || exit 7\nsleep 0.1");
    let ended = case.end("run --on slurm -j8 --journal there -- sh job {}", &numbers(200)).exited(1);
    let on_it = case.starts().iter().filter(|start| start.node == "n3").count();
    assert!((5..=40).contains(&on_it), "{on_it}: {}", ended.describe());
    let said = ended.error_text();
    assert!(said.contains("node n3: its first ") && said.contains("left out from now on"), "{said}");
    assert_eq!(said.matches("exit 7, ").count(), on_it.min(20), "{said}");
    assert_eq!(said.matches(", on n3\n").count(), on_it.min(20), "{said}");
    let failed = case.end("ls there --failed", "").exited(0);
    let rows: Vec<&str> = failed.text().lines().skip(1).collect();
    assert!(rows.len() == on_it && rows.iter().all(|row| row.ends_with("  n3")), "{}", failed.text());
    // No further array was needed.
    assert_eq!(case.starts().len(), 200);
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn a_node_on_which_all_fails_is_used_where_that_is_wanted() {
    let case = Case::new(Cluster::shared());
    case.job("[ $SLURMD_NODENAME != n3 ] || exit 7\nsleep 0.1");
    let run = "run --on slurm -j8 --bad-node keep --journal there -- sh job {}";
    let ended = case.end(run, &numbers(200)).exited(1);
    let on_it = case.starts().iter().filter(|start| start.node == "n3").count();
    assert!(on_it > 40, "{on_it}: {}", ended.describe());
    let said = ended.error_text();
    assert!(said.contains(", while others succeed\n") && !said.contains("left out"), "{said}");
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn who_asks_is_told_where_slices_and_jobs_run_and_what_they_have_written() {
    let case = Case::new(Cluster::shared());
    case.job("echo so far; until [ -e go ]; do sleep 0.1; done");
    let running = case.start("run --on slurm -j8 --journal J -- sh job {}", &numbers(32));
    case.wait_for_starts(32);
    let is_told = || {
        running.signal(Signal::USR1);
        let said = running.error_text();
        said.contains("slices run on n1, n2, n3, n4\n") && said.contains(", on n2\n")
    };
    assert!(comes_true(DEADLINE, is_told), "{}", running.error_text());
    let show = || case.end("show J 7 --stdout", "").exited(0).text().to_owned();
    wait_for("what it has written", || case.files("J", "live-").len() == 32);
    assert_eq!(show(), "so far\n");
    case.write("go", "");
    running.end().exited(0);
    assert_eq!(case.files("J", "live-"), [""; 0]);
}
