//! A thread of the pool's own: where the machine has no room for it now, it is tried again as a job's start is.
//! What the thread does is not known here.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crate::process::retry::{OtherJobs, StartRetries};
use crate::sys;

/// What a thread without which there is no run leaves to all others.
const LEFT: usize = 1 << 20;

/// Starts it, and gives up only after about 2 s: the caller waits that long, before anything else of the run is there.
pub(crate) fn start<T: Send + 'static>(
    name: &str,
    act: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    // A try that fails drops what it was given.
    let act = Arc::new(Mutex::new(Some(act)));
    let mut tries = StartRetries::default();
    loop {
        let this = Arc::clone(&act);
        let run = move || {
            let act = this.lock().unwrap_or_else(PoisonError::into_inner).take();
            act.expect("BUG: a thread was started twice")()
        };
        let started = if sys::thread_has_room(LEFT) {
            thread::Builder::new().name(name.to_owned()).spawn(run)
        } else {
            Err(io::Error::from_raw_os_error(libc::ENOMEM))
        };
        match started {
            Ok(thread) => return Ok(thread),
            Err(error) => match tries.after(&error, OtherJobs::None) {
                Some(pause) => thread::sleep(pause),
                None => return Err(error),
            },
        }
    }
}
