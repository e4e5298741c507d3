//! The journal: records a run so that it can be resumed. docs/journal.md describes its files.

pub(crate) mod held_records;
pub(crate) mod notices;
pub(crate) mod record_check;
pub(crate) mod recorder;
pub(crate) mod resume_state;
pub(crate) mod session;
pub(crate) mod sink;
pub(crate) mod slice_sink;
mod tag_names;
