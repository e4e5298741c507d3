//! What of the system both the journal and the command need: `/proc`, whose a file is, threads, address space.
//! No interface for anybody else.

pub mod memory;
pub mod ownership;
pub mod proc;
pub mod threads;
