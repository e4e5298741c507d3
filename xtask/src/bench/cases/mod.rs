//! The cases, one file for each kind of work.

pub(crate) mod idle;
pub(crate) mod makespan;
pub(crate) mod memory;
pub(crate) mod resume;
pub(crate) mod single;
pub(crate) mod sleepers;
pub(crate) mod throughput;
pub(crate) mod trivial;
