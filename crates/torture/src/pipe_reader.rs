//! A thread that reads a pipe to its end, so that its writers never block.

use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// A pipe and what has come through it.
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

    /// How many bytes have come so far.
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    /// All bytes, once no process has the pipe open for writing.
    pub(crate) fn all(self) -> Vec<u8> {
        // The reader may have panicked, but never in the middle of a piece.
        let _ = self.listener.join();
        std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
