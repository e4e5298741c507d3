//! Errors that keep a whole run from starting. What goes wrong within a job is data, see `outcome`.

use std::{error, fmt, io};

use crate::data::job::Key;

/// A run could not be set up: the limit is invalid, a key occurs twice, or a thread could not be created.
///
/// A failed *job* is not an error but that job's [`Outcome`](crate::Outcome).
#[derive(Debug)]
pub struct Error(Kind);

#[derive(Debug)]
enum Kind {
    Limit { asked: usize, most: usize },
    DuplicateKey { key: Key, first: usize, second: usize },
    Resource { what: &'static str, source: io::Error },
}

impl Error {
    pub(crate) fn limit(asked: usize, most: usize) -> Error {
        Error(Kind::Limit { asked, most })
    }

    /// `first` and `second` are positions in the input, from 1.
    pub(crate) fn duplicate_key(key: Key, first: usize, second: usize) -> Error {
        Error(Kind::DuplicateKey { key, first, second })
    }

    pub(crate) fn resource(what: &'static str, source: io::Error) -> Error {
        Error(Kind::Resource { what, source })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Limit { asked, most } => {
                write!(f, "a limit of {asked} jobs at a time is not possible: give a number from 1 to {most}")
            }
            Kind::DuplicateKey { key, first, second } => write!(
                f,
                "jobs {first} and {second} have the same key \"{key}\": give each job a key of its own"
            ),
            Kind::Resource { what, .. } => write!(f, "can't get {what} for the run"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.0 {
            Kind::Resource { source, .. } => Some(source),
            Kind::Limit { .. } | Kind::DuplicateKey { .. } => None,
        }
    }
}
