//! What the system refuses, and what that means: there is no room now, or the call is not there at all.
//! Which call is tried next is decided where it is made.

use std::io;

/// A call that failed, by its name.
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

/// Whether an error says that there are too many descriptors, here or on the whole machine: that passes.
pub(crate) fn is_descriptor_shortage(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

/// Whether an error says that the machine has no room for another process or its descriptors, now.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    is_descriptor_shortage(error) || matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ENOMEM))
}

/// Whether an error says that a call, or what was asked of it, is unknown here or forbidden: by an older kernel, a
/// fence (seccomp(2)), an emulator. Asking again would get the same answer.
#[cfg(target_os = "linux")]
pub(crate) fn is_refusal(error: &io::Error) -> bool {
    let refused = [libc::ENOSYS, libc::EPERM, libc::EACCES, libc::EINVAL, libc::EOPNOTSUPP];
    error.raw_os_error().is_some_and(|number| refused.contains(&number))
}
