//! Records of a run for other programs, one format per file. Each is a sink, and all of them describe an
//! attempt alike.

pub(crate) mod events;
pub(crate) mod file;
pub(crate) mod joblog;
pub(crate) mod junit;
pub(crate) mod results;
#[cfg(test)]
pub(crate) mod tests;
