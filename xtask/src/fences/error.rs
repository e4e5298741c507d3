//! The errors that a call is refused with: the four that filters give, and those that the kernel gives to
//! this call where it lacks resources.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Error {
    Eperm,
    Enosys,
    Einval,
    Eacces,
    Enomem,
    Emfile,
    Eio,
    Enospc,
}

/// The errors that filters give to any call.
pub(crate) const OF_FILTERS: [Error; 4] = [Error::Eperm, Error::Enosys, Error::Einval, Error::Eacces];

impl Error {
    /// The errors that this call is refused with.
    pub(crate) fn of(call: &str) -> Vec<Error> {
        let of_the_kernel: &[Error] = match call {
            "write" | "pwrite64" | "writev" | "pwritev" | "splice" | "fallocate" | "ftruncate"
            | "copy_file_range" => &[Error::Eio, Error::Enospc],
            "fsync" | "fdatasync" | "read" | "pread64" | "getdents64" => &[Error::Eio],
            "openat" | "open" | "pipe2" | "eventfd2" | "memfd_create" | "socketpair" | "signalfd4"
            | "pidfd_open" | "epoll_create1" => &[Error::Emfile, Error::Enomem],
            "clone" | "clone3" | "mmap" | "munmap" | "mprotect" | "madvise" | "execve" | "poll" | "ppoll" => {
                &[Error::Enomem]
            }
            "mkdir" | "rename" | "link" => &[Error::Enospc],
            _ => &[],
        };
        OF_FILTERS.iter().chain(of_the_kernel).copied().collect()
    }

    /// The number on Linux, the same on all processors that we build for.
    pub(crate) fn number(self) -> u32 {
        match self {
            Error::Eperm => 1,
            Error::Eio => 5,
            Error::Enomem => 12,
            Error::Eacces => 13,
            Error::Einval => 22,
            Error::Emfile => 24,
            Error::Enospc => 28,
            Error::Enosys => 38,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{self:?}").to_uppercase())
    }
}
