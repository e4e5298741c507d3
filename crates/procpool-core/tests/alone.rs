//! Tests of this program as a whole process: its memory, threads, descriptors and children. Each case starts
//! this program again as a process of its own, which does nothing else.

#![expect(clippy::unwrap_used, reason = "clippy does not take the helpers of tests for tests")]

use std::env;
use std::fmt::Debug;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;
use procpool_core::{
    Command, Context, End, Job, Limit, LocalProcess, Outcome, Pool, Ran, Runner, Status, Stdin,
};

const ALONE: &str = "PROCPOOL_TEST_ALONE";
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs a case in a process of its own; `name` is that of the calling test.
#[track_caller]
fn alone(name: &str, act: fn()) {
    if env::var_os(ALONE).is_some() {
        return act();
    }
    let mut this = process::Command::new(env::current_exe().unwrap());
    let output = this.args(["--exact", name, "--nocapture"]).env(ALONE, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{complained}");
}

#[track_caller]
fn wait_for(what: &str, mut fact: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !fact() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

fn limit(limit: usize) -> Limit {
    Limit::new(limit).unwrap()
}

/// A runner that does nothing.
struct Nothing;

impl Runner for Nothing {
    type Work = u64;

    fn run(&self, _: &Job<u64>, _: &Context) -> Outcome {
        Ran::new(End::Itself(Status::Exited(0))).into()
    }
}

fn number(number: u64) -> Job<u64> {
    Job::new(number.to_string(), number)
}

/// The names of the library's threads.
fn threads() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.starts_with("procpool-")).collect()
}

/// Waits until nothing is left that was not there before. A join may return a moment before the kernel
/// removes the thread from `/proc`.
#[track_caller]
fn only_what_was_there_is_left<T: Debug + PartialEq>(before: &T, now: impl Fn() -> T) {
    let deadline = Instant::now() + PATIENCE;
    while now() != *before && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(now(), *before);
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// The peak memory of this process, in kB.
fn peak_memory() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}

fn children() -> String {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok()).collect()
}

#[test]
fn a_million_jobs_take_less_than_20_mb() {
    alone("a_million_jobs_take_less_than_20_mb", || {
        let run = Pool::with_runner(limit(64), Nothing).run((0..1_000_000).map(number)).unwrap();
        assert_eq!(run.count(), 1_000_000);
        let kilobytes = peak_memory();
        assert!(kilobytes < 20_000, "{kilobytes} kB");
    });
}

#[test]
fn three_hundred_megabytes_of_output_take_less_than_16_more() {
    alone("three_hundred_megabytes_of_output_take_less_than_16_more", || {
        const SIZE: usize = 300_000_000;
        let before = peak_memory();
        let script = "yes procpool! | head -c \"$1\"; exit 0";
        let command = Command::new("sh").args(["-c", script, "sh", &SIZE.to_string()]);
        let results = Pool::new(limit(1)).run_all([Job::new("large", command)]).unwrap();
        let spool = results["large"].stdout();

        // A multiple of the job's lines, which are ten bytes long.
        let lines = b"procpool!\n".repeat(10_000);
        let (mut reader, mut piece, mut read) = (spool.reader(), vec![0; lines.len()], 0);
        while read < SIZE {
            reader.read_exact(&mut piece).unwrap();
            assert!(piece == lines, "at {read}");
            read += piece.len();
        }
        assert_eq!((spool.len(), reader.read(&mut piece).unwrap()), (SIZE as u64, 0));
        let mut null = File::options().write(true).open("/dev/null").unwrap();
        assert_eq!(spool.copy_to(&mut null).unwrap(), SIZE as u64);
        let more = peak_memory() - before;
        assert!(more < 16_000, "{more} kB");
    });
}

#[test]
fn no_thread_and_no_descriptor_is_left_however_a_run_ends() {
    alone("no_thread_and_no_descriptor_is_left_however_a_run_ends", || {
        let now = || (threads(), descriptors());
        let before = now();
        let pool = Pool::with_runner(limit(8), Nothing);
        for round in 0..50 {
            // Runs to the end, and runs dropped at different moments.
            assert_eq!(pool.run((0..100).map(number)).unwrap().count(), 100);
            only_what_was_there_is_left(&before, now);
            let mut run = pool.run((0..).map(number)).unwrap();
            assert_eq!(run.by_ref().take(round).count(), round);
            drop(run);
            only_what_was_there_is_left(&before, now);
        }
    });
}

#[test]
fn of_a_dropped_run_whose_input_blocks_only_the_thread_in_there_is_left_until_it_gets_out() {
    alone("of_a_dropped_run_whose_input_blocks_only_the_thread_in_there_is_left_until_it_gets_out", || {
        let (hand, fed) = bounded(0);
        let mut run = Pool::with_runner(limit(2), Nothing).run(fed).unwrap();
        hand.send(number(1)).unwrap();
        run.next().unwrap();
        drop(run);
        assert_eq!(threads(), ["procpool-feed\n"]);
        drop(hand);
        wait_for("the end of the feeder", || threads().is_empty());
    });
}

#[test]
fn after_a_panic_of_the_runner_no_thread_is_left() {
    struct Bad;
    impl Runner for Bad {
        type Work = u64;
        fn run(&self, job: &Job<u64>, context: &Context) -> Outcome {
            assert!(job.work != 3, "bad");
            let _ = context.wait_for_stop(None);
            Ran::new(End::Itself(Status::Exited(0))).into()
        }
    }
    alone("after_a_panic_of_the_runner_no_thread_is_left", || {
        let run = || Pool::with_runner(limit(4), Bad).run_all((0..10).map(number));
        assert!(std::panic::catch_unwind(run).is_err());
        only_what_was_there_is_left(&vec![], threads);
    });
}

#[test]
fn thousands_of_starts_good_and_failing_leave_nothing_behind() {
    alone("thousands_of_starts_good_and_failing_leave_nothing_behind", || {
        let before = descriptors();
        let pool = Pool::with_runner(limit(8), LocalProcess::new().spool_threshold(10));
        let results = pool.run_all((0..2_000).map(|n| {
            let command = match n % 5 {
                0 => Command::new("true").stdin_bytes("input"),
                1 => Command::new("no-such-program").stdin_bytes("input"),
                2 => Command::new("echo").arg("much more than the threshold"),
                3 => Command::new("true").directory("/no/such/directory"),
                _ => Command::new("true").stdin(Stdin::File("/no/such/input".into())),
            };
            Job::new(n.to_string(), command)
        }));
        let results = results.unwrap();
        assert_eq!(results.iter().filter(|done| done.outcome.is_success()).count(), 800);
        only_what_was_there_is_left(&(vec![], String::new()), || (threads(), children()));
        drop((pool, results));
        assert_eq!(descriptors(), before);
    });
}

/// Everything that a run could leave behind in this process: descriptors, threads, children including
/// zombies, and files.
#[derive(Debug, PartialEq)]
struct Traces {
    descriptors: usize,
    threads: usize,
    children: String,
    files: usize,
}

impl Traces {
    fn now(folder: &Path) -> Traces {
        Traces {
            descriptors: descriptors(),
            threads: fs::read_dir("/proc/self/task").unwrap().count(),
            children: children(),
            files: fs::read_dir(folder).unwrap().count(),
        }
    }
}

/// Runs it 10,000 times. Returns how many succeeded, once everything is as before.
fn leaving_no_trace(command: &Command) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let before = Traces::now(folder.path());
    let runner = LocalProcess::new().spool_directory(folder.path());
    let jobs = (0..10_000).map({
        let command = command.clone();
        move |n: u32| Job::new(n.to_string(), command.clone())
    });
    let pool = Pool::with_runner(limit(8), runner);
    let (good, all) = pool
        .run(jobs)
        .unwrap()
        .fold((0, 0), |(good, all), done| (good + usize::from(done.outcome.is_success()), all + 1));
    drop(pool);
    assert_eq!(all, 10_000);
    only_what_was_there_is_left(&before, || Traces::now(folder.path()));
    good
}

#[test]
fn ten_thousand_starts_leave_nothing_behind() {
    alone("ten_thousand_starts_leave_nothing_behind", || {
        assert_eq!(leaving_no_trace(&Command::new("true")), 10_000);
    });
}

#[test]
fn ten_thousand_starts_that_fail_leave_nothing_behind() {
    alone("ten_thousand_starts_that_fail_leave_nothing_behind", || {
        // The first isn't found in PATH by the library; the second is found missing only by the system.
        for program in ["no-such-program", "/no/such/program"] {
            assert_eq!(leaving_no_trace(&Command::new(program).stdin_bytes("input")), 0);
        }
    });
}

#[test]
fn a_job_gets_no_descriptor_but_the_standard_three() {
    alone("a_job_gets_no_descriptor_but_the_standard_three", || {
        let list = ["-c", "ls /proc/$$/fd"];
        let jobs = (0..50).map(|n| Job::new(n.to_string(), Command::new("sh").args(list).stdin_bytes("x")));
        let results = Pool::new(limit(8)).run_all(jobs).unwrap();
        assert!(results.iter().all(|done| done.stdout().to_vec().unwrap() == b"0\n1\n2\n"));
    });
}
