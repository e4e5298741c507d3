//! How jobs end, by themselves or by us, and what they leave behind: real processes.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use procpool_core::{Command, Completion, End, Job, PeakMemory, Pool, Run, Signal, Status};
use sleeper::stamp;

use crate::{
    Folder, LeftBehind, end_of, in_time, limit, patient, run, run_by, run_one, said, sh, sleeper, wait_for,
};

const SOON: Duration = Duration::from_millis(50);

const KILLED: Status = Status::Signalled(Signal::KILL);
const TERMINATED: Status = Status::Signalled(Signal::TERM);

/// Ignores TERM from before the file `$1` exists to its end: ignored signals stay ignored across exec.
const STUBBORN: &str = "trap '' TERM; : > \"$1\"; exec sleep 1000";

/// Lets a job time out after it has reported that it is ready. If the machine was too slow for that, the job
/// gets more time.
fn timed_out(command: &Command, grace: Duration) -> Completion {
    for doubled in 0..10 {
        let timeout = Duration::from_millis(100 << doubled);
        let before = Instant::now();
        let done = run_by(patient().grace(grace), Job::new("late", command.clone()).timeout(timeout));
        assert!(before.elapsed() >= timeout && done.elapsed() >= timeout, "it was ended early");
        assert_eq!(done.outcome.status(), Some(124));
        if done.stdout().to_string_lossy().unwrap() == "ready\n" {
            return done;
        }
    }
    panic!("the job was never ready");
}

#[test]
fn every_exit_code_is_told_as_it_is() {
    let exits = (0..=255).map(|code: u8| Job::new(code.to_string(), sh(&format!("exit {code}"), "")));
    let results = run(exits);
    for (code, done) in (0..=255).zip(&results) {
        assert_eq!(end_of(done), End::Itself(Status::Exited(code)));
        assert_eq!(done.outcome.status(), Some(code));
        assert_eq!(done.outcome.is_success(), code == 0);
    }
}

#[test]
fn every_signal_that_kills_is_told() {
    // All except CHLD, CONT, URG and WINCH, which are ignored; STOP to TTOU, which stop; and IO, which
    // sleeper considers ignored. Real-time signals start at 34.
    let harmless = [17, 18, 19, 20, 21, 22, 23, 28, 29];
    let deadly: Vec<i32> = (1..=31).filter(|n| !harmless.contains(n)).chain(34..=64).collect();
    let jobs = deadly.iter().map(|n| Job::new(n.to_string(), sleeper(&format!("0 --kill-self {n}"))));
    let results = run(jobs);
    for (number, done) in deadly.iter().zip(&results) {
        let signal = Signal::from_number(*number).unwrap();
        assert_eq!(end_of(done), End::Itself(Status::Signalled(signal)));
        assert_eq!(done.outcome.status().map(i32::from), Some(128 + number));
        assert_eq!(done.stdout().to_string_lossy().unwrap(), "time slept:0\n");
    }
}

#[test]
fn a_job_that_is_killed_by_somebody_else_has_ended_by_itself() {
    assert_eq!(end_of(&run_one(sh("kill -KILL $$", ""))), End::Itself(KILLED));
}

#[test]
fn a_job_in_time_does_not_notice_its_timeout() {
    for timeout in [Duration::from_secs(1_000), Duration::MAX] {
        let done = run_by(patient(), Job::new("in time", Command::new("echo").arg("done")).timeout(timeout));
        assert_eq!(said(&done), "done\n");
    }
}

#[test]
fn a_timeout_ends_a_job_by_term_and_keeps_what_it_wrote() {
    let done = timed_out(&sleeper("1000 --ready"), crate::NEVER);
    assert_eq!(end_of(&done), End::TimedOut(TERMINATED));
}

#[test]
fn a_job_that_ignores_term_is_killed_after_the_grace_time() {
    let done = timed_out(&sleeper("1000 --ignore-term"), SOON);
    assert_eq!(end_of(&done), End::TimedOut(KILLED));
}

#[test]
fn a_job_that_exits_with_0_on_the_term_of_its_timeout_has_timed_out() {
    let done = timed_out(&sleeper("1000 --exit-on-term 0"), crate::NEVER);
    assert_eq!(end_of(&done), End::TimedOut(Status::Exited(0)));
    assert!(!done.outcome.is_success());
}

#[test]
fn a_job_that_stopped_itself_is_ended_by_its_timeout() {
    let done = timed_out(&sleeper("1000 --ready --stop-self"), crate::NEVER);
    assert_eq!(end_of(&done), End::TimedOut(TERMINATED));
}

#[test]
fn a_timeout_of_no_time_at_all_is_one() {
    let done = run_by(patient(), Job::new("late", sleeper("1000")).timeout(Duration::ZERO));
    assert_eq!(end_of(&done), End::TimedOut(TERMINATED));
}

#[test]
fn a_job_leads_a_process_group_of_its_own() {
    let said = said(&run_one(sh("cut -d ' ' -f 1,5 /proc/$$/stat", "")));
    let (pid, group) = said.trim_end().split_once(' ').unwrap();
    assert_eq!(pid, group);
}

#[test]
fn a_timeout_ends_the_whole_group() {
    let folder = Folder::new();
    let script = "sleep 1000 & echo $! > \"$1\"; echo ready; wait";
    let done = timed_out(&sh(script, folder.file("pid")), crate::NEVER);
    assert!(!done.outcome.ran().unwrap().leaked);
    // The signal reaches it before the outcome is reported, but its end may take a moment longer.
    let rest = LeftBehind::of(&folder.file("pid"));
    wait_for("the rest of the group to be gone", || !rest.lives());
}

#[test]
fn a_process_that_holds_the_output_does_not_hold_the_job_and_is_killed() {
    let folder = Folder::new();
    let done = run_one(sleeper("0 --hold-stdout 1000 --pid-file").arg(folder.file("pid")));
    assert!(done.outcome.ran().unwrap().leaked);
    assert!(done.outcome.to_string().contains("leaked"));
    // A leak alone is not a failure, and earlier output is there.
    assert_eq!(said(&done), "time slept:0\n");
    let holder = LeftBehind::of(&folder.file("pid"));
    wait_for("the end of the holder", || !holder.lives());
}

#[test]
fn a_process_of_another_session_that_holds_the_output_does_not_hold_the_job() {
    let folder = Folder::new();
    let script = "setsid -f sh -c 'echo $$ > \"$1\"; exec sleep 1000' sh \"$1\"; echo said";
    let done = in_time("a job whose output is held for ever", {
        let command = sh(script, folder.file("pid"));
        move || run_one(command)
    });
    let holder = LeftBehind::of(&folder.file("pid"));
    assert!(holder.lives());
    assert!(done.outcome.ran().unwrap().leaked);
    assert_eq!(said(&done), "said\n");
}

#[test]
fn a_process_of_another_session_that_never_stops_writing_does_not_hold_the_job() {
    let folder = Folder::new();
    let script = "setsid -f sh -c 'echo $$ > \"$1\"; exec yes' sh \"$1\"";
    let done = in_time("a job whose output never ends", {
        let command = sh(script, folder.file("pid"));
        move || run_one(command)
    });
    let _writer = LeftBehind::of(&folder.file("pid"));
    assert!(done.outcome.ran().unwrap().leaked);
}

#[test]
fn a_daemon_that_closed_its_streams_is_no_leak() {
    let folder = Folder::new();
    let done = run_one(sleeper("0 --daemon 1000 --pid-file").arg(folder.file("pid")));
    assert!(!done.outcome.ran().unwrap().leaked);
    assert_eq!(said(&done), "time slept:0\n");
    assert!(LeftBehind::of(&folder.file("pid")).lives());
}

#[test]
fn an_output_that_a_fork_of_this_program_holds_is_no_leak_of_the_job() {
    let folder = Folder::new();
    // Leaves a process in its group that has nothing to do with its output.
    let script = "sleep 1000 > /dev/null 2>&1 & echo $! > \"$1.left\"; echo $$ > \"$1\"
        until [ -e \"$1.go\" ]; do :; done; echo said";
    let runner = patient();
    let command = sh(script, folder.file("pid"));
    let mut run = Pool::with_runner(limit(1), runner).run([Job::new("one", command)]).unwrap();
    let job = LeftBehind::of(&folder.file("pid"));
    // Like a fork at the moment of a start, but for any time.
    let [mut holder, _] = ["1", "2"].map(|fd| {
        let output = fs::File::options().write(true).open(format!("/proc/{}/fd/{fd}", job.0)).unwrap();
        let mut sleep = std::process::Command::new("sleep");
        Held(sleep.arg("1000").stdout(output).spawn().unwrap())
    });
    fs::write(folder.file("pid.go"), "").unwrap();
    let done = run.next().unwrap();
    assert!(!done.outcome.ran().unwrap().leaked);
    assert_eq!(said(&done), "said\n");
    assert!(LeftBehind::of(&folder.file("pid.left")).lives(), "the group was killed for nothing");
    assert_eq!(holder.0.try_wait().unwrap(), None);
}

/// A child of this program, killed at the end of the test.
struct Held(std::process::Child);

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn an_output_that_was_handed_to_somebody_older_is_no_leak_of_the_job() {
    let folder = Folder::new();
    let mut older = std::process::Command::new("setsid");
    let script = "until [ -s \"$1\" ]; do sleep .01; done; exec 3> /proc/$(cat \"$1\")/fd/1; : > \"$1.go\"
        exec sleep 1000";
    let older = older.args(["sh", "-c", script, "sh"]).arg(folder.file("pid")).spawn().unwrap();
    let _older = Held(older);
    // The start times in `/proc` have a resolution of a hundredth of a second.
    let uptime = || fs::read_to_string("/proc/uptime").unwrap().split(' ').next().map(str::to_owned);
    let before = uptime();
    wait_for("a later start", || uptime() != before);
    let script = "echo $$ > \"$1\"; until [ -e \"$1.go\" ]; do :; done; echo said";
    let done = run_one(sh(script, folder.file("pid")));
    assert!(!done.outcome.ran().unwrap().leaked);
    assert_eq!(said(&done), "said\n");
}

/// A run of jobs that ignore TERM, once all of them do.
fn stubborn(count: usize, grace: Duration, folder: &Folder) -> Run {
    let files: Vec<_> = (0..count).map(|n| folder.file(&n.to_string())).collect();
    let jobs = files.into_iter().map(|file| Job::new(file.as_os_str(), sh(STUBBORN, &file)));
    let run = Pool::with_runner(limit(count), patient().grace(grace)).run(jobs).unwrap();
    wait_for("jobs that ignore TERM", || folder.count() == count);
    run
}

#[test]
fn a_stop_ends_by_term() {
    let folder = Folder::new();
    // No second process: one that the shell has forked but not yet executed would receive the TERM and lose
    // it.
    let script = "trap 'echo heard; exit 7' TERM; : > \"$1\"; while :; do :; done";
    let pool = Pool::with_runner(limit(1), patient());
    let mut run = pool.run([Job::new("one", sh(script, folder.file("ready")))]).unwrap();
    wait_for("the trap", || folder.count() == 1);
    run.handle().stop();
    let done = run.next().unwrap();
    assert_eq!(end_of(&done), End::Stopped(Status::Exited(7)));
    assert_eq!(done.stdout().to_string_lossy().unwrap(), "heard\n");
}

#[test]
fn a_stop_with_another_signal_ends_by_that() {
    let folder = Folder::new();
    let pool = Pool::with_runner(limit(1), patient());
    let mut run =
        pool.run([Job::new("one", sh(": > \"$1\"; exec sleep 1000", folder.file("ready")))]).unwrap();
    wait_for("the start", || folder.count() == 1);
    // Not HUP or INT: whoever started this test may have them ignored, and jobs inherit that.
    let usr1 = Signal::from_number(10).unwrap();
    run.handle().stop_with(usr1);
    let done = run.next().unwrap();
    assert_eq!(end_of(&done), End::Stopped(Status::Signalled(usr1)));
    assert_eq!(done.outcome.status(), Some(138));
}

#[test]
fn a_stop_kills_what_ignores_it_after_the_grace_time() {
    let run = stubborn(4, SOON, &Folder::new());
    run.handle().stop();
    assert!(run.into_iter().all(|done| end_of(&done) == End::Stopped(KILLED)));
}

#[test]
fn a_kill_waits_for_no_grace_time() {
    let run = stubborn(16, crate::NEVER, &Folder::new());
    run.handle().kill();
    let ends = in_time("a kill", || run.map(|done| end_of(&done)).collect::<Vec<_>>());
    assert_eq!(ends, [End::Stopped(KILLED); 16]);
}

#[test]
fn a_kill_after_a_stop_waits_for_no_grace_time() {
    let run = stubborn(16, crate::NEVER, &Folder::new());
    run.handle().stop();
    run.handle().kill();
    let ends = in_time("a kill after a stop", || run.map(|done| end_of(&done)).collect::<Vec<_>>());
    assert_eq!(ends, [End::Stopped(KILLED); 16]);
}

#[test]
fn a_run_that_is_dropped_leaves_no_process() {
    let folder = Folder::new();
    let stamps = folder.file("stamps");
    let job = |n: u32| Job::new(n.to_string(), sleeper("1000 --stamp").arg(&stamps));
    let run = Pool::with_runner(limit(5), patient()).run((0..9).map(job).collect::<Vec<_>>()).unwrap();
    let started = || stamp::read(&stamps).unwrap_or_default();
    wait_for("five that run", || started().len() == 5);
    in_time("the drop of a run", || drop(run));
    let started = started();
    assert_eq!(started.len(), 5);
    // Not even zombies.
    assert!(started.iter().all(|job| !Path::new(&format!("/proc/{}", job.pid)).exists()));
}

#[test]
fn the_processes_do_reach_the_limit_and_never_pass_it() {
    let folder = Folder::new();
    let stamps = folder.file("stamps");
    // Each is released by one byte from the pipe that all of them read.
    let fifo = folder.file("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let mut gate = fs::File::options().read(true).write(true).open(&fifo).unwrap();
    let script = "\"$2\" 0 --quiet --stamp \"$1\"; : > \"$1.$$\"; head -c 1 \"$3\"";
    let job = |n: u32| {
        let command = sh(script, &stamps).arg(sleeper::binary()).arg(&fifo);
        Job::new(n.to_string(), command)
    };
    let pool = Pool::with_runner(limit(8), patient());
    let mut run = pool.run((0..24).map(job).collect::<Vec<_>>()).unwrap();
    for ended in 0..24 {
        let started = (ended + 8).min(24);
        // The stamps, the pipe, and a file for each that has started so far.
        wait_for("as many as may run", || folder.count() == started + 2);
        std::io::Write::write_all(&mut gate, b"!").unwrap();
        assert_eq!(said(&run.next().unwrap()), "!");
    }
    let jobs = (0..64).map(|n| Job::new(n.to_string(), sleeper("0.02 --stamp").arg(&stamps)));
    fs::remove_file(&stamps).unwrap();
    assert!(pool.run_all(jobs).unwrap().all_succeeded());
    assert!(stamp::peak(&stamp::read(&stamps).unwrap()) <= 8);
}

#[test]
fn what_a_job_used_is_told() {
    let done = run_one(sh("i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done", ""));
    let usage = done.outcome.ran().unwrap().usage;
    assert!(usage.user > Duration::ZERO, "{usage:?}");
    assert!(usage.user <= done.elapsed());
}

#[test]
fn a_peak_of_memory_is_told_where_it_is_the_jobs_own() {
    // More than this program has ever used, in a variable of the shell.
    let script = "much=$(head -c 300000000 /dev/zero | tr '\\0' x); : ${#much}";
    let peak = |done: Completion| done.outcome.ran().unwrap().usage.peak_memory;
    let large = peak(run_one(sh(script, "")));
    assert!(matches!(large, PeakMemory::Known(300_000_000..)), "{large:?}");
    // It is smaller than this program, whose peak the kernel reports instead.
    let small = peak(run_one(Command::new("true")));
    assert!(matches!(small, PeakMemory::Below(1..)), "{small:?}");
}

#[test]
fn a_child_of_the_caller_is_left_to_the_caller() {
    let mut ours = std::process::Command::new("sh").args(["-c", "exit 42"]).spawn().unwrap();
    assert!(run((0..50).map(|n| Job::new(n.to_string(), Command::new("true")))).all_succeeded());
    assert_eq!(ours.wait().unwrap().code(), Some(42));
}
