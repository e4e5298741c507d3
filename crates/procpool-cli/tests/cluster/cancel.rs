//! Cancelling a run with Ctrl-C or a signal: nothing of it goes on running on any node, and a resume runs the
//! rest.

use std::fs;
use std::time::Duration;

use rustix::process::Signal;

use crate::case::{Case, numbers};
use crate::cluster::{Cluster, Which};
use crate::comes_true;

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn a_cancelled_run_leaves_nothing_and_a_resume_runs_the_rest() {
    let case = Case::new(Cluster::shared());
    // Ignores signals, and has a child in a session of its own.
    case.job("[ -e go ] && exit\ntrap '' INT TERM\nsetsid sleep 1000 &\nwhile true; do sleep 1000; done");
    let mark = format!("CASE={}", case.file("").display());
    let mut run = case.procpool("run --on slurm --slices 8 -j8 --journal J --env");
    run.arg(&mark).args(["--", "sh", "job", "{}"]);
    let running = crate::running::Running::start(&mut run, numbers(64).as_bytes());
    // As many as the cluster has room for.
    case.wait_for_starts(32);
    assert!(!marked(&mark).is_empty());

    running.signal(Signal::INT);
    let mut left = Vec::new();
    let is_gone = comes_true(Duration::from_secs(10), || {
        left = marked(&mark);
        left.is_empty() && case.arrays(Which::Queued).is_empty()
    });
    assert!(is_gone, "{left:?} {:?}: {}", case.arrays(Which::Queued), running.error_text());
    running.end().died_of(Signal::INT);
    assert_eq!(case.starts().len(), 32);

    case.write("go", "");
    case.end("resume J", "").exited(0);
    case.outcomes("J").all_succeeded(64);
    assert_eq!(case.starts().len(), 32 + 64);
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn what_has_ended_before_the_cancel_is_not_run_again() {
    let case = Case::new(Cluster::shared());
    case.job("[ -e go ] || [ $1 -le 4 ] || sleep 1000; echo \"this is $1\"");
    let running = case.start("run --on slurm --slices 1 -j1 --journal J -- sh job {}", &numbers(8));
    case.wait_for_starts(5);
    running.signal(Signal::TERM);
    running.end().died_of(Signal::TERM);
    case.write("go", "");
    case.end("resume J", "").exited(0);
    case.outcomes("J").all_succeeded(8);
    let keys: Vec<String> = case.starts().into_iter().map(|start| start.key).collect();
    assert_eq!(keys, ["1", "2", "3", "4", "5", "5", "6", "7", "8"]);
}

/// The processes that have this string in their environment.
fn marked(mark: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().flatten().filter(|entry| {
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    });
    processes.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
