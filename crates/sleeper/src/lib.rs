//! What tests share: what to know of the test process, where it is and what it will do; and what else they want of
//! the machine ([`mod@needs`]). Does not know procpool: the same process could test any tool that runs commands.
//!
//! The misbehaviour itself lives in the binary `sleeper` (see its `--help`), that of a file system in `dead-mount`. Here is what both
//! sides share, so that a test computes what it expects instead of copying it: the bytes ([`bytes`]), the lines ([`lines`]), the
//! fate ([`fate`]), the stamps ([`stamp`]).

pub mod bytes;
pub mod fate;
pub mod lines;
mod locate;
pub mod needs;
mod random;
pub mod stamp;
mod sys;

pub use locate::{binary, dead_mount};
pub use sys::heed_all_signals;
