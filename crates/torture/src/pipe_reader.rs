//! What comes from a pipe, collected as it comes.
//! It does not know who writes to it.

use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// A pipe that is read to its end.
pub(crate) struct PipeReader {
    bytes: Arc<Mutex<Vec<u8>>>,
    listener: JoinHandle<()>,
}

impl PipeReader {
    pub(crate) fn of(mut pipe: impl Read + Send + 'static) -> PipeReader {
        let bytes = Arc::<Mutex<Vec<u8>>>::default();
        let heard = Arc::clone(&bytes);
        let listener = thread::spawn(move || {
            let mut part = vec![0; 1 << 16];
            while let Ok(count @ 1..) = pipe.read(&mut part) {
                heard.lock().unwrap_or_else(PoisonError::into_inner).extend(&part[..count]);
            }
        });
        PipeReader { bytes, listener }
    }

    /// How much has come so far.
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    /// All of it, once everybody is gone who could write to it.
    pub(crate) fn all(self) -> Vec<u8> {
        // It can't have panicked while it held the lock for more than a piece.
        let _ = self.listener.join();
        std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
