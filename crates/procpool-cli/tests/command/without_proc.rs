//! /proc is missing or hides everything but processes: all jobs run, and what procpool can't guarantee there
//! is said once.

use sleeper::needs;
use sleeper::needs::Need;

use crate::{Folder, Trial, mounts};

/// A shell that has no /proc.
fn without(folder: &Folder, script: &str) -> Trial {
    mounts::sh(folder, &format!("mount -t tmpfs none /proc; {script}"))
}

#[test]
fn without_proc_all_jobs_run_and_it_is_said_once() {
    needs!(Mounts);
    let folder = Folder::new();
    let ended = without(&folder, "procpool run -k -- echo {} ::: 1 2 3").end().exited(0).printed("1\n2\n3\n");
    assert_eq!(ended.error_text().matches("/proc").count(), 1, "{}", ended.error_text());
    assert_eq!(ended.error_text().lines().count(), 1, "{}", ended.error_text());
    for options in ["-k", "-k --output lines", "-j1 --output raw", "-k --retries 1 -j auto --timeout 1m"] {
        let script = format!("procpool run --no-guard {options} -- echo {{}} ::: 1 2 3");
        without(&folder, &script).end().exited(0).printed("1\n2\n3\n").silent();
    }
}

#[test]
fn without_proc_what_is_ignored_stays_ignored_and_signals_are_heard() {
    needs!(Mounts);
    let folder = Folder::new();
    let script = "trap '' HUP; procpool run --no-guard -- sh -c 'kill -s $1 $PPID; echo $1' sh ::: HUP && echo lived; trap - HUP
        procpool run --no-guard -- sh -c 'kill -s $1 $PPID; exec sleep 86400' sh ::: TERM";
    let ended = without(&folder, script).end();
    assert_eq!(ended.text(), "HUP\nlived\n", "{}", ended.describe());
    assert_eq!(ended.status.code(), Some(143), "{}", ended.describe());
}

#[test]
fn without_proc_a_descriptor_for_events_is_found_and_one_that_is_not_there_is_refused() {
    needs!(Mounts);
    let folder = Folder::new();
    let run = "procpool run --no-guard --events fd:7 -- true ::: 1";
    without(&folder, &format!("{run} 7> events")).end().exited(0).silent();
    assert!(folder.read("events").contains("\"job-finished\""), "{}", folder.read("events"));
    let ended = without(&folder, run).end().exited(2);
    ended.said("--events fd:7: that descriptor can't be written");
}

#[test]
fn a_limit_that_can_not_be_measured_without_proc_is_refused_by_name() {
    needs!(Mounts);
    let folder = Folder::new();
    for (option, file) in [("--load 99", "/proc/loadavg"), ("--mem-free 1K", "/proc/meminfo")] {
        without(&folder, &format!("procpool run --no-guard {option} -- true ::: 1"))
            .end()
            .exited(3)
            .said(file);
    }
}

#[test]
fn without_proc_a_run_is_recorded_read_and_gone_on_with() {
    needs!(Mounts);
    let folder = Folder::new();
    let script = "procpool run --no-guard -k --journal J -- sh -c '[ -e ok ] && echo $1' sh ::: 1 2; : > ok
        procpool ls J > listed && procpool show J 2 > shown && procpool export J > exported
        procpool resume --no-guard -k J";
    let ended = without(&folder, script).end().exited(0).printed("1\n2\n");
    let said = ended.error_text();
    let weaker = "/proc is missing: should this run be killed, a resume finds no processes that it leaves";
    assert_eq!(said.matches(weaker).count(), 2, "once a run: {said}");
    assert!(said.contains("2 jobs: 0 succeeded, 2 failed, 0 interrupted"), "{said}");
    assert_eq!(folder.read("listed").matches("exit 1").count(), 2, "{}", folder.read("listed"));
}

#[test]
fn where_proc_hides_all_but_processes_a_run_is_recorded_and_gone_on_with() {
    needs!(Pids);
    let folder = Folder::new();
    let script = "mount -t proc -o subset=pid proc /proc || mount -t tmpfs none /proc
        procpool run --no-guard -k --journal J -- sh -c '[ -e ok ] && echo $1' sh ::: 1 2; : > ok
        procpool resume --no-guard -k J";
    let trial = folder.command("unshare").args(Need::Pids.unshare()).args(["sh", "-c", script]);
    trial.end().exited(0).printed("1\n2\n").said("should this run be killed, a resume finds no processes");
}
