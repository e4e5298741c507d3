//! Children that resist their end or end in unusual ways: no process of theirs is left.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::Write;
use std::thread;
use std::time::UNIX_EPOCH;

use sleeper::needs;

use crate::faults::tracing::{lines, strace};
use crate::outcomes::timed_out;
use crate::{Folder, lives, wait_for};

/// The processes whose working directory is this folder, in any group or session.
fn left_in(folder: &Folder) -> Vec<String> {
    let directory = folder.file("").canonicalize().unwrap();
    let processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    let runs_there = |path: &std::path::PathBuf| {
        fs::read_link(path.join("cwd")).is_ok_and(|working_directory| working_directory == directory)
    };
    let running = processes.filter(runs_there);
    running.map(|path| fs::read_to_string(path.join("cmdline")).unwrap_or_default()).collect()
}

#[test]
fn a_job_that_has_stopped_itself_is_ended_by_its_timeout() {
    let folder = Folder::new();
    let stopped = |options: &'static str| {
        let folder = &folder;
        move |timeout: &str| {
            let trial = folder.run("--timeout").args([timeout, "sleeper", "--stop-self", "100"]);
            trial.args(options.split(' ')).args([":::", "--key=a"])
        }
    };
    timed_out(stopped("--ready")).printed("ready\n").said("  --key=a: timed out (killed by SIGTERM), ");
    timed_out(stopped("--ignore-term")).printed("ready\n").said("  --key=a: timed out (killed by SIGKILL), ");
}

#[test]
fn what_left_the_session_of_a_job_that_timed_out_is_gone_while_other_jobs_go_on() {
    let folder = Folder::new();
    // Forked twice, in a session of its own, ignores TERM and HUP, and holds none of the job's streams.
    let flee = "trap '' TERM HUP; (setsid sh -c 'echo $$ > pid.new; mv pid.new pid; while :; do sleep 1; done' \
                < /dev/null > /dev/null 2>&1 &); until [ -s pid ]; do sleep 0.01; done; exec sleep 100";
    let wait = "until [ -e go ]; do sleep 0.01; done; echo went on";
    folder.write_program("flee", &format!("#!/bin/sh\n{flee}\n"));
    folder.write_program("wait", &format!("#!/bin/sh\n{wait}\n"));
    let jobs = "[jobs]\nflee = { cmd = ['./flee'], timeout = '3s' }\nwait = ['./wait']\n";
    let running = folder.write("jobs.toml", jobs).run("--file jobs.toml").start();
    wait_for("the one that fled", || folder.has("pid"));
    let pid = folder.read("pid");
    wait_for("the end of the one that fled", || !lives(&pid));
    folder.write("go", "");
    running.end().exited(1).printed("went on\n").said("  flee: timed out (").said("1 succeeded, 1 failed");
    assert_eq!(left_in(&folder), [""; 0]);
}

#[test]
fn what_left_the_session_of_a_job_that_succeeded_is_gone_when_procpool_is() {
    let folder = Folder::new();
    let words = "-k sleeper 0 --quiet --daemon {} --pid-file pid.{} ::: 101 102 103 104 105";
    folder.run(words).end().exited(0).printed("").said("  ended what jobs had left: sleeper (process ");
    assert_eq!(folder.files("pid.").len(), 5);
    assert_eq!(left_in(&folder), [""; 0]);
}

#[test]
fn a_timeout_of_a_millisecond_leaves_no_orphan() {
    let folder = Folder::new();
    let script = "sleep 101 & sleeper --quiet 0 --daemon 102; (setsid sleep 103 &); sleep 104";
    let values: Vec<String> = (1..=100).map(|n| n.to_string()).collect();
    let trial = folder.run("-j8 --timeout 1ms sh -c").args([script, ":::"]).args(&values);
    trial.end().exited(1).said("procpool: 100 jobs: 100 failed").said("timed out (killed by SIG");
    assert_eq!(left_in(&folder), [""; 0]);
}

/// The number of zombie children, and of children that still run.
fn children_of(process: &str) -> (usize, usize) {
    let Ok(tasks) = fs::read_dir(format!("/proc/{process}/task")) else { return (0, 0) };
    let lists = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok());
    let children = lists.collect::<String>();
    let children = children.split_whitespace();
    let states = children.filter_map(|child| fs::read_to_string(format!("/proc/{child}/stat")).ok());
    let ended = |stat: &String| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z'));
    let (zombies, others): (Vec<_>, Vec<_>) = states.partition(ended);
    (zombies.len(), others.len())
}

#[test]
fn ten_thousand_short_jobs_never_leave_more_zombies_than_may_run_and_none_at_rest() {
    let folder = Folder::new();
    let mut running = folder.run("-j8 {}").open_input().start();
    let pool = running.pool();
    let writing = thread::spawn({
        let mut input = running.stdin.take().unwrap();
        move || {
            input.write_all("true\n".repeat(10_000).as_bytes()).unwrap();
            input
        }
    });
    let mut most = 0;
    wait_for("all values are read", || {
        most = most.max(children_of(&pool).0);
        writing.is_finished()
    });
    // A zombie is a job between its end and its reaping, and still counts as running.
    assert!(most <= 8, "{most} zombies at a time");
    let input = writing.join().unwrap();
    let at_rest = || children_of(&pool) == (0, 0);
    // Between two jobs there may be a moment without any: the input is empty, and at most this many jobs are
    // running.
    wait_for("the last job has ended", || (0..50).all(|_| at_rest()));
    drop(input);
    running.end().exited(0).printed("");
}

#[test]
fn no_number_is_signalled_after_its_reaping_and_no_timeout_is_early() {
    needs!(Strace);
    let folder = Folder::new();
    let job = "case $(($1 % 4)) in 0) exit 0;; 1) exec sleep 100;; \
               2) exec sleeper 0 --quiet --hold-stdout 100;; 3) exec sleeper 0 --quiet --daemon 100;; esac";
    folder.write_program("job", &format!("#!/bin/sh\n{job}\n"));
    let values: Vec<String> = (1..=32).map(|n| n.to_string()).collect();
    let calls = "trace=execve,wait4,kill,tkill,tgkill,clone,clone3,fork,vfork";
    let words = ["-ttt", "-e", calls, "procpool", "run", "-j4", "--timeout", "0.5", "./job", ":::"];
    // Makes procpool use the system interface that signals processes by pid.
    strace(&folder, &words).args(&values).env("PROCPOOL_SYS", "unix").end().exited(1);

    let log = folder.read("log");
    let (mut reaped, mut begun, mut signalled) = (HashSet::new(), HashMap::new(), 0);
    for line in lines(&log) {
        for birth in ["clone", "clone3", "fork", "vfork"] {
            reaped.retain(|number| line.returned(birth) != Some(*number));
        }
        reaped.extend(line.returned("wait4"));
        if line.call.starts_with("execve(\"./job\"") {
            begun.insert(line.who.parse::<u32>().unwrap(), line.at);
        }
        let Some(call) = line.call.strip_prefix("kill(") else { continue };
        let number = call.split(',').next().unwrap().trim_start_matches('-').parse::<u32>().unwrap();
        assert!(!reaped.contains(&number), "{number} was reaped before: {} {}", line.who, line.call);
        if let (Some(begin), true) = (begun.get(&number), call.contains("SIGTERM")) {
            signalled += 1;
            assert!(line.at - begin >= 0.5, "{} s after its start: {}", line.at - begin, line.call);
        }
    }
    assert!(signalled >= 8 && reaped.len() >= 32, "{signalled} timeouts, {} reaped", reaped.len());
}

/// Replaces the wall clock: jumps an hour forward or back with each reading.
const JUMPING_CLOCK: &str = "
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
static _Atomic int looks;
int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME) now->tv_sec += looks++ % 2 ? 3600 : -3600;
    return failed;
}
";

#[test]
fn a_wall_clock_that_jumps_changes_no_timeout_and_no_duration() {
    let folder = Folder::new();
    folder.write("clock.c", JUMPING_CLOCK);
    folder.sh("cc -shared -fPIC -o clock.so clock.c").end().exited(0);
    let run = |words: &str| {
        // A relative path, because LD_PRELOAD separates names by spaces, and the absolute path may contain
        // some.
        folder.run(words).env("LD_PRELOAD", "./clock.so").end()
    };
    // Check that the clock does jump.
    let date = run("date ::: +%s").exited(0).text().trim().parse::<u64>().unwrap();
    assert!(UNIX_EPOCH.elapsed().unwrap().as_secs().abs_diff(date) > 1800);
    for _ in 0..4 {
        run("--timeout 30s sleep ::: 0.1 0.2").exited(0).silent();
        let ended = run("--timeout 0.3s sleep ::: 100 101").exited(1).said("2 jobs: 2 failed; ");
        let said = ended.said("  100: timed out (killed by SIGTERM), ").error_text();
        for line in said.lines().filter(|line| !line.contains("again: ")) {
            let took = line.split([',', ';']).next_back().unwrap().trim();
            let seconds = took.strip_suffix("ms").map_or_else(
                || took.strip_suffix('s').and_then(|seconds| seconds.parse::<f64>().ok()),
                |milliseconds| milliseconds.parse::<f64>().ok().map(|milliseconds| milliseconds / 1000.0),
            );
            assert!(seconds.is_some_and(|seconds| seconds >= 0.3), "{said}");
        }
    }
}

#[test]
fn a_job_that_reads_its_own_output_is_ended_by_its_timeout_all_the_same() {
    let folder = Folder::new();
    // A reader that takes the bytes that poll(2) has announced must not leave procpool blocked in a read.
    let script = "cat /proc/$$/fd/1 > /dev/null & for n in 1 2 3 4 5 6 7 8 9; do echo $n; sleep 0.01; done; exec sleep 1000";
    let values: Vec<String> = (1..=8).map(|n| n.to_string()).collect();
    let trial = folder.run("-j8 --timeout 1s sh -c").args([script, ":::"]).args(values);
    let ended = trial.end().exited(1);
    assert_eq!(
        ended.error_text().matches(": timed out (killed by SIGTERM)").count(),
        8,
        "{}",
        ended.describe()
    );
}

#[test]
fn what_a_large_descendant_leaves_is_gone_with_its_job_too() {
    let folder = Folder::new();
    // Freeing the memory of a large process takes a while. During that time /proc doesn't show whose child is
    // whose.
    let large = "setsid sh -c 'echo $$ > pid.left; exec sleep 1000' </dev/null >/dev/null 2>&1 &
        text=$(head -c 200000000 /dev/zero | tr '\\0' x); sleep 1000";
    let script = "case $1 in large) sh large & wait;; *) until [ -e go ]; do sleep 0.01; done;; esac";
    folder.write("large", large).write("job", script);
    let jobs = r#"{"jobs": {"large": {"cmd": ["sh", "job", "large"], "timeout": "10s"},
                            "other": {"cmd": ["sh", "job", "other"]}}}"#;
    let running = folder.write("jobs.json", jobs).run("--file jobs.json").start();
    wait_for("the descendant", || folder.has("pid.left") && !folder.read("pid.left").is_empty());
    let left = folder.read("pid.left");
    wait_for("the descendant to be gone while the run goes on", || !lives(left.trim()));
    folder.write("go", "");
    running.end().exited(1).said("  large: timed out");
}
