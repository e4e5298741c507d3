//! Starts that hang because a file system doesn't answer: the job is ended like any other, and nothing else
//! waits for it.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use sleeper::needs;
use sleeper::needs::Need;

use crate::faults::guardian::wait_gone;
use crate::processes::{children, kill, only_child, pids};
use crate::{Folder, PROCPOOL, Running, Trial, wait_for};

/// How the dead file system at `dead` treats a request.
#[derive(Clone, Copy)]
enum Dead {
    /// SIGKILL ends a process that waits for it.
    Unread,
    /// Only an answer ends the wait; SIGKILL doesn't.
    Unanswered,
}

/// While the command runs, there is a file system at `dead` that doesn't answer.
fn beside(dead: Dead, folder: &Folder) -> Trial {
    folder.sh("mkdir dead").end().exited(0);
    let how = match dead {
        Dead::Unread => "unread",
        Dead::Unanswered => "unanswered",
    };
    let unshare = folder.command("unshare").args(Need::DeadMounts.unshare());
    unshare.arg(sleeper::dead_mount()).args(["dead", how, PROCPOOL, "run"])
}

/// procpool's three processes, front first.
struct Three([String; 3]);

impl Three {
    fn of(running: &Running) -> Three {
        let front = only_child(&running.pid().to_string());
        let keeper = only_child(&front);
        let pool = only_child(&keeper);
        Three([front, keeper, pool])
    }

    /// Waits until this many jobs have a process, whatever it runs so far.
    fn wait_for_jobs(&self, count: usize) -> Vec<String> {
        let [.., pool] = &self.0;
        wait_for("the jobs' processes", || children(pool).len() == count);
        children(pool)
    }
}

/// Ignores the request to end.
const STAYER: &str = "trap '' TERM INT; echo $$ > new; mv new pid.1; sleep 1000 & wait; wait";

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("stayer", STAYER);
    folder
}

#[test]
fn a_job_whose_start_hangs_times_out_whatever_it_is_that_does_not_answer() {
    needs!(DeadMounts);
    let folder = Folder::new();
    let dead = folder.file("dead");
    let dead = dead.to_str().unwrap();
    folder.write_program("script", &format!("#!{dead}/interpreter\n"));
    let jobs = format!(
        r#"{{"jobs": {{
            "program": {{"cmd": ["dead/program"]}}, "path": {{"cmd": ["program"], "env": {{"PATH": "{dead}"}}}},
            "interpreter": {{"cmd": ["./script"]}}, "directory": {{"cmd": ["pwd"], "cwd": "dead/folder"}},
            "input": {{"cmd": ["cat"], "stdin": {{"file": "dead/file"}}}}, "fine": {{"cmd": ["echo", "ran"]}}}}}}"#
    );
    folder.write("jobs.json", jobs);
    let trial = beside(Dead::Unread, &folder).args(["-j6", "--timeout", "300ms", "--file", "jobs.json"]);
    let ended = trial.end().exited(1).printed("ran\n").said("6 jobs: 1 succeeded, 5 failed");
    for job in ["program", "path", "interpreter", "directory", "input"] {
        let said = format!("\n  {job}: timed out (killed by SIGTERM), its start hung");
        assert!(ended.error_text().contains(&said), "{said}\n{}", ended.describe());
    }
}

#[test]
fn whichever_of_the_three_is_killed_while_a_start_hangs_the_others_jobs_are_gone_a_second_later() {
    needs!(DeadMounts);
    for victim in 0..3 {
        let within_a_second = (0..3).any(|_| {
            let folder = folder();
            folder.write("jobs.json", r#"{"a": ["dead/a"], "b": ["sh", "stayer"]}"#);
            let running = beside(Dead::Unread, &folder).args(["-j2", "--file", "jobs.json"]).start();
            let three = Three::of(&running);
            let jobs = [three.wait_for_jobs(2), pids(&folder, "pid.", 1)].concat();
            let killed = Instant::now();
            kill(&three.0[victim], Signal::KILL);
            wait_gone(&jobs);
            wait_gone(&three.0);
            let took = killed.elapsed();
            running.end().exited(128 + 9).printed("");
            took < Duration::from_secs(1)
        });
        assert!(within_a_second, "{victim}");
    }
}

#[test]
fn a_start_that_hangs_is_ended_with_its_run() {
    needs!(DeadMounts);
    let folder = folder();
    folder.write("jobs.json", r#"{"a": ["dead/a"], "b": ["sh", "stayer"]}"#);
    let words = ["-j2", "--grace", "1h", "--file", "jobs.json"];
    let running = beside(Dead::Unread, &folder).args(words).start();
    let three = Three::of(&running);
    three.wait_for_jobs(2);
    pids(&folder, "pid.", 1);
    let [front, ..] = &three.0;
    // The first INT ends the start that hangs; the second one ends the job that ignores the first.
    kill(front, Signal::INT);
    three.wait_for_jobs(1);
    kill(front, Signal::INT);
    running.end().exited(128 + 2).said("stopped (killed by SIGINT), its start hung");
}

#[test]
fn a_start_that_hangs_is_ended_where_the_first_failure_ends_the_run() {
    needs!(DeadMounts);
    let folder = folder();
    folder.write("jobs.json", r#"{"a": ["dead/a"], "b": ["sh", "-c", "sleep 0.1; exit 1"]}"#);
    let trial = beside(Dead::Unread, &folder).args(["-j2", "--fail-fast", "--file", "jobs.json"]);
    trial.end().exited(1).said("stopped (killed by SIGTERM), its start hung");
}

#[test]
fn a_leak_is_ended_though_a_start_hangs() {
    needs!(DeadMounts);
    let folder = folder();
    folder.write("jobs.json", r#"{"a": ["dead/a"], "b": ["sh", "-c", "sleep 1000 & echo ran"]}"#);
    let running = beside(Dead::Unread, &folder).args(["-j2", "--file", "jobs.json"]).start();
    // The job ends only once its leaked process has been killed.
    running.has_printed("ran\n");
    let three = Three::of(&running);
    three.wait_for_jobs(1);
    let [front, ..] = &three.0;
    kill(front, Signal::TERM);
    running.end().exited(128 + 15).said("leaked").said("its start hung");
}

#[test]
fn a_job_that_can_not_be_killed_is_named_and_gives_its_slot_to_others() {
    needs!(DeadMounts);
    let folder = folder();
    let words = ["-j1", "--timeout", "100ms", "--grace", "100ms", "{}", ":::", "dead/a", "pwd"];
    let running = beside(Dead::Unanswered, &folder).args(words).start();
    let hangs = Three::of(&running).wait_for_jobs(1).remove(0);
    let ended = running.end().exited(1).said("1 succeeded, 1 failed");
    let said = format!("timed out (killed by SIGKILL), its start hung, a lives on as process {hangs}");
    let ended = ended.said(&said).said(&format!("could not be killed: {hangs}"));
    assert!(!ended.error_text().contains("ended what jobs had left"), "{}", ended.describe());
    wait_gone(&[hangs]);
}

#[test]
fn whichever_of_the_three_is_killed_what_can_be_is_ended_beside_what_can_not() {
    needs!(DeadMounts);
    for victim in 0..3 {
        let folder = folder();
        folder.write("jobs.json", r#"{"a": ["dead/a"], "b": ["sh", "stayer"]}"#);
        let running = beside(Dead::Unanswered, &folder).args(["-j2", "--file", "jobs.json"]).start();
        let three = Three::of(&running);
        three.wait_for_jobs(2);
        let stayer = pids(&folder, "pid.", 1);
        let killed = Instant::now();
        kill(&three.0[victim], Signal::KILL);
        wait_gone(&stayer);
        assert!(killed.elapsed() < Duration::from_secs(5), "{victim}");
        wait_gone(&three.0);
        running.end().exited(128 + 9);
    }
}
