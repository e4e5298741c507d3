//! A job and what identifies it: its key (the caller's name), its seq (position in the input) and its slot.
//!
//! Keys need not be unique here; callers that need unique keys check for it. Seqs and slots are minted by `schedule`
//! alone, so their constructors are private to the crate.

use std::borrow::Borrow;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::num::{NonZeroU64, NonZeroUsize};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::Arc;
use std::time::Duration;

use crate::data::command::Command;
use crate::data::shown::Shown;

/// The caller's own name for a job: any bytes. Cloning is cheap, the bytes are shared.
///
/// [`Display`](fmt::Display) formats it like [`Shown`]: control characters are escaped and invalid UTF-8 is replaced, so
/// that a key can't garble a terminal. [`as_bytes`](Key::as_bytes) returns the exact bytes.
///
/// ```
/// use procpool_core::Key;
///
/// let key = Key::from("a\tb");
/// assert_eq!(key.as_bytes(), b"a\tb");
/// assert_eq!(key.to_string(), "a\\tb");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<[u8]>);

impl Key {
    /// The key's bytes as they were given.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key as an OS string, for environment variables and file names.
    #[must_use]
    pub fn as_os_str(&self) -> &OsStr {
        OsStr::from_bytes(&self.0)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown(&self.0).fmt(f)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.as_os_str())
    }
}

impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for Key {
    fn from(key: &str) -> Key {
        Key(key.as_bytes().into())
    }
}

impl From<String> for Key {
    fn from(key: String) -> Key {
        Key(key.into_bytes().into())
    }
}

impl From<&[u8]> for Key {
    fn from(key: &[u8]) -> Key {
        Key(key.into())
    }
}

impl From<Vec<u8>> for Key {
    fn from(key: Vec<u8>) -> Key {
        Key(key.into())
    }
}

impl From<&OsStr> for Key {
    fn from(key: &OsStr) -> Key {
        Key(key.as_bytes().into())
    }
}

impl From<OsString> for Key {
    fn from(key: OsString) -> Key {
        Key(key.into_vec().into())
    }
}

/// A job's position in the input, from 1. Positions rise without gaps, unless jobs bring a
/// [position](crate::Job::position) of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(NonZeroU64);

/// Which of the `limit` slots a job runs in, from 1 to the limit. A job takes the lowest free slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(NonZeroUsize);

/// Callers can't choose a higher position, so that there are always numbers left for the jobs after it.
const HIGHEST_CHOSEN: u64 = 1 << 63;

impl Seq {
    pub(crate) const FIRST: Seq = Seq(NonZeroU64::MIN);

    /// The position that the caller chose, unless that is lower than this one.
    pub(crate) fn or_later(self, chosen: Option<u64>) -> Seq {
        let chosen = chosen.filter(|chosen| *chosen <= HIGHEST_CHOSEN).and_then(NonZeroU64::new);
        chosen.map_or(self, |chosen| self.max(Seq(chosen)))
    }

    pub(crate) fn next(self) -> Seq {
        Seq(self.0.checked_add(1).expect("BUG: more jobs than 2^64"))
    }

    /// The seq of a job that an earlier run recorded.
    pub(crate) fn recorded(position: u64) -> Option<Seq> {
        NonZeroU64::new(position).map(Seq)
    }

    /// The number, from 1.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0.get()
    }
}

impl Slot {
    /// The slot with this index, from 0.
    pub(crate) fn at(index: usize) -> Slot {
        Slot(NonZeroUsize::MIN.saturating_add(index))
    }

    /// The slot of a job that an earlier run recorded.
    pub(crate) fn recorded(slot: usize) -> Option<Slot> {
        NonZeroUsize::new(slot).map(Slot)
    }

    /// The slot's index in a table of slots, from 0.
    pub(crate) fn index(self) -> usize {
        self.0.get() - 1
    }

    /// The number, from 1.
    #[must_use]
    pub fn get(self) -> usize {
        self.0.get()
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One thing to run, under the caller's own name for it.
///
/// `W` is the work that the [`Runner`](crate::Runner) knows how to run: a [`Command`] for local processes.
///
/// ```
/// use std::time::Duration;
/// use procpool_core::{Command, Job};
///
/// let job = Job::new("thumb-1", Command::new("convert").args(["1.gif", "1.png"])).timeout(Duration::from_secs(30));
/// assert_eq!(job.key.as_bytes(), b"thumb-1");
/// ```
#[derive(Clone, Debug)]
pub struct Job<W = Command> {
    /// The caller's name for it. Only [`Pool::run_all`](crate::Pool::run_all) needs unique keys.
    pub key: Key,
    /// What to run.
    pub work: W,
    /// How long one attempt may take; `None` means forever. An attempt is never ended early.
    pub timeout: Option<Duration>,
    /// How many further attempts follow a failure; `None` means as many as the pool's
    /// [`retries`](crate::Pool::retries) says.
    pub retries: Option<u32>,
    /// Its position in the input, for a caller who counts and leaves some out; `None` means the next position.
    pub position: Option<u64>,
}

impl<W> Job<W> {
    /// A job without a timeout, and without retries or a position of its own.
    pub fn new(key: impl Into<Key>, work: W) -> Job<W> {
        Job {
            key: key.into(),
            work,
            timeout: None,
            retries: None,
            position: None,
        }
    }

    /// Ends an attempt that takes longer than this: TERM, grace time, KILL to its process group.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Job<W> {
        self.timeout = Some(timeout);
        self
    }

    /// Retries this job so many times if it fails, whatever the pool's retries are.
    #[must_use]
    pub fn retries(mut self, further: u32) -> Job<W> {
        self.retries = Some(further);
        self
    }

    /// Sets its [`Seq`], for a caller who leaves jobs out: a job keeps its number although jobs before
    /// it are not run again. Totals still count jobs.
    ///
    /// A position that is not higher than those of all earlier jobs, or is above 2^63, is ignored: the job then gets
    /// the number after the last one, so that seqs always rise in input order. With
    /// [`in_any_order`](crate::Pool::in_any_order) a lower position is accepted too.
    ///
    /// ```
    /// use procpool_core::{Command, Job, Limit, Pool};
    ///
    /// let job = |key: &str| Job::new(key, Command::new("true"));
    /// let run = Pool::new(Limit::new(1)?).run([job("a"), job("d").position(4), job("b").position(2)])?;
    /// assert_eq!(run.map(|done| done.seq.get()).collect::<Vec<_>>(), [1, 4, 5]);
    /// # Ok::<(), procpool_core::Error>(())
    /// ```
    #[must_use]
    pub fn position(mut self, position: u64) -> Job<W> {
        self.position = Some(position);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_no_utf8_is_kept_exactly_and_shown_harmlessly() {
        let key = Key::from(&b"a\xff\x1b[31m\n"[..]);
        assert_eq!(key.as_bytes(), b"a\xff\x1b[31m\n");
        assert_eq!(key.to_string(), "a\u{fffd}\\u{1b}[31m\\n");
    }
}
