//! Reads a journal: its jobs in the order of their list, their attempts, and how each job stands.
//! Takes no lock and changes nothing; whoever runs what is read may go on.

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
