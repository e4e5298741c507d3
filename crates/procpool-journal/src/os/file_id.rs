//! Which file a descriptor or a path leads to: two lead to the same one if device and inode number are the
//! same. The kernel may give both to another file once this one is gone.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use rustix::fs::Stat;

/// A file or a directory, whatever its path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileId {
    /// The device that it is on.
    pub device: u64,
    /// Its inode number.
    pub inode: u64,
}

impl From<&Stat> for FileId {
    fn from(stat: &Stat) -> FileId {
        FileId { device: stat.st_dev, inode: stat.st_ino }
    }
}

impl From<&Metadata> for FileId {
    fn from(metadata: &Metadata) -> FileId {
        FileId { device: metadata.dev(), inode: metadata.ino() }
    }
}
