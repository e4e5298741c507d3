//! Lengths of time and numbers of bytes. Each has one parser and one printer, so that what is shown can be
//! typed again.

pub(crate) mod duration;
pub(crate) mod size;
