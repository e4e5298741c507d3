//! Records of a run for other programs, a format a file: each is a sink.

pub(crate) mod events;
pub(crate) mod file;
pub(crate) mod joblog;
pub(crate) mod junit;
pub(crate) mod report;
pub(crate) mod results;
#[cfg(test)]
pub(crate) mod tests;
