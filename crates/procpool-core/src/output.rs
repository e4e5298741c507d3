//! One output of a process while it is being written: one thread adds to it, others may look.
//! Knows nothing of where the bytes come from.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::spool::Spool;

/// A spool that grows. The lock is held for one read at a time.
#[derive(Default)]
pub(crate) struct Output(Mutex<Written>);

/// What is there already.
#[derive(Default)]
pub(crate) struct Written {
    pub(crate) spool: Spool,
    /// When something was added last.
    pub(crate) last: Option<Instant>,
    /// Who follows it has been told of something that it has not looked at.
    pub(crate) told: bool,
    /// All of it was given away.
    pub(crate) over: bool,
}

impl Output {
    pub(crate) fn new(spool: Spool) -> Output {
        Output(Mutex::new(Written { spool, last: None, told: false, over: false }))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of it. Nothing is there afterwards.
    pub(crate) fn take(&self) -> Spool {
        let mut written = self.lock();
        written.over = true;
        mem::take(&mut written.spool)
    }
}

/// The last bytes, at most so many, of whichever of the two was written to last.
pub(crate) fn latest(outputs: &[impl AsRef<Output>], at_most: usize) -> Vec<u8> {
    let written_last = |output: &&_| AsRef::<Output>::as_ref(*output).lock().last;
    let latest = outputs.iter().max_by_key(written_last);
    // Where its file can't be read the completion says so; this is only a look.
    latest.and_then(|output| output.as_ref().lock().spool.tail(at_most).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_latest_is_the_end_of_what_was_written_to_last() {
        let outputs = ["one", "two"].map(|text| Arc::new(Output::new(Spool::from(text))));
        outputs[0].lock().last = Some(Instant::now());
        assert_eq!(latest(&outputs, 2), b"ne");
        outputs[1].lock().last = Some(Instant::now() + Duration::from_secs(1));
        assert_eq!(latest(&outputs, 9), b"two");
        assert_eq!(outputs[1].take().len(), 3);
        assert_eq!(latest(&outputs, 9), b"");
    }
}
