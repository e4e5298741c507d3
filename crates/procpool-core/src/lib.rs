//! Runs a keyed list of commands with a limit on how many run at once, and captures their output safely.
//!
//! ```
//! use procpool_core::{Command, Job, Limit, Pool};
//!
//! let jobs = ["a", "b", "c"].map(|name| Job::new(name, Command::new("echo").args(["hello", name])));
//!
//! // All at once, by key, in input order.
//! let results = Pool::new(Limit::new(4)?).run_all(jobs.clone())?;
//! assert_eq!(results["b"].stdout().to_string_lossy()?, "hello b\n");
//!
//! // Or as they finish. Jobs are pulled lazily; dropping the run ends it.
//! let mut run = Pool::new(Limit::available()).run(jobs)?;
//! let handle = run.handle();
//! for done in run.by_ref() {
//!     println!("{}: {} after {:.1?}", done.key(), done.outcome, done.elapsed());
//!     if !done.outcome.is_success() {
//!         handle.drain();
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How a job flows
//! ```text
//! iterator of jobs ──feeder──▶ Schedule ◀──▶ workers, one a slot ──▶ Runner::run(&Job, &Context)
//!                                             │                      one poll(2) over end, outputs,
//!                                             ▼                      timeout and stop
//!                            Run: the caller's iterator of completions
//! ```
//! All channels are bounded by the limit, and a job is pulled from the iterator only when it can start. A caller that
//! takes completions slowly slows down the run, so memory use stays flat however long the list is.
//!
//! # A failed job is data
//! A missing program, a non-zero exit status, a signal or a timeout is that job's [`Outcome`]; the other jobs continue.
//! An [`Error`] is returned only if the whole run can't start.
//!
//! # When the program ends before the run
//! Each job runs in a session of its own, so Ctrl-C on the terminal reaches this program alone. If this program ends by a
//! signal, by `exit()` or by an abort, the kernel kills each job's own process (see [`LocalProcess::end_with_caller`]),
//! but not the processes that a job has started. To end jobs politely and get all completions, handle the signals and
//! stop the run:
//! ```no_run
//! use procpool_core::{Command, Job, Limit, Pool, Signal};
//! use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
//! use signal_hook::iterator::Signals;
//!
//! let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
//! let run = Pool::new(Limit::default()).run([Job::new("nap", Command::new("sleep").arg("60"))])?;
//! let handle = run.handle();
//! std::thread::spawn(move || {
//!     for (number, count) in signals.forever().zip(1..) {
//!         match (Signal::from_number(number), count) {
//!             (Some(signal), 1) => handle.stop_with(signal), // the grace time, then KILL
//!             _ => handle.kill(),
//!         }
//!     }
//! });
//! for done in run {
//!     println!("{}: {}", done.key(), done.outcome);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it doesn't do
//! It prints nothing, handles no signals, and never waits for a process that it didn't start.
//!
//! # Where it runs
//! On every version of Linux. If a kernel, a container or an emulator refuses a system call, another one is used;
//! [`LocalProcess::weaker_promises`] lists the promises that are weaker then. The module `sys/unix` needs only POSIX: its
//! types are checked for macOS and FreeBSD, and all tests also run with it on Linux. To use only `sys/unix`, for such
//! tests, set `PROCPOOL_SYS=unix` in the environment of the program.

/// The README's example is compiled and run like those above.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

// In the order of the layers: each imports only from those above it, see ARCHITECTURE.md. The blank lines keep rustfmt
// from sorting them.
mod data;

mod sys;

mod halt;

mod spool;

mod outcome;

mod runner;

mod schedule;

mod process;

mod pool;

#[doc(hidden)]
pub mod benching;

pub use crate::data::command::{Capture, Command, EnvironmentBase, Stdin};
pub use crate::data::error::Error;
pub use crate::data::job::{Job, Key, Seq, Slot};
pub use crate::data::limit::Limit;
pub use crate::data::shown::Shown;
pub use crate::data::status::{PeakMemory, Signal, Status, Usage};
pub use crate::halt::Halt;
pub use crate::halt::rule::{HaltCounts, HaltQuantity, HaltRule, HaltWhen, HaltWhy};
pub use crate::outcome::event::{Completion, Event, Retried, Started};
pub use crate::outcome::results::Results;
pub use crate::outcome::snapshot::{Active, HeldUp, Pending, Snapshot};
pub use crate::outcome::{End, Killer, NotStarted, Outcome, Ran, SpawnError, Subject, Survivor};
pub use crate::pool::{Driver, Handle, Pool, Run};
pub use crate::process::{LocalProcess, OnLeak, Process, Processes, Stopped};
pub use crate::runner::{Context, Runner};
pub use crate::schedule::retries::{Cause, Retries};
pub use crate::spool::live::{Hold, Live, Source};
pub use crate::spool::{CopyError, Spool, SpoolReader};
