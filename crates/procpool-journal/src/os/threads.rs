//! Starts procpool's own threads. If the machine has no room for one, the start is retried for about 2 s,
//! like the start of a job: other programs have often released something by then.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Builder, JoinHandle};
use std::time::Duration;

use nix::libc;
use nix::sys::signal::{SigSet, Signal};

use crate::os::memory;

/// The pauses between tries: 1 + 2 + … + 64 + 100 + … ms, about 2 s in all.
pub fn pauses() -> impl Iterator<Item = Duration> {
    const TRIES: u32 = 26;
    (0..TRIES).map(|tried| Duration::from_millis((1 << tried.min(10)).min(100)))
}

/// Blocks TSTP in this thread. All threads but the one that handles signals do so: if two threads ran the
/// handler, one could stop the process, and the other would continue its handler afterwards, as if a new
/// signal had come.
pub fn leave_stops_to_others() {
    let _ = SigSet::from(Signal::SIGTSTP).thread_block();
}

/// Unblocks TSTP in this thread.
pub fn take_stops() {
    let _ = SigSet::from(Signal::SIGTSTP).thread_unblock();
}

/// A builder for a thread of this name.
///
/// # Errors
/// If a memory limit leaves no room for it. A thread that is started anyway may find no room for its signal
/// stack, and then the standard library aborts the program.
pub fn builder(name: &str) -> io::Result<Builder> {
    if memory::is_limited() && !memory::has_room(THREAD) {
        return Err(io::Error::from_raw_os_error(libc::ENOMEM));
    }
    Ok(Builder::new().name(name.into()))
}

/// The 2 MiB of stack that the standard library asks for, and 1 MiB for everything else.
const THREAD: usize = 3 << 20;

/// Starts a thread.
///
/// # Errors
/// If the machine still has no room for it after about 2 s.
pub fn start(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    // A spawn that fails drops its closure, so the work is shared.
    let work = Arc::new(Mutex::new(Some(work)));
    let mut pauses = pauses();
    loop {
        let own = Arc::clone(&work);
        let take = move || own.lock().unwrap_or_else(PoisonError::into_inner).take();
        let begun = builder(name).and_then(|builder| {
            builder.spawn(move || {
                leave_stops_to_others();
                if let Some(work) = take() {
                    work();
                }
            })
        });
        match (begun, pauses.next()) {
            (Err(error), Some(pause)) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(pause),
            (begun, _) => return begun.map_err(|error| refused(&error)),
        }
    }
}

/// Names the call that was refused: otherwise the error would seem to come from the file that the thread was
/// started to read.
pub(crate) fn refused(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("no thread: clone3(2): {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_does_its_work_once() {
        let (done, told) = std::sync::mpsc::channel();
        start("a", move || done.send(thread::current().name().map(str::to_owned)).unwrap())
            .unwrap()
            .join()
            .unwrap();
        assert_eq!(told.iter().collect::<Vec<_>>(), [Some("a".to_owned())]);
    }

    #[test]
    fn room_is_waited_for_about_two_seconds() {
        let all: Duration = pauses().sum();
        assert!((1900..2500).contains(&all.as_millis()), "{all:?}");
    }
}
