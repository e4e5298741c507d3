//! Lengths of time and numbers of bytes, as people write them.
//! Each has one parser and one writer, so that what is shown can be typed again.

pub(crate) mod duration;
pub(crate) mod size;
