//! Starts a process by `posix_spawn(3)`, and a thread that waits for its end.
//! Where a program is found and what an error means is not known here.

use crate::sys::image::Image;
use crate::sys::trouble::Failure;
use crate::sys::unix::process::Process;
use crate::sys::unix::spawn::spawn;
use crate::sys::unix::waiter::Waiter;

/// Starts it as the leader of a process group of its own, of a session too where `posix_spawn(3)` can, with every signal
/// at its default and none blocked, and with no descriptor but the standard three.
pub(crate) fn start(image: &Image<'_>) -> Result<Process, Failure> {
    // Before the process: what runs must never be without somebody who waits for it.
    let waiter = Waiter::prepare()?;
    let pid = spawn(image)?;
    Ok(waiter.watch(pid))
}

/// Whether a process may end with its parent: `posix_spawn(3)` knows nothing of that.
#[cfg_attr(target_os = "linux", expect(dead_code, reason = "Linux has its own, which may be refused"))]
pub(crate) fn ends_orphans() -> bool {
    false
}
