//! The head ends early, because its terminal is closed, it gets SIGTERM, or its own time is over: the cluster
//! goes on with the run.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};

use rustix::fs::OFlags;
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::case::{Case, numbers, printed};
use crate::cluster::{Cluster, Which};
use crate::running::Running;
use crate::wait_for;

const JOB: &str = "until [ -e go ]; do sleep 0.1; done; echo \"this is $1\"";

/// The slices go on, and a resume prints the whole output, each job once.
#[track_caller]
fn all_comes_back(case: &Case, journal: &str, count: usize) {
    case.write("go", "");
    let resumed = case.end(&format!("resume {journal}"), "").exited(0).said_nothing_of("lost");
    assert_eq!(resumed.text(), printed(count));
    assert_eq!(case.starts().len(), count);
    assert_eq!(case.arrays(Which::All).len(), 1);
}

/// The two ends of a pseudo-terminal: the user's and the program's.
fn terminal() -> (File, File) {
    let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&keyboard).unwrap();
    unlockpt(&keyboard).unwrap();
    let name = ptsname(&keyboard, Vec::new()).unwrap();
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(i32::try_from(OFlags::NOCTTY.bits()).unwrap());
    (File::from(keyboard), options.open(OsStr::from_bytes(name.as_bytes())).unwrap())
}

/// The same command, as the leader of a session on a terminal of its own.
fn on_terminal(command: &Command) -> Command {
    let mut session = Command::new("setsid");
    session.arg("--ctty").arg(command.get_program()).args(command.get_args());
    session.current_dir(command.get_current_dir().unwrap()).stdout(Stdio::piped());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => session.env(name, value),
            None => session.env_remove(name),
        };
    }
    session
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn a_terminal_that_is_closed_leaves_the_run_to_the_cluster() {
    let case = Case::new(Cluster::shared());
    case.job(JOB);
    case.write("values", numbers(64));
    let (keyboard, device) = terminal();
    let run = case.procpool("run -k --on slurm --slices 4 -j8 --journal J -a values -- sh job {}");
    let running = Running::start_on(&mut on_terminal(&run), device);
    case.wait_for_starts(32);
    drop(keyboard);
    let ended = running.end().died_of(Signal::HUP);
    ended.said("goes on without this process; 64 jobs have no outcome yet").said("procpool resume J");
    all_comes_back(&case, "J", 64);
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn term_leaves_the_run_where_that_was_asked_for() {
    let case = Case::new(Cluster::shared());
    case.job(JOB);
    let run = "run -k --on slurm --on-term leave --slices 4 -j2 -- sh job {}";
    let running = case.start(run, &numbers(16));
    case.wait_for_starts(8);
    running.signal(Signal::TERM);
    let ended = running.end().died_of(Signal::TERM);
    let said = ended.error_text();
    let folder = said.lines().find_map(|line| line.split_once("procpool resume ")).unwrap().1.to_owned();
    all_comes_back(&case, &folder, 16);
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn a_head_in_a_job_whose_time_is_over_leaves_what_it_has_handed_in() {
    let case = Case::new(Cluster::own(""));
    case.job(JOB);
    case.write("values", numbers(16));
    let run = case.procpool("run -k --on slurm --slices 2 -j8 --journal J -a values -- sh job {}");
    let words = [run.get_program()].into_iter().chain(run.get_args()).map(|word| word.to_str().unwrap());
    let words: Vec<&str> = words.collect();
    case.write("head", format!("#!/bin/sh\nexec {} > output 2> said\n", words.join(" ")));
    let folder = run.get_current_dir().unwrap().display().to_string();
    // As early before the end as Slurm can be told to send the signal.
    let head =
        format!("sbatch --time=1 --signal=B:TERM@55 --output=/dev/null --chdir={folder} {folder}/head");
    case.cluster.ask(&head);
    case.wait_for_starts(16);
    wait_for("the head has left", || case.read("said").contains("procpool resume J"));
    assert!(case.read("said").contains("goes on without this process"), "{}", case.read("said"));
    case.write("go", "");
    let resumed = case.end("resume J", "").exited(0).said_nothing_of("lost");
    assert_eq!(resumed.text(), printed(16));
    assert_eq!(case.starts().len(), 16);
}
