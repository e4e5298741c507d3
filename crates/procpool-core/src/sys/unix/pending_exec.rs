//! The counterpart of `linux/pending_exec.rs`: `posix_spawn(3)` returns only after the exec, so it is never pending.

use std::ffi::{CStr, CString};

#[cfg(not(target_os = "linux"))]
use crate::sys::exec_spec::ExecProgress;

// Same name as `linux::pending_exec::PendingExec`: `sys` uses the one of its system.
/// A process that has executed its program.
pub(crate) struct PendingExec(pub(crate) CString);

impl PendingExec {
    /// The path of the program.
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it is found later")]
    pub(crate) fn program(&self) -> Option<&CStr> {
        Some(&self.0)
    }

    /// Whether it has executed its program.
    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unused_self, reason = "elsewhere there is something to tell")]
    pub(crate) fn progress(&self) -> ExecProgress {
        ExecProgress::Done
    }
}
