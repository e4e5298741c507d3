//! Signals to one, several or all of procpool's processes, once or by the thousand.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Signal, kill_process_group};

use crate::processes::{children, is_gone, is_stopped, kill, pids, state};
use crate::{Folder, Running, Trial, wait_for};

/// Records each signal, and ends half a second after the first.
const LISTENER: &str = "note() { echo $1 >> heard; sleep 0.5; echo ended; exit 0; }
trap 'note int' INT; trap 'note term' TERM; trap 'note quit' QUIT
echo $$ > pid.$1; while :; do sleep 0.01; done";

/// Records each signal, and goes on.
const STUBBORN: &str =
    "trap 'echo int >> heard' INT; trap 'echo term >> heard' TERM; trap 'echo quit >> heard' QUIT
echo $$ > pid.$1; while :; do sleep 0.01; done";

/// Goes on until the file `go` exists.
const PATIENT: &str = "echo $$ > pid.$1; until [ -e go ]; do sleep 0.01; done; echo out $1";

#[derive(Clone, Copy, Debug)]
enum Target {
    Front,
    Keeper,
    Pool,
    /// Front and pool, as a terminal does it.
    Group,
    /// All of procpool's processes, as a signal to a whole cgroup.
    All,
}

const TARGETS: [Target; 5] = [Target::Front, Target::Keeper, Target::Pool, Target::Group, Target::All];

impl Target {
    fn signal(self, running: &Running, signal: Signal) {
        match self {
            Target::Front => running.signal(signal),
            Target::Keeper => kill(&running.keeper(), signal),
            Target::Pool => kill(&running.pool(), signal),
            Target::Group => kill_process_group(running.pid(), signal).unwrap(),
            Target::All => {
                // The keeper first, so that its own TSTP doesn't arrive after the CONT for the others.
                kill(&running.keeper(), signal);
                kill_process_group(running.pid(), signal).unwrap();
            }
        }
    }
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("listener", LISTENER).write("stubborn", STUBBORN).write("patient", PATIENT);
    folder
}

fn run(folder: &Folder, words: &str) -> Trial {
    folder.run(words).own_group()
}

fn said(running: &Running) -> String {
    String::from_utf8(running.stderr.heard()).unwrap()
}

#[test]
fn a_signal_counts_once_whichever_process_gets_it_or_several_and_procpool_dies_of_it() {
    let signals =
        [(Signal::INT, "int\n"), (Signal::TERM, "term\n"), (Signal::HUP, "term\n"), (Signal::QUIT, "quit\n")];
    for (signal, heard) in signals {
        for target in TARGETS {
            let folder = folder();
            let running = run(&folder, "sh listener ::: a").start();
            let job = pids(&folder, "pid.", 1);
            target.signal(&running, signal);
            let ended = running.end().died_of(signal).printed("ended\n").said("  a: stopped (exit 0), ");
            assert_eq!(folder.read("heard"), heard, "{signal:?} to {target:?}");
            assert!(!ended.status.core_dumped());
            assert!(is_gone(&job[0]));
        }
    }
}

#[test]
fn int_twice_kills_at_once_whichever_process_gets_it_or_several() {
    for target in TARGETS {
        let within_the_grace_time = (0..5).any(|_| {
            let folder = folder();
            let running = run(&folder, "sh stubborn ::: a").start();
            let job = pids(&folder, "pid.", 1);
            let begun = Instant::now();
            target.signal(&running, Signal::INT);
            wait_for("the job to hear of it", || folder.has("heard"));
            target.signal(&running, Signal::INT);
            running.end().died_of(Signal::INT).said("  a: stopped (killed by SIGKILL), ");
            assert!(is_gone(&job[0]));
            begun.elapsed() < Duration::from_secs(2)
        });
        assert!(within_the_grace_time, "{target:?}");
    }
}

#[test]
fn quit_leaves_no_core_file_where_one_could_be_written() {
    let folder = folder();
    // Disables the job's own core files, which procpool doesn't control.
    folder.write("job", format!("ulimit -c 0; {LISTENER}"));
    let running = folder.sh("ulimit -c unlimited; exec procpool run sh job ::: a").start();
    pids(&folder, "pid.", 1);
    running.signal(Signal::QUIT);
    let ended = running.end().died_of(Signal::QUIT);
    assert!(!ended.status.core_dumped());
    assert!(folder.files("core").is_empty());
}

#[test]
fn usr1_tells_key_slot_number_and_time_of_each_job_that_runs() {
    for target in TARGETS {
        let folder = folder();
        let running = run(&folder, "-j2 sh patient ::: a b c").start();
        let started = pids(&folder, "pid.", 2);
        // A job may have started a moment before procpool lists it.
        wait_for("a whole report", || {
            let before = said(&running).len();
            target.signal(&running, Signal::USR1);
            wait_for("a report", || said(&running)[before..].matches('\n').count() == 3);
            is_whole(&said(&running)[before..], &started)
        });
        folder.write("go", "");
        running.end().exited(0);
    }
}

fn is_whole(report: &str, pids: &[String]) -> bool {
    assert!(report.starts_with("procpool: 2 running, 0 ended, "), "{report}");
    [("a", 1), ("b", 2)].iter().all(|(key, slot)| {
        let line = report.lines().find(|line| line.starts_with(&format!("  {key}: slot {slot}, "))).unwrap();
        pids.iter().any(|pid| line.contains(&format!("s, pid {pid}")))
    })
}

#[test]
fn thousands_of_signals_that_ask_or_mean_nothing_do_no_harm() {
    let folder = folder();
    let script = "i=0; until [ -e go ]; do i=$((i+1)); echo $i; done; echo $i > last.$1; echo x > pid.$1";
    folder.write("job", script.replace("i=0;", "i=0; echo x > begun.$1;"));
    let running = run(&folder, "-k -j4 sh job ::: 1 2 3 4").start();
    wait_for("all to have begun", || folder.files("begun.").len() == 4);
    for round in 0..3000 {
        for signal in [Signal::USR1, Signal::CONT, Signal::WINCH, Signal::USR2] {
            TARGETS[round % TARGETS.len()].signal_known(&running, signal);
        }
    }
    folder.write("go", "");
    let ended = running.end().exited(0);
    let mut expected = String::new();
    for job in 1..=4 {
        let last: u64 = folder.read(&format!("last.{job}")).trim().parse().unwrap();
        (1..=last).for_each(|number| writeln!(expected, "{number}").unwrap());
    }
    let ended = ended.printed(expected);
    let report =
        |line: &str| line.starts_with("procpool: ") || (line.starts_with("  ") && line.contains(": slot "));
    assert!(ended.error_text().lines().all(report), "{}", ended.describe());
}

impl Target {
    /// Like `signal`, but as fast as possible: if there is no pool it sends nothing, instead of waiting for
    /// one.
    fn signal_known(self, running: &Running, signal: Signal) {
        match self {
            Target::Pool => children(&running.keeper()).iter().for_each(|pool| kill(pool, signal)),
            _ => self.signal(running, signal),
        }
    }
}

#[test]
fn a_report_that_nobody_reads_keeps_no_signal_from_ending_the_run() {
    for twice in [false, true] {
        let folder = folder();
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let mut full = File::from(writer);
        fcntl_setfl(&full, OFlags::NONBLOCK).unwrap();
        while full.write(&[0; 4096]).is_ok() {}
        while full.write(&[0]).is_ok() {}
        fcntl_setfl(&full, OFlags::empty()).unwrap();
        let running = run(&folder, "sh listener ::: a").stderr(full).start();
        let job = pids(&folder, "pid.", 1);
        (0..100).for_each(|_| running.signal(Signal::USR1));
        running.signal(Signal::INT);
        if twice {
            wait_for("the job to hear of it", || folder.has("heard"));
            running.signal(Signal::INT);
        }
        wait_for("the job to be gone", || is_gone(&job[0]));
        running.end().died_of(Signal::INT);
        drop(reader);
    }
}

#[test]
fn usr2_lets_what_runs_finish_and_starts_nothing_new() {
    for target in TARGETS {
        let folder = folder();
        let running = run(&folder, "-k -j2 sh patient ::: 1 2 3 4").start();
        pids(&folder, "pid.", 2);
        target.signal(&running, Signal::USR2);
        // USR2 takes effect before a report that is requested later.
        target.signal(&running, Signal::USR1);
        wait_for("a report", || said(&running).contains("slot 2"));
        folder.write("go", "");
        running.end().exited(3).printed("out 1\nout 2\n").said("4 jobs: 2 succeeded, 2 not run; ");
    }
}

#[test]
fn usr2_changes_nothing_where_all_jobs_run_already() {
    let folder = folder();
    let running = run(&folder, "-k -j2 sh patient ::: 1 2").start();
    pids(&folder, "pid.", 2);
    running.signal(Signal::USR2);
    folder.write("go", "");
    running.end().exited(0).printed("out 1\nout 2\n");
}

#[test]
fn usr2_ends_a_run_that_waits_for_values() {
    let mut running = Folder::new().run("echo").open_input().start();
    running.write("a\n");
    running.has_printed("a\n");
    running.signal(Signal::USR2);
    let input = running.stdin.take();
    running.end().exited(3).printed("a\n");
    drop(input);
}

#[test]
fn tstp_to_the_front_alone_stops_all_and_cont_lets_all_go_on() {
    for target in TARGETS {
        let folder = folder();
        let running = run(&folder, "-k -j3 sh patient ::: 1 2 3").start();
        let mut all = pids(&folder, "pid.", 3);
        all.extend([running.pid().to_string(), running.pool()]);
        for _ in 0..3 {
            target.signal(&running, Signal::TSTP);
            wait_for("all to be stopped", || all.iter().all(|pid| is_stopped(pid)));
            // As a shell does it.
            kill_process_group(running.pid(), Signal::CONT).unwrap();
            wait_for("all to go on", || all.iter().all(|pid| !is_stopped(pid)));
            // Each has notified the next one, in this order. The keeper continues the front as well, and a
            // CONT discards any pending TSTP.
            let guards = [running.pool(), running.keeper(), running.pid().to_string()];
            wait_for("all to have told each other", || guards.iter().all(|pid| state(pid) == Some('S')));
        }
        target.signal(&running, Signal::TSTP);
        wait_for("all to be stopped", || all.iter().all(|pid| is_stopped(pid)));
        folder.write("go", "");
        running.signal(Signal::CONT);
        running.end().exited(0).printed("out 1\nout 2\nout 3\n");
    }
}

#[test]
fn whoever_continues_the_pool_continues_the_front_however_soon() {
    for signal in [Signal::STOP, Signal::TSTP] {
        for pause in [true, false] {
            let folder = folder();
            let running = run(&folder, "sh patient ::: 1").start();
            pids(&folder, "pid.", 1);
            let (front, pool) = (running.pid().to_string(), running.pool());
            for _ in 0..20 {
                kill(&pool, signal);
                wait_for("the pool to be stopped", || is_stopped(&pool));
                if pause {
                    wait_for("the front to be stopped", || is_stopped(&front));
                }
                kill(&pool, Signal::CONT);
                wait_for("all to go on", || !is_stopped(&pool) && !is_stopped(&front));
            }
            folder.write("go", "");
            running.end().exited(0).printed("out 1\n");
        }
    }
}

#[test]
fn what_its_parent_has_blocked_still_ends_it() {
    for signal in [Signal::INT, Signal::TERM] {
        for guarding in ["--", "--no-guard"] {
            let folder = folder();
            let words = ["--block-signal", "procpool", "run", guarding, "sh", "listener", ":::", "a"];
            let running = folder.command("env").args(words).start();
            pids(&folder, "pid.", 1);
            running.signal(signal);
            running.end().died_of(signal).printed("ended\n");
        }
    }
}

#[test]
fn where_the_ends_of_children_are_ignored_they_are_heard_of_all_the_same() {
    for guarding in ["--", "--no-guard"] {
        let words = ["--ignore-signal=CHLD", "procpool", "run", guarding, "sh", "-c", "exit $1", "sh", ":::"];
        let env = |value| Folder::new().command("env").args(words).arg(value);
        env("0").end().exited(0).silent();
        env("7").end().exited(1).said("  7: exit 7, ");
    }
}

#[test]
fn a_job_ignores_and_blocks_nothing_whatever_procpool_was_started_with() {
    let nothing = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nSigCgt:\t0000000000000000\n";
    for before in ["env --ignore-signal", "env --block-signal", "env --ignore-signal --block-signal", "nohup"]
    {
        for guarding in ["--", "--no-guard"] {
            let look = format!(
                "exec {before} procpool run {guarding} sed -nE '/Sig(Blk|Ign|Cgt)/p' ::: /proc/self/status"
            );
            Folder::new().sh(&look).end().exited(0).printed(nothing);
        }
    }
}

#[test]
fn under_nohup_all_jobs_run_whoever_of_the_two_is_hung_up() {
    for target in TARGETS {
        let folder = folder();
        let words = ["procpool", "run", "-k", "-j2", "sh", "patient", ":::", "1", "2", "3", "4"];
        let running = folder.command("nohup").args(words).own_group().start();
        pids(&folder, "pid.", 2);
        target.signal(&running, Signal::HUP);
        folder.write("go", "");
        let ended = running.end().exited(0);
        ended.printed("out 1\nout 2\nout 3\nout 4\n");
    }
}
