//! The way of a process to its program: `posix_spawn(3)` comes back when that is over, and nobody else sees any of it.
//! Where it is long on its way is the matter of `linux`.

use std::ffi::{CStr, CString};

#[cfg(not(target_os = "linux"))]
use crate::sys::exec_spec::ExecProgress;

/// A process that is its program.
pub(crate) struct PendingExec(pub(crate) CString);

impl PendingExec {
    /// The path of the program.
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it is found later")]
    pub(crate) fn program(&self) -> Option<&CStr> {
        Some(&self.0)
    }

    /// How far it has come.
    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unused_self, reason = "elsewhere there is something to tell")]
    pub(crate) fn progress(&self) -> ExecProgress {
        ExecProgress::Done
    }
}
