//! Address space where that has a limit: whether there is room, and how less is taken.
//! Knows nothing of what it is for.

use std::ptr;

#[cfg(target_env = "gnu")]
use nix::libc;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use rustix::process::{Resource, getrlimit};

/// Whether a limit of memory is set, `ulimit -v` or `ulimit -d`.
pub(crate) fn is_limited() -> bool {
    [Resource::As, Resource::Data].into_iter().any(|resource| getrlimit(resource).current.is_some())
}

/// Has the C library be sparing with address space where that has a limit: else it maps 64 MiB for each of the first threads. Without a
/// limit it doesn't matter, and threads that share nothing are faster.
pub(crate) fn spare() {
    #[cfg(target_env = "gnu")]
    if is_limited() {
        #[expect(unsafe_code, reason = "a call of the C library")]
        // SAFETY: it takes two numbers; there is one thread.
        unsafe {
            libc::mallopt(libc::M_ARENA_MAX, 1);
        }
    }
}

/// Whether there is address space for a mapping of so many bytes.
pub(crate) fn has_room(bytes: usize) -> bool {
    #[expect(unsafe_code, reason = "mmap(2) gives a pointer")]
    // SAFETY: the kernel chooses where, so nothing that is in use is replaced; what is unmapped is what was just mapped, and
    // nobody else knows of it.
    unsafe {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        let mapped = mmap_anonymous(ptr::null_mut(), bytes, ProtFlags::READ | ProtFlags::WRITE, flags);
        mapped.is_ok_and(|start| munmap(start, bytes).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_what_the_kernel_maps() {
        assert!(has_room(1 << 20) && !has_room(1 << 60));
    }
}
