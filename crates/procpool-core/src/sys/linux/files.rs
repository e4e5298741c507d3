//! Files without a name: in memory, where that is allowed, and their holes.
//! What is in them is not known here.

use std::fs::File;

use rustix::fs::{FallocateFlags, MemfdFlags, memfd_create};

use crate::sys::failure::Failure;
use crate::sys::kernel_feature::{KernelFeature, only_posix};
use crate::sys::unix;

static MEMFD: KernelFeature = KernelFeature::new();

/// A file in memory, nowhere in the file system, that holds these bytes and stands at its start; else a temporary one.
pub(crate) fn memory_file(bytes: &[u8]) -> Result<File, Failure> {
    match MEMFD.attempt(|| Ok(memfd_create(c"procpool-stdin", MemfdFlags::CLOEXEC)?)) {
        Some(file) => {
            let mut file = File::from(file.map_err(Failure::of("memfd_create"))?);
            unix::files::fill(&mut file, bytes)?;
            Ok(file)
        }
        None => unix::files::memory_file(bytes),
    }
}

/// Gives the disk space of a part of a file back; the part reads as zeros then.
pub(crate) fn punch_hole(file: &File, offset: u64, length: u64) {
    if !only_posix() {
        // Not every file system can; then the space is used again by the next who needs some.
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        let _ = rustix::fs::fallocate(file, flags, offset, length);
    }
}
