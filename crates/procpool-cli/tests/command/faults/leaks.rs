//! Processes that jobs leave behind, with or without the job's output open: they are killed and named, waited
//! for, or kept.

use rustix::process::Signal;

use crate::faults::guardian::wait_gone;
use crate::processes::{is_gone, kill, pids};
use crate::{Folder, wait_for};

/// Leaves a process that holds the job's output until the file `go` exists.
const HOLDER: &str = "{ echo $$ > pid.parent; sh -c 'echo $$ > pid.holder; until [ -e go ]; do sleep 0.01; done; \
                      echo late' & } ; echo early";

#[test]
fn on_leak_kill_ends_who_holds_the_output_and_names_the_job() {
    let folder = Folder::new();
    let options = "--on-leak kill sh -c";
    let script = "setsid -f sh -c 'echo $$ > pid.holder; exec sleep 1000'; until [ -s pid.holder ]; do sleep 0.01; done; echo early";
    let ended = folder.run(options).args([script, ":::", "a"]).end().exited(0).printed("early\n");
    ended.said("1 leaked a process").said("  a: exit 0, leaked, ");
    wait_gone(&pids(&folder, "pid.holder", 1));
}

#[test]
fn on_leak_wait_delivers_what_comes_late_and_other_jobs_run_meanwhile() {
    let folder = Folder::new();
    folder.write("holder", HOLDER).write("second", "echo second");
    let running = folder.run("-j2 --on-leak wait sh ::: holder second").start();
    running.has_printed("second\n");
    wait_gone(&pids(&folder, "pid.parent", 1));
    folder.write("go", "");
    running.end().exited(0).printed("second\nearly\nlate\n");
}

#[test]
fn on_leak_wait_does_not_wait_longer_than_the_jobs_timeout() {
    let folder = Folder::new();
    folder.write("holder", HOLDER);
    let ended = folder.run("--on-leak wait --timeout 3s sh ::: holder").end().exited(1);
    ended.printed("early\n").said("  holder: timed out");
    wait_gone(&pids(&folder, "pid.holder", 1));
}

#[test]
fn on_leak_keep_lets_who_holds_the_output_live_on_and_names_the_job() {
    let folder = Folder::new();
    folder.write(
        "holder",
        "sh -c 'trap \"\" PIPE HUP; echo $$ > pid.holder; exec sleep 1000' & \
                            until [ -s pid.holder ]; do sleep 0.01; done; echo early",
    );
    let ended = folder.run("--on-leak keep sh ::: holder").end().exited(0).printed("early\n");
    ended.said("1 leaked a process").said("  holder: exit 0, leaked, ");
    let pids = pids(&folder, "pid.holder", 1);
    assert!(!is_gone(&pids[0]));
    kill(&pids[0], Signal::KILL);
    wait_gone(&pids);
}

/// Leaves a process in a session of its own that holds none of the job's outputs, until the file `go` exists.
const DAEMON: &str =
    "setsid sh -c 'echo $$ > new.left; mv new.left pid.left; exec sleep 1000' </dev/null >/dev/null 2>&1 &
until [ -e pid.left ] && [ \"$(cat /proc/$(cat pid.left)/comm)\" = sleep ]; do sleep 0.01; done; echo done";

#[test]
fn what_a_job_has_left_without_a_pipe_is_ended_at_the_end_and_named_in_summary_and_records() {
    let folder = Folder::new();
    let ended = folder.run("--journal J --events ev sh -c").args([DAEMON, ":::", "a b"]).end();
    let left = pids(&folder, "pid.left", 1).remove(0);
    assert!(is_gone(&left));
    let ended = ended.exited(0).printed("done\n");
    ended.said(&format!("  ended what jobs had left: sleep (process {left} of job a b)\n"));
    let record = format!(r#""left":[{{"pid":{left},"program":"sleep","seq":1,"key":"a b"}}]"#);
    assert!(folder.read("ev").contains(&record), "{}", folder.read("ev"));
    assert!(folder.read("J/journal.jsonl").contains(&record), "{}", folder.read("J/journal.jsonl"));
}

#[test]
fn on_leak_keep_lets_live_on_what_holds_no_output_and_says_nothing() {
    let folder = Folder::new();
    folder.run("--on-leak keep sh -c").args([DAEMON, ":::", "a"]).end().exited(0).printed("done\n").silent();
    let left = pids(&folder, "pid.left", 1);
    assert!(!is_gone(&left[0]));
    kill(&left[0], Signal::KILL);
    wait_gone(&left);
}

#[test]
fn on_leak_wait_waits_for_what_holds_no_output_until_it_ends_or_procpool_is_told_to() {
    for ends_by_itself in [true, false] {
        let folder = Folder::new();
        let running = folder.run("--on-leak wait sh -c").args([DAEMON, ":::", "a"]).start();
        let left = pids(&folder, "pid.left", 1);
        let waiting =
            format!("procpool: waiting for what jobs have left: sleep (process {} of job a)\n", left[0]);
        wait_for("it to say so", || String::from_utf8_lossy(&running.stderr.heard()).contains(&waiting));
        assert!(!is_gone(&left[0]));
        if ends_by_itself {
            kill(&left[0], Signal::KILL);
            running.end().exited(0).printed("done\n");
        } else {
            running.signal(Signal::INT);
            running.end().died_of(Signal::INT).said("  ended what jobs had left: sleep (process ");
        }
        wait_gone(&left);
    }
}
