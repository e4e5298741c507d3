//! The journal of a procpool run: the record of a list of jobs, of all their attempts, and of their outputs. It is a folder of
//! files, described in `docs/journal.md`; this crate is the one place that knows their format.
//!
//! # Read one
//! ```
//! use procpool_core::Source;
//! use procpool_journal::{JobProgress, Journal};
//! # use procpool_core::{Command, Job, Limit, Pool};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let temporary = tempfile::tempdir()?;
//! # let path = temporary.path().join("nightly");
//! # let jobs = [Job::new("a", Command::new("echo").arg("hello")), Job::new("b", Command::new("false"))];
//! # let journal = procpool_journal::NewJournal::create(&path, &jobs, Limit::new(1)?)?;
//! # for done in Pool::new(Limit::new(1)?).run(jobs)? {
//! #     journal.completed(&done)?;
//! # }
//! # journal.finish(1)?;
//!
//! let journal = Journal::open(&path)?;
//! for job in journal.jobs()? {
//!     let job = job?;
//!     for attempt in job.attempts() {
//!         let attempt = attempt?;
//!         println!("{}: {:?} after {:?}", job.key(), attempt.outcome(), attempt.elapsed());
//!     }
//!     if job.progress() == JobProgress::Failed {
//!         if let Some(last) = job.last_attempt()? {
//!             println!("{}", String::from_utf8_lossy(&last.output(Source::Stderr)?));
//!         }
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//! A reader takes no lock and changes nothing, so the run may go on meanwhile. An output is checked against its sum while it is
//! read, whatever its length.
//!
//! # Decide a resume
//! [`Journal::next_run`] says which jobs `procpool resume` would run now, without running them.
//!
//! # Write one
//! [`NewJournal`] records the jobs that a program runs by `procpool_core`. The commands `procpool ls`, `show`, `export` and
//! `resume` accept what it writes.
//!
//! # The other modules
//! They are hidden from these pages: the command `procpool` is built on them, and they change with it. Only what is listed here is
//! meant for other programs.

// In the order of the layers: each imports only from those above it, see ARCHITECTURE.md.
#[doc(hidden)]
pub mod os;

#[doc(hidden)]
pub mod files;

#[doc(hidden)]
pub mod format;

#[doc(hidden)]
pub mod read;

#[doc(hidden)]
pub mod testing;

#[doc(hidden)]
pub mod write;

#[doc(hidden)]
pub mod resume;

mod library;

pub use format::attempt::Kind as OutcomeKind;
pub use library::{
    Attempts, Error, JobProgress, Journal, JournalJob, JournalJobs, NewJournal, NextRun, RecordedAttempt,
};
pub use resume::decision::{Changed, Counts, Resume};
