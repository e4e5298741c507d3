//! File systems of a case's own, which nobody else sees.
//! Does not know what they are for.

use sleeper::needs::Need;

use crate::{Folder, Trial};

/// A shell that may mount, for a case that has said `needs!(Mounts)`. To mount takes root, if only in a namespace of one's
/// own. There a file system is remounted by its place alone: `mount -o remount,size=9m none place`.
pub(crate) fn sh(folder: &Folder, script: &str) -> Trial {
    folder.command("unshare").args(Need::Mounts.unshare()).args(["sh", "-c", script])
}
