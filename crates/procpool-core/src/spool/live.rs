//! Word of what a job writes while it runs, for who doesn't want to wait for its end.
//! Knows nothing of what is made of it.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use crossbeam_channel::Sender;

use crate::data::job::Key;
use crate::data::job::{Seq, Slot};
use crate::spool::live_spool::LiveSpool;

/// Word that a job has written something, from a run whose outputs are [followed](crate::Pool::follow_outputs).
///
/// What was written stays where it is: all of it comes once more with the job's
/// [`Completion`](crate::Completion). A follower remembers how far it has read, and takes the rest from there.
///
/// ```
/// use procpool_core::{Command, Event, Job, Limit, Pool};
///
/// let job = Job::new("two", Command::new("sh").args(["-c", "echo one; sleep 0.1; echo two"]));
/// let mut run = Pool::new(Limit::default()).follow_outputs().run([job])?;
/// let (mut seen, mut position) = (Vec::new(), 0);
/// while let Some(event) = run.next_event() {
///     match event {
///         Event::Wrote(live) => {
///             let until = live.length();
///             let piece = live.read(position..until)?;
///             position += piece.len() as u64;
///             seen.extend(piece);
///         }
///         Event::Completed(completion) => {
///             seen.extend(&completion.stdout().to_vec()?[seen.len()..]);
///         }
///         _ => {}
///     }
/// }
/// assert_eq!(seen, b"one\ntwo\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Live {
    /// The job's key.
    pub key: Key,
    /// Its position in the input.
    pub seq: Seq,
    /// Where it runs.
    pub slot: Slot,
    /// Which try it is, from 1.
    pub attempt: u32,
    /// How many attempts may follow, should this one fail.
    pub attempts_left: u32,
    /// Which of its outputs this is about.
    pub source: Source,
    /// How many words of this output there were by then.
    notification: u64,
    output: Arc<LiveSpool>,
}

/// One of the two outputs of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Its standard output.
    Stdout,
    /// Its standard error.
    Stderr,
}

impl Live {
    /// How many bytes it has written so far. What is written after this call is told of again; nothing else is,
    /// so who doesn't call it hears no more.
    #[must_use]
    pub fn length(&self) -> u64 {
        let mut written = self.output.lock();
        // Not where a later word is on its way: of two who look at each word, each would ask for another.
        if self.notification == written.notifications {
            written.unacknowledged = false;
        }
        written.spool.len()
    }

    /// Keeps the attempt from ending as long as the guard lives, so that what is there can be read piece by piece.
    /// Its process may be gone meanwhile, and its slot stays taken. `None` where it has ended.
    #[must_use]
    pub fn hold(&self) -> Option<Hold<'_>> {
        self.output.hold().then(|| Hold(&self.output))
    }

    /// The bytes before this position are not needed any more: what they take on disk is given back, in the
    /// main. Who reads them later, in the completion too, may find zeros.
    pub fn forget(&self, before: u64) {
        self.output.lock().spool.forget(before);
    }

    /// Whether the attempt has ended: its completion has all of the output, and there is nothing to read here.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.output.lock().taken
    }

    /// The bytes in this range, or as many of them as there are: none once the job has ended, for then its
    /// completion has them.
    ///
    /// # Errors
    /// Where the temporary file can't be read.
    pub fn read(&self, range: std::ops::Range<u64>) -> io::Result<Vec<u8>> {
        let written = self.output.lock();
        let mut bytes = Vec::new();
        let length = range.end.saturating_sub(range.start);
        written.spool.reader_from(range.start).take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// An attempt does not end as long as this lives, see [`Live::hold`].
#[must_use = "the attempt may end when this is dropped"]
pub struct Hold<'a>(&'a LiveSpool);

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

impl fmt::Debug for Hold<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hold")
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Live { key, seq, attempt, source, .. } = self;
        write!(f, "Live({key}, {seq}, attempt {attempt}, {source:?})")
    }
}

/// Where word of an attempt's outputs goes.
///
/// Of each output one word at most is on its way, so that a channel without a bound holds no more than twice as
/// many as attempts that run or whose completion waits to be taken, and telling never blocks.
#[derive(Clone, Debug)]
pub(crate) struct OutputNotifier {
    pub(crate) channel: Sender<Live>,
    pub(crate) key: Key,
    pub(crate) attempts_left: u32,
}

/// Tells of one output.
pub(crate) struct StreamNotifier {
    pub(crate) notifier: OutputNotifier,
    pub(crate) seq: Seq,
    pub(crate) slot: Slot,
    pub(crate) attempt: u32,
    pub(crate) source: Source,
}

impl StreamNotifier {
    /// Something was added, and nobody has been told since it was last looked at.
    pub(crate) fn notify(&self, notification: u64, output: &Arc<LiveSpool>) {
        let live = Live {
            key: self.notifier.key.clone(),
            seq: self.seq,
            slot: self.slot,
            attempt: self.attempt,
            attempts_left: self.notifier.attempts_left,
            source: self.source,
            notification,
            output: Arc::clone(output),
        };
        // Fails where the run was dropped: nobody wants to know.
        let _ = self.notifier.channel.send(live);
    }
}
