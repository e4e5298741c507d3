//! Errors of system calls, and their meaning: a shortage, which passes, or a refusal, which stays.

use std::io;

/// A failed call, with its name.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) call: &'static str,
    pub(crate) source: io::Error,
}

impl Failure {
    pub(crate) fn of(call: &'static str) -> impl Fn(io::Error) -> Failure {
        move |source| Failure { call, source }
    }
}

/// Whether there are too many open descriptors, in this process or on the machine: a temporary condition.
pub(crate) fn is_descriptor_shortage(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

/// Whether the machine has no room for another process or its descriptors now.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    is_descriptor_shortage(error) || matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ENOMEM))
}

/// Whether a call or its arguments are unknown or forbidden here: by an older kernel, a seccomp(2) filter or an
/// emulator. Trying again would give the same error.
#[cfg(target_os = "linux")]
pub(crate) fn is_refusal(error: &io::Error) -> bool {
    let refused = [libc::ENOSYS, libc::EPERM, libc::EACCES, libc::EINVAL, libc::EOPNOTSUPP];
    error.raw_os_error().is_some_and(|number| refused.contains(&number))
}
