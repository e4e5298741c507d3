//! The promises of the library, a function for each case: the pool with scripted runners, the processes for
//! real. Only the public interface is used. Cases that need a process of their own are in `alone.rs`.
//!
//! No case waits for time to pass. Each waits for a fact, and [`DEADLINE`] only turns a hang into a failure.

#![expect(clippy::unwrap_used, reason = "clippy does not take the helpers of tests for tests")]

mod descendants;
mod driven;
mod ending;
mod halting;
mod live;
mod output;
mod paused;
mod policies;
mod pool;
mod room;
mod snapshot;
mod starting;
mod statuses;

use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use procpool_core::{
    Command, Completion, Context, End, Job, Limit, LocalProcess, Outcome, Pool, Ran, Results, Runner, Status,
};
use rustix::event::{PollFd, PollFlags, poll};

/// Far more time than any case needs on the slowest machine.
const DEADLINE: Duration = Duration::from_secs(120);

/// Longer than any case runs.
const NEVER: Duration = Duration::from_secs(86_400);

fn limit(limit: usize) -> Limit {
    Limit::new(limit).unwrap()
}

/// Waits until `fact` holds.
#[track_caller]
fn wait_for(what: &str, mut fact: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !fact() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Ends the whole test program if a case hangs in a call that never returns.
fn watch_for_a_hang() {
    static WATCHDOG: Once = Once::new();
    WATCHDOG.call_once(|| {
        thread::spawn(|| {
            thread::sleep(5 * DEADLINE);
            eprintln!("a case hangs: its name is the one that is missing above");
            std::process::abort();
        });
    });
}

// The pool with scripted runners: a job is a number, and nothing is started.

/// A runner that calls a function for each job.
struct By<F>(F);

impl<F> Runner for By<F>
where
    F: Fn(&Job<u64>, &Context) -> Outcome + Send + Sync + 'static,
{
    type Work = u64;

    fn run(&self, job: &Job<u64>, context: &Context) -> Outcome {
        (self.0)(job, context)
    }
}

fn pool_by<F>(at_most: usize, run: F) -> Pool<By<F>>
where
    F: Fn(&Job<u64>, &Context) -> Outcome + Send + Sync + 'static,
{
    watch_for_a_hang();
    Pool::with_runner(limit(at_most), By(run))
}

fn exit(code: u8) -> Outcome {
    Ran::new(End::Itself(Status::Exited(code))).into()
}

/// The job with this number as its key.
fn number(number: u64) -> Job<u64> {
    Job::new(number.to_string(), number)
}

/// Waits until one of them is readable or hung up.
fn wait_readable(descriptors: &[BorrowedFd<'_>]) {
    let polled = descriptors.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN));
    rustix::io::retry_on_intr(|| poll(&mut polled.clone().collect::<Vec<_>>(), None)).unwrap();
}

/// Shows jobs as they start, in order.
struct Stage(Receiver<Scene>);

/// A job that runs until this is dropped or its run is killed.
struct Scene {
    number: u64,
    slot: usize,
    /// Our end of a pipe that hangs up when the job is killed.
    _let_go: OwnedFd,
}

impl Stage {
    /// A pool whose jobs run until the test releases each of them.
    fn pool(at_most: usize) -> (Pool<impl Runner<Work = u64>>, Stage) {
        Stage::pool_that_ends_with(at_most, || exit(0))
    }

    /// The same, with jobs that end with this outcome.
    fn pool_that_ends_with(
        at_most: usize,
        end: impl Fn() -> Outcome + Send + Sync + 'static,
    ) -> (Pool<impl Runner<Work = u64>>, Stage) {
        let (starts, stage) = unbounded();
        let pool = pool_by(at_most, move |job, context| {
            let (held, let_go) = rustix::pipe::pipe().unwrap();
            let scene = Scene {
                number: job.work,
                slot: context.slot().get(),
                _let_go: let_go,
            };
            // Fails if the test is over. The job then ends at once.
            let _ = starts.send(scene);
            wait_readable(&[held.as_fd(), context.kill_event()]);
            end()
        });
        (pool, Stage(stage))
    }

    /// Waits for the next job to start.
    #[track_caller]
    fn next(&self) -> Scene {
        self.0.recv_timeout(DEADLINE).expect("no job was started")
    }

    /// Waits until this many have started.
    #[track_caller]
    fn take(&self, count: usize) -> Vec<Scene> {
        (0..count).map(|_| self.next()).collect()
    }

    /// Whether no further job has started so far.
    fn is_quiet(&self) -> bool {
        self.0.is_empty()
    }
}

/// An iterator that blocks at each step until the test sends it something, and ends when the test hangs up.
fn fed_by_hand() -> (Sender<Job<u64>>, crossbeam_channel::IntoIter<Job<u64>>) {
    let (hand, fed) = bounded(0);
    (hand, fed.into_iter())
}

/// Runs this on a thread of its own, so that a hang becomes a failure.
#[track_caller]
fn in_time<T: Send + 'static>(what: &str, act: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = bounded(1);
    let thread = thread::spawn(move || done.send(act()).is_ok());
    match result.recv_timeout(DEADLINE) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => panic!("it takes for ever: {what}"),
        Err(RecvTimeoutError::Disconnected) => std::panic::resume_unwind(thread.join().unwrap_err()),
    }
}

// Real processes.

/// A runner that practically never sends KILL: a case that needs the KILL says when.
fn patient() -> LocalProcess {
    watch_for_a_hang();
    LocalProcess::new().grace(NEVER)
}

fn sleeper(options: &str) -> Command {
    Command::new(sleeper::binary()).args(options.split(' '))
}

/// A shell with `argument` as `$1`.
fn sh(script: &str, argument: impl AsRef<Path>) -> Command {
    Command::new("sh").args(["-c", script, "sh"]).arg(argument.as_ref())
}

fn run(jobs: impl IntoIterator<Item = Job>) -> Results {
    Pool::with_runner(limit(4), patient()).run_all(jobs).unwrap()
}

fn run_one(command: Command) -> Completion {
    run_by(patient(), Job::new("one", command))
}

fn run_by(runner: LocalProcess, job: Job) -> Completion {
    let results = Pool::with_runner(limit(1), runner).run_all([job]).unwrap();
    results.into_iter().next().unwrap()
}

fn end_of(done: &Completion) -> End {
    done.outcome.ran().unwrap_or_else(|| panic!("{}: {}", done.key(), done.outcome)).end
}

/// The job's stdout, after checking that the job succeeded.
#[track_caller]
fn said(done: &Completion) -> String {
    assert!(done.outcome.is_success(), "{}: {}", done.key(), done.outcome);
    done.stdout().to_string_lossy().unwrap()
}

/// A directory for the files of one case.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// An executable file. Written by another process: while this one has it open for writing, a job that
    /// starts in another case could inherit the descriptor for a moment and make the file busy.
    fn program(&self, name: &str, text: &str) -> PathBuf {
        let path = self.file(name);
        let write = "printf %s \"$2\" > \"$1\" && chmod 755 \"$1\"";
        let mut shell = std::process::Command::new("sh");
        let written = shell.args(["-c", write, "sh"]).arg(&path).arg(text).status().unwrap();
        assert!(written.success());
        path
    }

    /// The number of files.
    fn count(&self) -> usize {
        fs::read_dir(self.0.path()).unwrap().count()
    }
}

/// A process that a job left behind; killed at the end of the case.
struct LeftBehind(u32);

impl LeftBehind {
    /// Waits for the file with its pid.
    fn of(pid_file: &Path) -> LeftBehind {
        let mut text = String::new();
        wait_for("the pid file", || {
            text = fs::read_to_string(pid_file).unwrap_or_default();
            text.ends_with('\n')
        });
        LeftBehind(text.trim_end().parse().unwrap())
    }

    /// Whether it still runs. A zombie that nobody reaps doesn't.
    fn lives(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0)).unwrap_or_default();
        stat.rsplit(')')
            .next()
            .and_then(|rest| rest.trim_start().chars().next())
            .is_some_and(|c| !"ZX".contains(c))
    }
}

impl Drop for LeftBehind {
    fn drop(&mut self) {
        if self.lives() {
            let pid = rustix::process::Pid::from_raw(self.0.try_into().unwrap()).unwrap();
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}
