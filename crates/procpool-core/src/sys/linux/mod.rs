//! What Linux offers beyond POSIX, each with a fallback for kernels and containers that refuse it.

mod child;
pub(crate) mod fallback;
pub(crate) mod files;
pub(crate) mod proc;
pub(crate) mod process;
pub(crate) mod start;
