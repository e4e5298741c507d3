//! The error type of the public interface. It is opaque, so that a new cause breaks no caller. A cause that
//! callers can handle has a method; all others are only text for people.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why a journal can't be opened, read or written. Its text names the file and the cause.
#[derive(Debug)]
pub struct Error(Box<ErrorKind>);

#[derive(Debug)]
pub(super) enum ErrorKind {
    /// There is no journal in this folder.
    Missing(PathBuf),
    /// Something is in this folder already.
    Occupied(PathBuf),
    /// Another process writes to it; `holder` describes that process, if it is known.
    InUse { directory: PathBuf, holder: Option<String> },
    /// Two jobs have the same key.
    DuplicateKey(procpool_core::Key),
    /// An attempt of a job that is not on the journal's list; contains its position.
    UnlistedJob(u64),
    /// Anything else.
    Failed(anyhow::Error),
}

impl Error {
    pub(super) fn missing(directory: &Path) -> Error {
        ErrorKind::Missing(directory.to_owned()).into()
    }

    /// Whether there is no journal in the folder, or no such folder.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(*self.0, ErrorKind::Missing(_))
    }

    /// Whether another process writes to the journal.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        matches!(*self.0, ErrorKind::InUse { .. })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            ErrorKind::Missing(directory) => write!(f, "{directory:?}: no run is recorded there"),
            ErrorKind::Occupied(directory) => {
                write!(f, "{directory:?}: something is in it already; name a new or an empty folder")
            }
            ErrorKind::InUse { directory, holder: Some(holder) } => {
                write!(f, "{directory:?}: in use by {holder}")
            }
            ErrorKind::InUse { directory, holder: None } => {
                write!(f, "{directory:?}: in use by another process")
            }
            ErrorKind::DuplicateKey(key) => write!(f, "two jobs have the key \"{key}\""),
            ErrorKind::UnlistedJob(seq) => write!(f, "job {seq} is not on the journal's list"),
            ErrorKind::Failed(error) => write!(f, "{error:#}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Error {
        Error(Box::new(kind))
    }
}

impl Error {
    /// Wraps an error of any other cause. This keeps anyhow out of the public interface.
    pub(super) fn failed(error: impl Into<anyhow::Error>) -> Error {
        ErrorKind::Failed(error.into()).into()
    }
}
