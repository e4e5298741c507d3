//! An output while it is being written: one thread appends to it, others may read it.

use std::io::Read;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::spool::Spool;

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
