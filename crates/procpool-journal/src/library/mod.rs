//! The public interface of this crate: open a journal, walk its jobs and attempts, read outputs, write a journal, decide a resume.
//! All other modules are what this one and the command `procpool` are made of; they change with the command.

mod attempt;
mod error;
mod jobs;
mod journal;
mod new_journal;
mod next_run;

pub use attempt::RecordedAttempt;
pub use error::Error;
pub use jobs::{Attempts, JobProgress, JournalJob, JournalJobs};
pub use journal::Journal;
pub use new_journal::NewJournal;
pub use next_run::NextRun;
