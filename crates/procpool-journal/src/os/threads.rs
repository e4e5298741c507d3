//! Threads of procpool's own. One that the machine has no room for is asked for again for a while, as a job is.
//! Knows nothing of what they do.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Builder, JoinHandle};
use std::time::Duration;

use nix::libc;
use nix::sys::signal::{SigSet, Signal};

use crate::os::memory;

/// What others hold is soon given back, or for long: 1 + 2 + … + 64 + 100 + … ms, about 2 s in all.
pub fn pauses() -> impl Iterator<Item = Duration> {
    const TRIES: u32 = 26;
    (0..TRIES).map(|tried| Duration::from_millis((1 << tried.min(10)).min(100)))
}

/// Has TSTP come to another thread: all but the one that hears signals do this. A handler that one thread had begun to run when
/// another stopped them all would run on after that, and be taken for a new signal.
pub fn leave_stops_to_others() {
    let _ = SigSet::from(Signal::SIGTSTP).thread_block();
}

/// Has it come to this thread.
pub fn take_stops() {
    let _ = SigSet::from(Signal::SIGTSTP).thread_unblock();
}

/// What a thread is made with.
///
/// # Errors
/// Where memory has a limit that leaves it no room. Who asks all the same may get a thread that has no room for its signal stack, and
/// by that the standard library aborts the program.
pub fn builder(name: &str) -> io::Result<Builder> {
    if memory::is_limited() && !memory::has_room(THREAD) {
        return Err(io::Error::from_raw_os_error(libc::ENOMEM));
    }
    Ok(Builder::new().name(name.into()))
}

/// The stack that the standard library asks for, and 1 MiB that it leaves to all others.
const THREAD: usize = 3 << 20;

/// Starts a thread.
///
/// # Errors
/// Where the machine still has no room for it after about 2 s.
pub fn start(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    // A try that fails takes what it was given with it.
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

/// Names what was refused: where a file is read by a thread, the error would be taken for the file's.
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
