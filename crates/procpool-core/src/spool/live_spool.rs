//! One output of a process while it is being written: one thread adds to it, others may look.
//! Knows nothing of where the bytes come from.

use std::io::Read;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::spool::Spool;

/// A spool that grows. The lock is held for one read at a time.
#[derive(Default)]
pub(crate) struct LiveSpool {
    written: Mutex<LiveSpoolState>,
    /// Nobody holds it any more.
    release: Condvar,
}

/// What is there already.
#[derive(Default)]
pub(crate) struct LiveSpoolState {
    pub(crate) spool: Spool,
    /// When something was added last.
    pub(crate) last: Option<Instant>,
    /// How often who follows it has been told of something.
    pub(crate) notifications: u64,
    /// The last word of that has not been looked at.
    pub(crate) unacknowledged: bool,
    /// All of it was given away.
    pub(crate) taken: bool,
    /// How many are reading it piece by piece, so that it must not be given away.
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

    /// From now on it is not given away. Says whether it was before.
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

    /// All of it, once nobody holds it. Nothing is there afterwards.
    pub(crate) fn take(&self) -> Spool {
        let held = |written: &mut LiveSpoolState| written.holders > 0;
        let mut written = self.release.wait_while(self.lock(), held).unwrap_or_else(PoisonError::into_inner);
        written.taken = true;
        mem::take(&mut written.spool)
    }
}

/// The last bytes, at most so many, of whichever of the two was written to last.
pub(crate) fn latest(outputs: &[impl AsRef<LiveSpool>], at_most: usize) -> Vec<u8> {
    let written_last = |output: &&_| AsRef::<LiveSpool>::as_ref(*output).lock().last;
    let latest = outputs.iter().max_by_key(written_last);
    // Where its file can't be read the completion says so; this is only a look.
    latest.and_then(|output| output.as_ref().lock().spool.tail(at_most).ok()).unwrap_or_default()
}

/// What was written from this byte on, but no more than the last so many, and where that begins.
pub(crate) fn since(output: &LiveSpool, position: u64, at_most: usize) -> (u64, Vec<u8>) {
    let written = output.lock();
    let first = position.max(written.spool.len().saturating_sub(at_most as u64));
    let mut bytes = Vec::new();
    // Where its file can't be read the completion says so; this is only a look.
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
