//! Reads a journal: its jobs in the order of their list, their attempts, and the state of each job. Readers
//! take no lock and change nothing, so the run may go on meanwhile.

pub(crate) mod ahead;
pub(crate) mod hashed;
pub mod history;
pub mod list_reader;
pub(crate) mod outcomes;
pub mod places;
pub mod reading;
pub mod scan;
pub(crate) mod standing;
pub(crate) mod window;
