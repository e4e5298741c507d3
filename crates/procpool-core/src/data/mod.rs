//! Plain data: what a caller hands in (jobs, keys, commands, limits) and the small types that every other part of the
//! crate speaks in (numbers of jobs and slots, signals, statuses, errors).

pub(crate) mod command;
pub(crate) mod error;
pub(crate) mod job;
pub(crate) mod limit;
pub(crate) mod shown;
pub(crate) mod status;
