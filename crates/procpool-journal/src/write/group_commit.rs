//! Group commit: the first thread that waits calls fdatasync(2) for all that arrive before the call. One call
//! per record would limit a run to some hundred records a second.

use std::fs::File;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The least time between two syncs; threads that arrive meanwhile share the next one.
pub(crate) const WINDOW: Duration = Duration::from_millis(10);

/// How much of a file is on disk.
pub(crate) struct GroupCommit {
    file: File,
    state: Mutex<CommitState>,
    changed: Condvar,
}

#[derive(Default)]
struct CommitState {
    /// How much is surely on disk: a length, or a number of writes.
    through: u64,
    last: Option<Instant>,
    /// A thread is syncing, or about to.
    is_syncing: bool,
    failed: Option<i32>,
}

impl GroupCommit {
    pub(crate) fn new(file: File) -> GroupCommit {
        GroupCommit { file, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Returns once the disk has this much. The first thread to wait syncs for all that arrive before it
    /// does; `written` is called right before that and says how much there is.
    ///
    /// # Errors
    /// If the disk reports an error, now or earlier: after one error the kernel may have dropped what it
    /// couldn't write (fsync(2)).
    pub(crate) fn wait_for(&self, wanted: u64, written: impl Fn() -> u64) -> io::Result<()> {
        let mut state = self.lock();
        loop {
            if let Some(error) = state.failed {
                return Err(io::Error::from_raw_os_error(error));
            }
            if state.through >= wanted {
                return Ok(());
            }
            if state.is_syncing {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state.is_syncing = true;
            let pause = state.last.map_or(Duration::ZERO, |last| WINDOW.saturating_sub(last.elapsed()));
            drop(state);
            thread::sleep(pause);
            let through = written();
            let result = self.file.sync_data();
            state = self.lock();
            state.is_syncing = false;
            state.last = Some(Instant::now());
            match result {
                Ok(()) => state.through = through,
                Err(error) => state.failed = Some(error.raw_os_error().unwrap_or_default()),
            }
            self.changed.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, CommitState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
