//! Outputs while they are being written: one thread appends to them, others may read them, and callers that don't want to
//! wait for the completion are notified.

use std::io::{self, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use std::{fmt, mem};

use crossbeam_channel::Sender;

use crate::data::job::{Key, Seq, Slot};
use crate::spool::Spool;

/// Says that a job has written something, in a run whose outputs are [followed](crate::Pool::follow_outputs).
///
/// The bytes stay in the spool and are part of the job's [`Completion`](crate::Completion). A follower
/// remembers how far it has read, and reads the rest from there.
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
    /// The slot it runs in.
    pub slot: Slot,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// How many attempts may follow if this one fails.
    pub attempts_left: u32,
    /// Which of its outputs has grown.
    pub source: Source,
    /// The number of notifications about this output, including this one.
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
    /// How many bytes the output has by now. The call acknowledges the notification: only then does output written
    /// afterwards cause another one.
    #[must_use]
    pub fn length(&self) -> u64 {
        let mut written = self.output.lock();
        // Only for the latest notification: if each of two acknowledged, each would cause another one.
        if self.notification == written.notifications {
            written.unacknowledged = false;
        }
        written.spool.len()
    }

    /// Prevents the attempt from ending while the guard lives, so that the output can be read piece by piece.
    /// Its process may have ended, but its slot stays in use. `None` if the attempt has ended.
    #[must_use]
    pub fn hold(&self) -> Option<Hold<'_>> {
        self.output.hold().then(|| Hold(&self.output))
    }

    /// Declares that bytes before this position are not needed any more, and frees most of the disk space they take.
    /// They may then be read as zeros, from the completion too.
    pub fn forget(&self, before: u64) {
        self.output.lock().spool.forget(before);
    }

    /// Whether the attempt has ended. The completion then has all of the output, and there is nothing to read here.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.output.lock().taken
    }

    /// The bytes in this range, or as many as there are. None once the job has ended: its completion has them
    /// then.
    ///
    /// # Errors
    /// If the temporary file can't be read.
    pub fn read(&self, range: std::ops::Range<u64>) -> io::Result<Vec<u8>> {
        let written = self.output.lock();
        let mut bytes = Vec::new();
        let length = range.end.saturating_sub(range.start);
        written.spool.reader_from(range.start).take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// The attempt does not end while this lives, see [`Live::hold`].
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

/// Where notifications about an attempt's outputs are sent.
///
/// At most one notification of each output is unacknowledged. So the channel, although unbounded, holds at most two for
/// each attempt that runs or whose completion has not been taken, and a send never blocks.
#[derive(Clone, Debug)]
pub(crate) struct OutputNotifier {
    pub(crate) channel: Sender<Live>,
    pub(crate) key: Key,
    pub(crate) attempts_left: u32,
}

/// Sends notifications about one output.
pub(crate) struct StreamNotifier {
    pub(crate) notifier: OutputNotifier,
    pub(crate) seq: Seq,
    pub(crate) slot: Slot,
    pub(crate) attempt: u32,
    pub(crate) source: Source,
}

impl StreamNotifier {
    /// Reports new bytes. Called only if the previous notification was acknowledged.
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
        // Fails if the run was dropped.
        let _ = self.notifier.channel.send(live);
    }
}

/// A growing spool. The lock is held for one read at a time.
#[derive(Default)]
pub(crate) struct LiveSpool {
    written: Mutex<LiveSpoolState>,
    /// Notified when a holder releases it.
    release: Condvar,
}

#[derive(Default)]
pub(crate) struct LiveSpoolState {
    pub(crate) spool: Spool,
    /// When something was last appended.
    pub(crate) last: Option<Instant>,
    /// Number of notifications sent so far.
    pub(crate) notifications: u64,
    /// Whether the last notification has not been acknowledged yet.
    pub(crate) unacknowledged: bool,
    /// Whether [`take`](LiveSpool::take) has taken the output.
    pub(crate) taken: bool,
    /// How many readers hold it; it must not be taken meanwhile.
    pub(crate) holders: usize,
}

impl LiveSpool {
    pub(crate) fn new(spool: Spool) -> LiveSpool {
        LiveSpool {
            written: Mutex::new(LiveSpoolState { spool, ..LiveSpoolState::default() }),
            release: Condvar::new(),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, LiveSpoolState> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prevents [`take`](LiveSpool::take) from returning. False if the output was taken before.
    pub(crate) fn hold(&self) -> bool {
        let mut written = self.lock();
        written.holders += usize::from(!written.taken);
        !written.taken
    }

    /// Undoes one [`hold`](LiveSpool::hold).
    pub(crate) fn release(&self) {
        self.lock().holders -= 1;
        self.release.notify_all();
    }

    /// Waits until nobody holds the output, and takes it. Nothing can be read here afterwards.
    pub(crate) fn take(&self) -> Spool {
        let held = |written: &mut LiveSpoolState| written.holders > 0;
        let mut written = self.release.wait_while(self.lock(), held).unwrap_or_else(PoisonError::into_inner);
        written.taken = true;
        mem::take(&mut written.spool)
    }
}

/// The last bytes, at most `at_most`, of whichever output was written to last.
pub(crate) fn latest(outputs: &[impl AsRef<LiveSpool>], at_most: usize) -> Vec<u8> {
    let written_last = |output: &&_| AsRef::<LiveSpool>::as_ref(*output).lock().last;
    let latest = outputs.iter().max_by_key(written_last);
    // Only a preview: if its file can't be read, the completion reports that.
    latest.and_then(|output| output.as_ref().lock().spool.tail(at_most).ok()).unwrap_or_default()
}

/// The output from `position` on, but at most its last `at_most` bytes; and the position where that begins.
pub(crate) fn since(output: &LiveSpool, position: u64, at_most: usize) -> (u64, Vec<u8>) {
    let written = output.lock();
    let first = position.max(written.spool.len().saturating_sub(at_most as u64));
    let mut bytes = Vec::new();
    // Only a preview: if its file can't be read, the completion reports that.
    match written.spool.reader_from(first).read_to_end(&mut bytes) {
        Ok(_) => (first, bytes),
        Err(_) => (first, Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_came_since_then_is_all_or_its_end() {
        let output = LiveSpool::new(Spool::from("0123456789"));
        assert_eq!(since(&output, 0, 100), (0, b"0123456789".to_vec()));
        assert_eq!(since(&output, 7, 100), (7, b"789".to_vec()));
        assert_eq!(since(&output, 2, 3), (7, b"789".to_vec()));
        assert_eq!(since(&output, 10, 3), (10, Vec::new()));
        assert_eq!(since(&output, 99, 3), (99, Vec::new()));
    }

    #[test]
    fn the_latest_is_the_end_of_what_was_written_to_last() {
        let outputs = ["one", "two"].map(|text| Arc::new(LiveSpool::new(Spool::from(text))));
        outputs[0].lock().last = Some(Instant::now());
        assert_eq!(latest(&outputs, 2), b"ne");
        outputs[1].lock().last = Some(Instant::now() + Duration::from_secs(1));
        assert_eq!(latest(&outputs, 9), b"two");
        assert_eq!(outputs[1].take().len(), 3);
        assert_eq!(latest(&outputs, 9), b"");
    }
}
