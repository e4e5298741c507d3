//! The cases, a file for each kind of work.
//! It does not know how their figures are shown.

pub(crate) mod idle;
pub(crate) mod makespan;
pub(crate) mod memory;
pub(crate) mod resume;
pub(crate) mod single;
pub(crate) mod sleepers;
pub(crate) mod throughput;
pub(crate) mod trivial;
