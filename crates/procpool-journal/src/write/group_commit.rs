//! Has the disk take what was written, for many writers at once.
//! Knows nothing of what they write.

use std::fs::File;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The disk is asked at most once in this time; who comes meanwhile waits for the next time.
pub(crate) const WINDOW: Duration = Duration::from_millis(10);

/// How much of what was written to a file the disk has.
pub(crate) struct GroupCommit {
    file: File,
    state: Mutex<CommitState>,
    changed: Condvar,
}

#[derive(Default)]
struct CommitState {
    /// How much is sure to be on disk: a length, or a number of writes.
    through: u64,
    last: Option<Instant>,
    /// Somebody asks the disk at the moment.
    is_asking: bool,
    failed: Option<i32>,
}

impl GroupCommit {
    pub(crate) fn new(file: File) -> GroupCommit {
        GroupCommit { file, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Comes back once the disk has as much as that. The first that comes asks for all that come until it does so; `written` says
    /// how much that is.
    ///
    /// # Errors
    /// Where the disk doesn't take them, now or at an earlier time: a file of which the system has once said so can't
    /// be trusted any more (fsync(2)).
    pub(crate) fn wait_for(&self, wanted: u64, written: impl Fn() -> u64) -> io::Result<()> {
        let mut state = self.lock();
        loop {
            if let Some(error) = state.failed {
                return Err(io::Error::from_raw_os_error(error));
            }
            if state.through >= wanted {
                return Ok(());
            }
            if state.is_asking {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state.is_asking = true;
            let pause = state.last.map_or(Duration::ZERO, |last| WINDOW.saturating_sub(last.elapsed()));
            drop(state);
            thread::sleep(pause);
            let through = written();
            let result = self.file.sync_data();
            state = self.lock();
            state.is_asking = false;
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
