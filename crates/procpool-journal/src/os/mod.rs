//! What both this crate and the command `procpool` ask of the system: `/proc`, owners of files, threads, address space.
//! It is public for the command only.

pub mod file_id;
pub mod memory;
pub mod ownership;
pub mod proc;
pub mod threads;
