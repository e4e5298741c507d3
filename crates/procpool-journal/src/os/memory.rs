//! Limits of this process (`ulimit`), and whether there is address space left. If that is limited, it must be
//! checked before a thread is started.

use std::ptr;

use nix::libc::{self, c_long};
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use rustix::process::Resource;

/// The soft limit of a resource, or `None` if it is unlimited or can't be read.
#[must_use]
pub fn limit_of(resource: Resource) -> Option<u64> {
    let mut limit = libc::rlimit64 { rlim_cur: 0, rlim_max: 0 };
    #[expect(unsafe_code, reason = "rustix panics where a fence refuses it")]
    // SAFETY: the pointer is to a live local of the type that the call fills in; nothing is set, because the
    // other pointer is null.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_prlimit64,
            0,
            resource as c_long,
            ptr::null::<libc::rlimit64>(),
            &raw mut limit,
        )
    };
    (answer == 0 && limit.rlim_cur != libc::RLIM64_INFINITY).then_some(limit.rlim_cur)
}

/// Whether address space or data is limited (`ulimit -v`, `ulimit -d`).
pub(crate) fn is_limited() -> bool {
    [Resource::As, Resource::Data].into_iter().any(|resource| limit_of(resource).is_some())
}

/// If address space is limited, makes the C library use a single arena for all threads. By default it maps
/// 64 MiB for each of the first threads, which is faster where there is room.
pub fn spare() {
    #[cfg(target_env = "gnu")]
    if is_limited() {
        #[expect(unsafe_code, reason = "a call of the C library")]
        // SAFETY: it takes two numbers, and there is only one thread.
        unsafe {
            libc::mallopt(libc::M_ARENA_MAX, 1);
        }
    }
}

/// Whether this many bytes of address space can be mapped.
#[must_use]
pub fn has_room(bytes: usize) -> bool {
    #[expect(unsafe_code, reason = "mmap(2) gives a pointer")]
    // SAFETY: the kernel chooses where, so nothing that is in use is replaced; what is unmapped is what was
    // just mapped, and nobody else knows of it.
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
    fn a_limit_is_what_the_system_says() {
        assert_eq!(limit_of(Resource::Nofile), rustix::process::getrlimit(Resource::Nofile).current);
    }

    #[test]
    fn room_is_what_the_kernel_maps() {
        assert!(has_room(1 << 20) && !has_room(1 << 60));
    }
}
