//! What tests share: where the test process is and what it will do, and what else tests need of the machine
//! ([`mod@needs`]). Nothing here is about procpool: the same process could test any tool that runs
//! commands.
//!
//! The misbehaviour itself is in the program `sleeper` (see its `--help`), that of a file system in
//! `dead-mount`. Here is what both sides share, so that a test computes what it expects: the bytes
//! ([`bytes`]), the lines ([`lines`]), the fate ([`fate`]), the stamps ([`stamp`]).

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
