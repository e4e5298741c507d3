//! A job's key: the caller's own name for it.
//! Knows nothing of uniqueness; whoever needs unique keys checks for it.
//! The numbers that a run gives to jobs and places.
//! Knows nothing of how they are chosen; only `schedule.rs` mints them.
//! A job: a key, what to run, and how long it may take.
//! Knows nothing of slots or attempts; those belong to the run, see `schedule.rs`.

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
/// Shown ([`Display`](fmt::Display)) as [`Shown`] has it, with control characters escaped and what is no UTF-8 replaced, so
/// that a key can't garble a terminal; [`as_bytes`](Key::as_bytes) has it exactly.
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

    /// The key as an OS string, as environment variables and file names want it.
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

/// A job's position in the input, from 1: higher than those of all jobs before it, and none is missing, unless
/// jobs come with a [position](crate::Job::position) of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(NonZeroU64);

/// Which of the `limit` places a job runs in, from 1 to the limit. The lowest free one is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(NonZeroUsize);

/// Nobody may choose a higher position, so that there is always one left to count on with.
const HIGHEST_CHOSEN: u64 = 1 << 63;

impl Seq {
    pub(crate) const FIRST: Seq = Seq(NonZeroU64::MIN);

    /// The one that the caller chose, where that is no step back.
    pub(crate) fn or_later(self, chosen: Option<u64>) -> Seq {
        let chosen = chosen.filter(|chosen| *chosen <= HIGHEST_CHOSEN).and_then(NonZeroU64::new);
        chosen.map_or(self, |chosen| self.max(Seq(chosen)))
    }

    pub(crate) fn next(self) -> Seq {
        Seq(self.0.checked_add(1).expect("BUG: more jobs than 2^64"))
    }

    /// Of a job that an earlier run has recorded.
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
    /// The slot at `index`, from 0.
    pub(crate) fn at(index: usize) -> Slot {
        Slot(NonZeroUsize::MIN.saturating_add(index))
    }

    /// Where a job ran that an earlier run has recorded.
    pub(crate) fn recorded(slot: usize) -> Option<Slot> {
        NonZeroUsize::new(slot).map(Slot)
    }

    /// Where a table over the slots keeps this one, from 0.
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
/// `W` is what the [`Runner`](crate::Runner) at hand knows how to run: a [`Command`] for local processes.
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
    /// The caller's name for it. Need not be unique, except in [`Pool::run_all`](crate::Pool::run_all).
    pub key: Key,
    /// What to run.
    pub work: W,
    /// How long one attempt may take. Never ended early; `None` means for ever.
    pub timeout: Option<Duration>,
    /// How many further attempts follow where it fails; `None` leaves that to the pool's
    /// [`retries`](crate::Pool::retries).
    pub retries: Option<u32>,
    /// Its position in the input, where the caller counts and leaves some out; `None` is the next one.
    pub position: Option<u64>,
}

impl<W> Job<W> {
    /// A job without a timeout and without a word on retries or its position.
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

    /// Tries this job again so many times where it fails, whatever holds for the others.
    #[must_use]
    pub fn retries(mut self, further: u32) -> Job<W> {
        self.retries = Some(further);
        self
    }

    /// Makes this its [`Seq`](crate::Seq), for a caller who counts and leaves some out: so a job keeps its number
    /// where others before it are not run again. Totals still count jobs.
    ///
    /// It is heeded only where it is higher than those of all jobs before it, for the order of the input never
    /// lies ([`in_any_order`](crate::Pool::in_any_order) has it heeded all the same), and up to 2^63; else the job gets the number after the last one.
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
