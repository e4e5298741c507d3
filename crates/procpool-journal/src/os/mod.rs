//! What both this crate and the command `procpool` need from the system: `/proc`, owners of files, threads,
//! address space. It is public only because the command uses it.

pub mod file_id;
pub mod memory;
pub mod ownership;
pub mod proc;
pub mod threads;
