//! Mounts for one case, in a namespace of its own.

use sleeper::needs::Need;

use crate::{Folder, Trial};

/// A shell that may mount, for a case that has said `needs!(Mounts)`. Mounting takes root, if only in a
/// namespace of one's own. In it, a file system must be remounted by its mount point alone: `mount -o
/// remount,size=9m none place`.
pub(crate) fn sh(folder: &Folder, script: &str) -> Trial {
    folder.command("unshare").args(Need::Mounts.unshare()).args(["sh", "-c", script])
}
