//! Whether there is room for another thread where memory has a limit (`ulimit -v`, `ulimit -d`).
//! What it is for is not known here.

use std::ptr;

use rustix::process::{Resource, getrlimit};

/// The stack that the standard library asks for, and what else a thread maps before it does anything.
const THREAD: usize = (2 << 20) + (128 << 10);

/// Whether a thread finds room, and leaves `beyond` bytes to all others. Always, where no limit is set.
///
/// A thread that is refused is an error. One that was made, and then finds no room for its signal stack or for the first bytes
/// that it allocates, is the end of the program: the standard library aborts.
pub(crate) fn thread_has_room(beyond: usize) -> bool {
    let is_limited = |resource| getrlimit(resource).current.is_some();
    !(is_limited(Resource::As) || is_limited(Resource::Data)) || can_map(THREAD + beyond)
}

fn can_map(bytes: usize) -> bool {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // No page of it is ever touched. FreeBSD reserves nothing, and has no name for that.
    #[cfg(not(target_os = "freebsd"))]
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    #[cfg(target_os = "freebsd")]
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    #[expect(unsafe_code, reason = "mmap(2) gives a pointer")]
    // SAFETY: the kernel chooses where, so nothing that is in use is replaced; what is unmapped is what was just mapped, and
    // nobody else knows of it.
    unsafe {
        let start = libc::mmap(ptr::null_mut(), bytes, access, flags, -1, 0);
        start != libc::MAP_FAILED && libc::munmap(start, bytes) == 0
    }
}

/// How many threads this process may have before a new one could find no room for its mappings.
///
/// Asking for one too many is no error then: the standard library aborts where it has made a thread and
/// gets no stack for its handler of overflows. A thread takes four mappings; a fifth is left for all else.
#[cfg(target_os = "linux")]
pub(crate) fn most_threads() -> usize {
    const DEFAULT: usize = 65_530;
    let text = std::fs::read_to_string("/proc/sys/vm/max_map_count");
    text.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(DEFAULT) / 5
}

/// What Linux allows by default: a fifth of its mappings. Elsewhere it is not known; a thread too many is refused there.
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
