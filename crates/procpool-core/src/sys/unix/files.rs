//! Files without a name.
//! What is in them is not known here.

use std::fs::File;
use std::io::{Seek, Write};

use crate::sys::failure::Failure;

/// A file that holds these bytes and stands at its start: a temporary one that was unlinked.
pub(crate) fn memory_file(bytes: &[u8]) -> Result<File, Failure> {
    let mut file = tempfile::tempfile().map_err(Failure::of("a temporary file for the standard input"))?;
    fill(&mut file, bytes)?;
    Ok(file)
}

/// Writes what a new file is to hold, and goes back to its start.
pub(crate) fn fill(file: &mut File, bytes: &[u8]) -> Result<(), Failure> {
    file.write_all(bytes).map_err(Failure::of("write"))?;
    file.rewind().map_err(Failure::of("lseek"))
}

/// Nothing gives a part of a file back by POSIX: it is used again by the next who needs some.
#[cfg_attr(target_os = "linux", expect(dead_code, reason = "Linux has its own, which may fail"))]
pub(crate) fn punch_hole(_: &File, _: u64, _: u64) {}
