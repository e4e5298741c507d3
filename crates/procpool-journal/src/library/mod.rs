//! The public interface of this crate: open a journal, iterate over its jobs and attempts, read outputs,
//! write a journal, plan a resume. All other modules are parts of this one and of the command `procpool`;
//! they change with the command.

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
