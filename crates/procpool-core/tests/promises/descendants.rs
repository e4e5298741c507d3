//! Everything that a job has started is gone before its next attempt begins, wherever it went: real
//! processes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use procpool_core::{Command, End, Job, Pool, Retries, Signal, Status};

use crate::{Folder, LeftBehind, end_of, in_time, limit, patient, sh, wait_for};

/// Writes lines with the pid of the job's own process and its own pid to the file `$1`, again and again, and
/// ignores TERM. `$2` is the first number.
const CLERK: &str = "trap '' TERM; while :; do echo $2 $$ >> $1; sleep .01; done";

/// Two attempts of a job that times out, and the lines that they left.
struct Log(Vec<(String, u32)>);

impl Log {
    /// Runs a shell with the name of the log as `$1` and the writer's script as `$2`. If the machine was too
    /// slow for an attempt to write anything, both get more time.
    fn of(script: &str) -> Log {
        for doubled in 0..8 {
            let folder = Folder::new();
            let path = folder.file("log");
            let command = Command::new("sh").args(["-c", script, "sh"]).arg(&path).arg(CLERK);
            let job = Job::new("job", command).timeout(Duration::from_millis(150 << doubled));
            let runner = patient().grace(Duration::from_millis(100));
            let pool = Pool::with_runner(limit(1), runner).retries(Retries::new(1));
            let results = in_time("two attempts", move || pool.run_all([job]).unwrap());
            let outcome = &results["job"].outcome;
            assert_eq!((outcome.status(), outcome.ran().unwrap().survivors.len()), (Some(124), 0));
            let log = Log::read(&path);
            if log.attempts().len() == 2 {
                return log;
            }
        }
        panic!("no attempt had the time to write anything");
    }

    fn read(path: &Path) -> Log {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = |line: &str| {
            let (attempt, pid) = line.split_once(' ')?;
            Some((attempt.to_owned(), pid.parse().ok()?))
        };
        Log(text.lines().filter_map(line).collect())
    }

    /// The writers in order, each as often as it began to write.
    fn attempts(&self) -> Vec<&str> {
        let mut attempts: Vec<&str> = self.0.iter().map(|(attempt, _)| attempt.as_str()).collect();
        attempts.dedup();
        attempts
    }

    fn writers(&self) -> BTreeSet<u32> {
        self.0.iter().map(|(_, pid)| *pid).collect()
    }

    #[track_caller]
    fn is_in_order_and_over(&self) {
        assert_eq!(self.attempts().len(), 2, "the attempts ran side by side: {:?}", self.0);
        for pid in self.writers() {
            assert!(!LeftBehind(pid).lives(), "{pid} lives on");
        }
    }
}

#[test]
fn a_descendant_in_a_session_of_its_own_without_any_mark_is_gone_before_the_next_attempt() {
    Log::of("env -i setsid sh -c \"$2\" sh \"$1\" $$ & wait").is_in_order_and_over();
}

#[test]
fn so_is_one_that_was_left_by_a_job_that_ended_at_once() {
    let script = "trap 'exit 0' TERM; env -i setsid sh -c \"$2\" sh \"$1\" $$ & wait";
    Log::of(script).is_in_order_and_over();
}

#[test]
fn so_are_the_descendants_of_descendants_each_in_another_session() {
    let script = "export clerk=\"$2\" log=\"$1\" job=$$
        setsid sh -c 'trap \"\" TERM
            setsid sh -c \"env -i setsid sh -c \\\"\\$clerk\\\" sh \\$log \\$job & wait\" & wait' & wait";
    Log::of(script).is_in_order_and_over();
}

#[test]
fn so_is_a_tree_that_keeps_growing() {
    let script = "env -i setsid sh -c 'trap \"\" TERM
        while :; do sh -c \"$3\" sh $1 $2 & sh -c \"echo $2 \\$\\$ >> $1\"; done' sh \"$1\" $$ \"$2\" & wait";
    Log::of(script).is_in_order_and_over();
}

#[test]
fn so_is_one_whose_parent_has_ended_meanwhile() {
    // The writer's parent ends by the TERM that the job passes on. What is left is an orphan in a session
    // that was seen while the parent lived.
    let script = "env -i setsid sh -c 'sh -c \"$3\" sh $1 $2 & wait' sh \"$1\" $$ \"$2\" &
        there=$!; trap 'kill $there; wait' TERM; wait";
    Log::of(script).is_in_order_and_over();
}

#[test]
fn a_kill_reaches_a_descendant_in_a_session_of_its_own_and_waits_for_its_end() {
    let folder = Folder::new();
    let script = "env -i setsid sh -c 'echo $$ > $1; exec sleep 1000' sh \"$1\" & wait";
    let pool = Pool::with_runner(limit(1), patient());
    let mut run = pool.run([Job::new("one", sh(script, folder.file("pid")))]).unwrap();
    let descendant = LeftBehind::of(&folder.file("pid"));
    run.handle().kill();
    let done = run.next().unwrap();
    assert_eq!(end_of(&done), End::Stopped(Status::Signalled(Signal::KILL)));
    assert!(!descendant.lives());
    assert!(!done.outcome.ran().unwrap().leaked, "it held the output, and was killed with the job");
}

#[test]
fn a_daemon_of_a_job_that_ended_by_itself_is_nobodys_business() {
    let folder = Folder::new();
    let script = "setsid sh -c 'echo $$ > $1; exec sleep 1000 > /dev/null 2>&1' sh \"$1\" > /dev/null 2>&1 &
        until [ -s \"$1\" ]; do :; done";
    let done = crate::run_one(sh(script, folder.file("pid")));
    assert!(done.outcome.is_success());
    let daemon = LeftBehind::of(&folder.file("pid"));
    wait_for("the daemon", || daemon.lives());
}
