//! The limit: how many jobs may run at the same time.

use std::num::NonZeroUsize;
use std::{fmt, thread};

use crate::data::error::Error;

/// How many jobs may run at the same time: from 1 to [`Limit::MAX`].
///
/// 0 is invalid and does not mean "unlimited": a pool that can't run anything, or one that starts a million
/// processes at once, can't be expressed.
///
/// ```
/// use procpool_core::Limit;
///
/// assert_eq!(Limit::new(8)?.get(), 8);
/// assert_eq!(Limit::default().get(), 4);
/// assert!(Limit::new(0).is_err());
/// # Ok::<(), procpool_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Limit(NonZeroUsize);

impl Limit {
    /// The largest limit. Each slot takes a thread, two pipes and a process. Above this, the machine's own limits
    /// (`kernel.threads-max`, `kernel.pid_max`) are reached first and give less clear errors.
    pub const MAX: usize = 65_536;

    /// A limit of `limit` jobs at a time.
    ///
    /// # Errors
    /// Where `limit` is 0 or more than [`Limit::MAX`].
    pub fn new(limit: usize) -> Result<Limit, Error> {
        match NonZeroUsize::new(limit) {
            Some(limit) if limit.get() <= Limit::MAX => Ok(Limit(limit)),
            _ => Err(Error::limit(limit, Limit::MAX)),
        }
    }

    /// As many jobs as this process may use processors, by its affinity mask and cgroup quota
    /// (see [`std::thread::available_parallelism`]). 1 if that can't be determined.
    #[must_use]
    pub fn available() -> Limit {
        Limit(thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))
    }

    /// The number of jobs, 1 or more.
    #[must_use]
    pub fn get(self) -> usize {
        self.0.get()
    }
}

impl Default for Limit {
    /// Four at a time.
    fn default() -> Limit {
        Limit(NonZeroUsize::MIN.saturating_add(3))
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
