//! The files of a journal's folder: opened by one descriptor, believed only where they are our own, and who holds them now.
//! What of an earlier run still lives is found here as well, process by process.

pub(crate) mod believed;
pub mod claim;
pub mod file;
pub mod folder;
pub(crate) mod holder;
pub(crate) mod holding;
pub mod inputs;
pub mod left;
pub mod leftovers;
pub mod live;
pub(crate) mod lock;
pub mod mark;
pub mod outage;
pub mod running;
pub(crate) mod watched;
pub mod whereabouts;
