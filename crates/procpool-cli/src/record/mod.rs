//! Records of a run for other programs, a format a file.
//! Each is a sink; what they say of an attempt is the same everywhere.

pub(crate) mod events;
pub(crate) mod file;
pub(crate) mod joblog;
pub(crate) mod junit;
pub(crate) mod results;
#[cfg(test)]
pub(crate) mod tests;
