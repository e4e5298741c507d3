//! How many threads there is room for. The standard library aborts the program if a new thread has no memory, so this is
//! checked before.

use std::ptr;

use rustix::process::{Resource, getrlimit};

/// The stack that the standard library maps, and what else a thread maps at its start.
const THREAD: usize = (2 << 20) + (128 << 10);

/// Whether there is memory for a thread, with `beyond` bytes left for others. Always true if memory isn't limited by
/// `ulimit -v` or `ulimit -d`.
///
/// A thread that is refused is an error. But if a thread was created and then finds no room for its signal stack or its
/// first allocation, the standard library aborts the program.
pub(crate) fn thread_has_room(beyond: usize) -> bool {
    let is_limited = |resource| getrlimit(resource).current.is_some();
    !(is_limited(Resource::As) || is_limited(Resource::Data)) || can_map(THREAD + beyond)
}

fn can_map(bytes: usize) -> bool {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // Its pages are never touched. FreeBSD reserves nothing, and has no name for that.
    #[cfg(not(target_os = "freebsd"))]
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    #[cfg(target_os = "freebsd")]
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    #[expect(unsafe_code, reason = "mmap(2) gives a pointer")]
    // SAFETY: the kernel chooses the address, so nothing that is in use is replaced. Only what was just mapped is unmapped, and
    // nobody else knows its address.
    unsafe {
        let start = libc::mmap(ptr::null_mut(), bytes, access, flags, -1, 0);
        start != libc::MAP_FAILED && libc::munmap(start, bytes) == 0
    }
}

/// How many threads this process may have before a new one could find no room for its mappings.
///
/// One too many is not an error: the standard library aborts if it has created a thread and gets no stack for its
/// overflow handler. A thread takes four mappings; a fifth is left for everything else.
#[cfg(target_os = "linux")]
pub(crate) fn most_threads() -> usize {
    const DEFAULT: usize = 65_530;
    let text = std::fs::read_to_string("/proc/sys/vm/max_map_count");
    text.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(DEFAULT) / 5
}

/// The default on Linux: a fifth of its mappings. Elsewhere the number is unknown, and one thread too many is refused.
#[cfg(not(target_os = "linux"))]
pub(crate) fn most_threads() -> usize {
    13_106
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_what_the_kernel_maps() {
        assert!(can_map(1 << 20));
        assert!(!can_map(1 << 60));
    }
}
