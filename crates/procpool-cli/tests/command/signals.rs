//! Signals to procpool: the jobs end, their output is printed, and procpool dies of that signal.

use std::time::{Duration, Instant};

use std::path::Path;

use rustix::process::Signal;

use crate::terminal::Terminal;
use crate::{Folder, Running, Trial, lives, wait_for};

/// Prints, and then sleeps. It stamps its start only when the shell is gone, because a shell can lose a
/// signal just before its exec.
const SLEEPER: &str = "echo before {}; exec sleeper 1000 --quiet --key {} --stamp started.{}";

/// Records each INT and TERM, and ignores them otherwise.
const STUBBORN: &str = "trap 'echo int >> heard' INT; trap 'echo term >> heard' TERM; echo before; \
                        echo $$ > pid; mv pid started; while :; do sleep 0.01; done";

fn job(folder: &Folder, options: &str, script: &str) -> Trial {
    folder.run(options).args(["sh", "-c", script, ":::"])
}

#[track_caller]
fn wait_started(folder: &Folder, count: usize) {
    let started = || folder.files("started").iter().filter(|file| pid(file).is_some()).count();
    wait_for(&format!("{count} jobs to have started"), || started() == count);
}

fn no_job_lives(folder: &Folder) -> bool {
    folder.files("started").iter().all(|file| !lives(&pid(file).unwrap()))
}

/// The pid of the process that wrote the file: from a stamp of sleeper's, or the number alone.
fn pid(file: &Path) -> Option<String> {
    let text = std::fs::read_to_string(file).unwrap();
    match text.split_whitespace().collect::<Vec<_>>()[..] {
        ["start", _, pid, _] | [pid] => Some(pid.to_owned()),
        _ => None,
    }
}

#[test]
fn procpool_dies_by_the_signal_that_ended_it_and_no_job_is_left() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        for options in ["-j3", "-j3 -k"] {
            let folder = Folder::new();
            let running = job(&folder, options, SLEEPER).args(["1", "2", "3", "4", "5"]).start();
            wait_started(&folder, 3);
            running.signal(signal);
            let ended = running.end().died_of(signal).said("5 jobs: 3 stopped, 2 not run; ");
            assert!(no_job_lives(&folder));
            let mut printed: Vec<&str> = ended.text().lines().collect();
            printed.sort_unstable();
            assert_eq!(printed, ["before 1", "before 2", "before 3"]);
            let name = if signal == Signal::INT { "SIGINT" } else { "SIGTERM" };
            ended.said(&format!("  1: stopped (killed by {name}), "));
            assert_eq!(folder.files("started").len(), 3);
        }
    }
}

#[test]
fn the_jobs_get_int_for_int_and_term_for_term_and_hup() {
    for (signal, heard) in [(Signal::INT, "int\n"), (Signal::TERM, "term\n"), (Signal::HUP, "term\n")] {
        let folder = Folder::new();
        let script = "trap 'echo int; exit 0' INT; trap 'echo term; exit 0' TERM; \
                      echo $$ > started; while :; do sleep 0.01; done";
        let running = job(&folder, "", script).arg("a").start();
        wait_started(&folder, 1);
        running.signal(signal);
        running.end().died_of(signal).printed(heard).said("  a: stopped (exit 0), ");
    }
}

#[test]
fn a_job_that_does_not_care_is_killed_after_the_grace_time() {
    let folder = Folder::new();
    let running = job(&folder, "", STUBBORN).arg("a").start();
    wait_started(&folder, 1);
    running.signal(Signal::TERM);
    running.end().died_of(Signal::TERM).printed("before\n").said("  a: stopped (killed by SIGKILL), ");
    assert!(no_job_lives(&folder));
    assert_eq!(folder.read("heard"), "term\n");
}

/// Sends the first signal, and the second once the job has received it. Returns how long the end took.
fn twice(folder: &Folder, running: Running, first: Signal, second: Signal) -> Duration {
    wait_started(folder, 1);
    let begun = Instant::now();
    running.signal(first);
    wait_for("the job to hear of it", || folder.has("heard"));
    running.signal(second);
    running.end().died_of(first).printed("before\n").said("  a: stopped (killed by SIGKILL), ");
    assert!(no_job_lives(folder));
    begun.elapsed()
}

#[test]
fn int_a_second_time_kills_at_once() {
    for first in [Signal::INT, Signal::TERM] {
        // A slow machine may need as long as the grace time once, but not each time.
        let at_once = (0..5).any(|_| {
            let folder = Folder::new();
            let running = job(&folder, "", STUBBORN).arg("a").start();
            twice(&folder, running, first, Signal::INT) < Duration::from_secs(2)
        });
        assert!(at_once, "after {first:?}");
    }
}

#[test]
fn term_a_second_time_does_not_shorten_the_grace_time() {
    let folder = Folder::new();
    let running = job(&folder, "", STUBBORN).arg("a").start();
    assert!(twice(&folder, running, Signal::TERM, Signal::TERM) >= Duration::from_secs(2));
}

#[test]
fn a_signal_that_was_ignored_from_the_start_stays_ignored() {
    for (name, signal) in [("HUP", Signal::HUP), ("INT", Signal::INT)] {
        let folder = Folder::new();
        folder.write("job", "echo $$ > started; until [ -e go ]; do sleep 0.01; done; echo $1");
        let running = folder.sh(&format!("trap '' {name}; exec procpool run -k sh job ::: 1 2")).start();
        wait_started(&folder, 1);
        running.signal(signal);
        folder.write("go", "");
        running.end().exited(0).printed("1\n2\n").silent();
    }
}

#[test]
fn nohup_keeps_a_run_alive_and_other_signals_still_end_it() {
    let folder = Folder::new();
    folder.write("job", SLEEPER.replace("{}", "1"));
    let running = folder.command("nohup").args(["procpool", "run", "sh", "job", ":::", "1"]).start();
    wait_started(&folder, 1);
    running.signal(Signal::HUP);
    running.signal(Signal::TERM);
    running.end().died_of(Signal::TERM).printed("before 1\n");
    assert!(no_job_lives(&folder));
}

#[test]
fn who_waits_for_values_from_a_pipe_can_be_ended() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut running = Folder::new().run("echo").open_input().start();
        running.write("a\n");
        running.has_printed("a\n");
        running.signal(signal);
        // The pipe stays open until procpool has ended.
        let pipe = running.stdin.take();
        running.end().died_of(signal).printed("a\n");
        drop(pipe);
    }
}

#[test]
fn ctrl_c_ends_a_run_that_waits_for_values_from_the_terminal() {
    let folder = Folder::new();
    let mut terminal = Terminal::new();
    let running = terminal.run(&folder, "echo got").start();
    terminal.shows("reading values from the terminal");
    terminal.press("a\n");
    terminal.shows("got a\n");
    terminal.press("\x03");
    running.end().died_of(Signal::INT);
}

#[test]
fn ctrl_c_ends_the_jobs_that_run() {
    let folder = Folder::new();
    folder.write("job", SLEEPER.replace("{}", "$1"));
    let mut terminal = Terminal::new();
    let running = terminal.run(&folder, "-j2 sh job ::: 1 2 3").start();
    wait_started(&folder, 2);
    terminal.press("\x03");
    running.end().died_of(Signal::INT);
    assert!(no_job_lives(&folder));
    terminal.shows("3 jobs: 2 stopped, 1 not run; ");
    terminal.shows("before 1\n");
    terminal.shows("before 2\n");
}

#[test]
fn who_waits_for_a_reader_can_be_ended() {
    let folder = Folder::new();
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    let script = "echo $$ > started$PROCPOOL_SEQ; sleeper 0 --quiet --stdout-bytes 70000";
    let running = folder.run("-0 -j1 sh -c").arg(script).endless_input().stdout(writer).start();
    wait_for("the reader is too slow", || folder.files("started").len() > 1);
    running.signal(Signal::TERM);
    running.end().died_of(Signal::TERM);
    drop(reader);
}

#[test]
fn a_named_pipe_as_input_of_a_job_is_not_waited_for() {
    let folder = Folder::new();
    folder.sh("mkfifo fifo").end().exited(0);
    let jobs = r#"{"a": {"cmd": ["cat"], "stdin": {"file": "fifo"}}, "b": ["echo", "b"]}"#;
    let ended = folder.write("jobs.json", jobs).run("--file jobs.json").end();
    ended.exited(1).printed("b\n").said("  a: not started: standard input \"fifo\": a named pipe");
}
