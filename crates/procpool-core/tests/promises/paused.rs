//! A run whose jobs are stopped ends when it is asked to: real processes.

use std::fs;
use std::time::Duration;

use crossbeam_channel::{Sender, unbounded};
use procpool_core::{
    Completion, End, Handle, Job, NotStarted, Outcome, Pool, Processes, Run, Signal, Status,
};

use crate::{Folder, LeftBehind, end_of, in_time, limit, patient, sh, wait_for};

const KILLED: Status = Status::Signalled(Signal::KILL);

/// Ignores TERM, and then writes its pid.
const STUBBORN: &str = "trap '' TERM; echo $$ > \"$1\"; exec sleep 1000";

/// A run with one running job.
struct Scene {
    run: Run,
    handle: Handle,
    processes: Processes,
    hand: Sender<Job>,
    job: LeftBehind,
    folder: Folder,
}

impl Scene {
    fn of(script: &str, grace: Duration) -> Scene {
        let folder = Folder::new();
        let runner = patient().grace(grace);
        let processes = runner.processes();
        let (hand, fed) = unbounded();
        let run = Pool::with_runner(limit(2), runner).run(fed).unwrap();
        hand.send(Job::new("runs", sh(script, folder.file("pid")))).unwrap();
        let job = LeftBehind::of(&folder.file("pid"));
        let handle = run.handle();
        Scene { run, handle, processes, hand, job, folder }
    }

    /// Gives the run another job, which can't start while jobs are stopped.
    fn push(&self) {
        self.hand.send(Job::new("waits", sh("", ""))).unwrap();
        wait_for("a job that waits", || self.handle.snapshot().active.len() == 2);
    }

    fn is_stopped(&self) -> bool {
        state(&self.job) == "T"
    }
}

fn state(process: &LeftBehind) -> String {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.0)).unwrap_or_default();
    let state = stat.rsplit(") ").next().unwrap_or_default();
    state.chars().take(1).collect()
}

fn is_never_reached(done: &Completion) -> bool {
    matches!(done.outcome, Outcome::NotStarted(NotStarted::NeverReached))
}

/// The outcome of the job that ran, once the other one has come back as never reached.
#[track_caller]
fn end_of_the_one(ended: &[Completion]) -> End {
    assert_eq!(ended.iter().filter(|done| is_never_reached(done)).count(), 1, "{ended:?}");
    assert_eq!(ended.len(), 2);
    end_of(ended.iter().find(|done| !is_never_reached(done)).unwrap())
}

#[test]
fn a_run_whose_jobs_are_kept_stopped_can_be_dropped() {
    let scene = Scene::of(STUBBORN, crate::NEVER);
    let stopped = scene.processes.stop();
    wait_for("the stop", || scene.is_stopped());
    scene.push();
    let run = scene.run;
    in_time("the drop of a run that is paused", || drop(run));
    assert!(!scene.job.lives());
    drop(stopped);
}

#[test]
fn a_run_whose_jobs_are_kept_stopped_is_killed_at_once() {
    let scene = Scene::of(STUBBORN, crate::NEVER);
    let stopped = scene.processes.stop();
    wait_for("the stop", || scene.is_stopped());
    scene.push();
    scene.handle.kill();
    let run = scene.run;
    let ended = in_time("a kill of a run that is paused", || run.collect::<Vec<_>>());
    assert_eq!(end_of_the_one(&ended), End::Stopped(KILLED));
    drop(stopped);
}

#[test]
fn the_grace_time_of_a_job_that_was_stopped_and_is_asked_to_end_passes() {
    let scene = Scene::of(STUBBORN, Duration::from_millis(50));
    let stopped = scene.processes.stop();
    wait_for("the stop", || scene.is_stopped());
    scene.push();
    scene.handle.stop();
    let run = scene.run;
    let ended = in_time("a stop of a run that is paused", || run.collect::<Vec<_>>());
    assert_eq!(end_of_the_one(&ended), End::Stopped(KILLED));
    drop(stopped);
}

#[test]
fn a_job_that_was_stopped_hears_that_it_is_to_end() {
    let script = "trap 'exit 7' TERM; echo $$ > \"$1\"; while :; do :; done";
    let scene = Scene::of(script, crate::NEVER);
    let stopped = scene.processes.stop();
    wait_for("the stop", || scene.is_stopped());
    scene.push();
    scene.handle.stop();
    let run = scene.run;
    let ended = in_time("a stop of a run that is paused", || run.collect::<Vec<_>>());
    assert_eq!(end_of_the_one(&ended), End::Stopped(Status::Exited(7)));
    drop(stopped);
}

#[test]
fn a_drain_gives_back_what_waits_and_leaves_alone_what_is_stopped() {
    let mut scene = Scene::of(STUBBORN, crate::NEVER);
    let stopped = scene.processes.stop();
    wait_for("the stop", || scene.is_stopped());
    scene.push();
    scene.handle.drain();
    let mut run = scene.run;
    let (done, run) = in_time("a drain of a run that is paused", || (run.next().unwrap(), run));
    assert!(is_never_reached(&done));
    assert_eq!(state(&scene.job), "T");
    scene.run = run;
    drop(stopped);
    wait_for("that it goes on", || !scene.is_stopped());
}

#[test]
fn a_job_that_has_been_asked_to_end_is_not_stopped_any_more() {
    // It ends when the file exists, and not before it has received the signal.
    let script = "trap 'end=1; : > \"$1.heard\"' TERM; echo $$ > \"$1\"
        until [ \"$end\" ] && [ -e \"$1.go\" ]; do :; done; exit 5";
    let scene = Scene::of(script, crate::NEVER);
    scene.handle.stop();
    wait_for("that it has heard", || scene.folder.file("pid.heard").exists());
    let stopped = scene.processes.stop();
    fs::write(scene.folder.file("pid.go"), "").unwrap();
    let run = scene.run;
    let ended = in_time("an end while all others are stopped", || run.collect::<Vec<_>>());
    assert_eq!(end_of(&ended[0]), End::Stopped(Status::Exited(5)));
    drop(stopped);
}
