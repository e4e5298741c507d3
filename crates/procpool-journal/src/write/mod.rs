//! Writes a journal: records and outputs, whole or not at all, the list ahead of its run, and how far outputs have been printed.
//! A kill at any moment leaves what the next run can go on with.

pub(crate) mod before;
pub(crate) mod commit;
pub mod listing;
pub(crate) mod partial;
pub mod printed;
pub mod rows;
pub mod shaped;
pub mod stored_jobs;
pub(crate) mod words;
pub mod writer;
