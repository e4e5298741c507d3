//! Programs that use a pool and do what a library can't prevent: they reap its children, or end without
//! ending the run. Each case starts this program again as such a host.

#![expect(clippy::unwrap_used, reason = "clippy does not take the helpers of tests for tests")]
#![expect(unsafe_code, reason = "hosts call waitpid(2) and signal(2) as C programs do")]

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{self, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use procpool_core::{Command, End, Job, Limit, LocalProcess, Pool};

const HOST: &str = "PROCPOOL_TEST_HOST";

/// This program as the host of a case; `name` is that of the calling test.
fn host(name: &str, part: &str) -> process::Command {
    sleeper::heed_all_signals();
    let mut this = process::Command::new(env::current_exe().unwrap());
    this.args(["--exact", name, "--nocapture"]).env(HOST, part);
    this
}

fn part() -> Option<String> {
    env::var(HOST).ok()
}

fn wait_for(what: &str, mut fact: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !fact() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

extern "C" fn reap_all(_: libc::c_int) {
    // SAFETY: waitpid(2) may be called in a handler, and a null status is allowed.
    while unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) } > 0 {}
}

fn on_child(handler: libc::sighandler_t, flags: libc::c_int) {
    // SAFETY: all-zero bytes are a valid sigaction, and it lives until the call is over.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = flags;
        assert_eq!(libc::sigaction(libc::SIGCHLD, &raw const action, std::ptr::null_mut()), 0);
    }
}

/// Nothing panics. Each job has a known status, or is lost but has its output.
fn run_as_one_whose_statuses_are_taken(expect_lost: bool) {
    let jobs = (1..=20).map(|n| {
        Job::new(n.to_string(), Command::new("sh").args(["-c", "echo \"$0\"; sleep .01", &n.to_string()]))
    });
    let mut lost = 0;
    for done in Pool::new(Limit::new(4).unwrap()).run(jobs).unwrap() {
        let ran = done.outcome.ran().unwrap();
        assert_eq!(ran.stdout.to_string_lossy().unwrap(), format!("{}\n", done.key()));
        if ran.end == End::Unknown {
            lost += 1;
            assert_eq!((done.outcome.is_success(), done.outcome.status()), (false, None));
            let why = done.outcome.to_string();
            assert!(
                why.starts_with("lost: its exit status was taken by other code of this program: "),
                "{why}"
            );
            assert_eq!(done.outcome.lost(), why.strip_prefix("lost: "));
        } else {
            assert!(done.outcome.is_success(), "{}", done.outcome);
        }
    }
    assert!(!expect_lost || lost > 0);
}

#[track_caller]
fn taken(name: &str, take: fn(), expect_lost: bool) {
    if part().is_some() {
        take();
        return run_as_one_whose_statuses_are_taken(expect_lost);
    }
    let output = host(name, "taker").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn where_sigchld_is_ignored_jobs_are_lost_with_their_outputs_and_the_run_goes_on() {
    let name = "where_sigchld_is_ignored_jobs_are_lost_with_their_outputs_and_the_run_goes_on";
    taken(name, || on_child(libc::SIG_IGN, 0), true);
}

#[test]
fn where_children_are_not_to_be_waited_for_jobs_are_lost_with_their_outputs() {
    let name = "where_children_are_not_to_be_waited_for_jobs_are_lost_with_their_outputs";
    taken(name, || on_child(libc::SIG_DFL, libc::SA_NOCLDWAIT), true);
}

#[test]
fn where_a_handler_reaps_all_children_jobs_are_lost_with_their_outputs() {
    let name = "where_a_handler_reaps_all_children_jobs_are_lost_with_their_outputs";
    taken(name, || on_child(reap_all as *const () as libc::sighandler_t, libc::SA_RESTART), true);
}

#[test]
fn where_a_thread_waits_for_any_child_no_run_panics() {
    let name = "where_a_thread_waits_for_any_child_no_run_panics";
    let take = || {
        thread::spawn(|| {
            loop {
                // SAFETY: a null status is allowed.
                unsafe { libc::waitpid(-1, std::ptr::null_mut(), 0) };
                thread::yield_now();
            }
        });
    };
    // The order of the two waits is undefined.
    taken(name, take, false);
}

/// Runs jobs that sleep, prints their pids, and ends in some way.
fn end_somehow(way: &str, ends_with_caller: bool) -> ! {
    let runner = LocalProcess::new().end_with_caller(ends_with_caller);
    let processes = runner.processes();
    let jobs = ["a", "b"].map(|key| Job::new(key, Command::new("sleep").arg("86400")));
    let _run = Pool::with_runner(Limit::new(2).unwrap(), runner).run(jobs).unwrap();
    wait_for("both jobs", || processes.list().len() == 2);
    let pids: Vec<String> = processes.list().iter().map(|process| process.pid.to_string()).collect();
    println!("\nPIDS {}", pids.join(" "));
    match way {
        "exit" => process::exit(0),
        "abort" => process::abort(),
        _ => loop {
            thread::park();
        },
    }
}

fn lives(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// The pids of the jobs of a host that has ended in this way.
fn jobs_of_one_that_ended(name: &str, way: &str) -> Vec<String> {
    let mut host = host(name, way).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut said = BufReader::new(host.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("PIDS ") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "the host has ended");
    }
    let signal = match way {
        "INT" => libc::SIGINT,
        "TERM" => libc::SIGTERM,
        "KILL" => libc::SIGKILL,
        _ => 0,
    };
    if signal != 0 {
        // SAFETY: it takes two integers, and the host has not been reaped.
        unsafe { libc::kill(host.id().try_into().unwrap(), signal) };
    }
    wait_for(way, || host.try_wait().unwrap().is_some());
    drop(said.read_to_string(&mut String::new()));
    line.split_whitespace().skip(1).map(str::to_owned).collect()
}

#[test]
fn however_a_program_ends_no_job_of_its_is_left() {
    if let Some(way) = part() {
        end_somehow(&way, true);
    }
    if env::var_os("PROCPOOL_SYS").is_some_and(|system| system == "unix") {
        return println!("skipped, because by POSIX no process ends with its parent");
    }
    for way in ["INT", "TERM", "KILL", "exit", "abort"] {
        let jobs = jobs_of_one_that_ended("however_a_program_ends_no_job_of_its_is_left", way);
        assert_eq!(jobs.len(), 2);
        wait_for(way, || !jobs.iter().any(|pid| lives(pid)));
    }
}

#[test]
fn jobs_that_may_outlive_their_program_do() {
    if let Some(way) = part() {
        end_somehow(&way, false);
    }
    let jobs = jobs_of_one_that_ended("jobs_that_may_outlive_their_program_do", "KILL");
    assert!(jobs.iter().all(|pid| lives(pid)));
    for pid in jobs {
        // SAFETY: it takes two integers; the job is ours and sleeps for a day.
        unsafe { libc::kill(pid.parse().unwrap(), libc::SIGKILL) };
    }
}
