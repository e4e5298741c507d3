//! Lengths of time and numbers of bytes as people write them.

pub(crate) mod duration;
pub(crate) mod size;
