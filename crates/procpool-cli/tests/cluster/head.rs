//! The head is killed or exits while its array goes on: the next head finds what was submitted.

use std::fs::OpenOptions;

use rustix::process::Signal;

use crate::case::{Case, numbers, printed};
use crate::cluster::{Cluster, Which};
use crate::running::Running;
use crate::wait_for;

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn a_head_that_was_killed_takes_up_its_array_again() {
    let case = Case::new(Cluster::shared());
    case.job("sleep 0.1; echo \"this is $1\"");
    // A file, because the exact number of bytes printed before the kill is known for it.
    let output = || OpenOptions::new().create(true).append(true).open(case.file("output")).unwrap();
    let mut run = case.procpool("run -k --on slurm --slices 20 -j8 --journal J -- sh job {}");
    let running = Running::start(run.stdout(output()), numbers(1000).as_bytes());
    case.wait_for_starts(500);
    running.signal(Signal::KILL);
    running.end().died_of(Signal::KILL);

    let mut resume = case.procpool("resume J");
    Running::start(resume.stdout(output()), b"").end().exited(0).said_nothing_of("lost");
    let expected = printed(1000);
    assert!(case.read("output") == expected, "{}", case.read("output"));
    case.outcomes("J").all_succeeded(1000);
    assert_eq!(case.starts().len(), 1000);
    assert_eq!(case.arrays(Which::All).len(), 1);
    assert_eq!(case.records("J", "array").len(), 1);
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn what_has_ended_without_a_head_is_only_read() {
    let case = Case::new(Cluster::shared());
    case.job("until [ -e go ]; do sleep 0.1; done; echo \"this is $1\"");
    let running = case.start("run -k --on slurm --slices 4 -j8 --journal J -- sh job {}", &numbers(64));
    case.wait_for_starts(32);
    running.signal(Signal::KILL);
    running.end().died_of(Signal::KILL);
    case.write("go", "");
    wait_for("the array is over", || case.arrays(Which::Queued).is_empty());
    let resumed = case.end("resume J", "").exited(0);
    assert_eq!(resumed.text(), printed(64));
    assert_eq!(case.starts().len(), 64);
    assert_eq!(case.arrays(Which::All).len(), 1);
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn a_head_that_leaves_at_once_is_followed_by_a_resume() {
    let case = Case::new(Cluster::shared());
    case.job("until [ -e go ]; do sleep 0.1; done; echo \"this is $1\"");
    let run = "run -k --on slurm --detach --slices 4 -j2 --journal J -- sh job {}";
    let left = case.end(run, &numbers(8)).exited(0).said("procpool resume J");
    assert_eq!(left.text(), "");
    case.wait_for_starts(8);
    case.write("go", "");
    let ended = case.end("resume J", "").exited(0);
    let expected = printed(8);
    assert_eq!(ended.text(), expected);
    assert_eq!(case.starts().len(), 8);
    assert_eq!(case.arrays(Which::All).len(), 1);
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn what_has_failed_in_an_array_that_goes_on_is_run_again_only_where_that_is_asked() {
    for (option, starts) in [("", 40), ("--failed", 48)] {
        let case = Case::new(Cluster::shared());
        // Every eighth job fails, in its second attempt too, and the last jobs wait.
        case.job("[ $1 -le 32 ] || until [ -e go ]; do sleep 0.1; done; [ $(($1 % 8)) != 1 ]");
        let run = "run --on slurm --slices 4 -j2 --retries 1 --journal J -- sh job {}";
        let running = case.start(run, &numbers(40));
        // The first 32 have ended, after 36 starts, and the last ones have begun.
        case.wait_for_starts(44);
        wait_for("the first outcomes", || case.recorded("J").len() >= 36);
        running.signal(Signal::KILL);
        running.end().died_of(Signal::KILL);
        let resumed = case.start(&format!("resume J {option}"), "");
        wait_for("the second head", || case.records("J", "run").len() == 2);
        case.write("go", "");
        let ended = resumed.end().exited(1);
        assert_eq!(case.starts().len(), starts + 5, "{option}: {}", ended.describe());
        let failed = case.end("ls J --failed", "").exited(0);
        assert_eq!(failed.text().lines().count(), 1 + 5, "{}", failed.text());
    }
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn of_two_heads_the_second_is_refused() {
    let case = Case::new(Cluster::shared());
    case.job("until [ -e go ]; do sleep 0.1; done");
    let running = case.start("run --on slurm --slices 1 -j2 --journal J -- sh job {}", &numbers(2));
    wait_for("an array", || !case.records("J", "array").is_empty());
    let refused = case.end("resume J", "").exited(2);
    assert_eq!(refused.text(), "");
    case.write("go", "");
    running.end().exited(0);
    assert_eq!(case.starts().len(), 2);
}
