//! Whether a folder that several machines share can be used now: errors that pass are waited for, told once, and their end too.
//! Knows nothing of what is done in the folder.
//!
//! A ticket that has expired, a server that was started again, a mode that somebody mends: of all of these a file is not gone. Only
//! *not found* says that, for the folder itself is held open, and answers.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use rustix::io::Errno;

/// See the head of this file.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    /// Who is told; where nobody has said so yet, nothing is waited for.
    tell: OnceLock<OutageHandler>,
    waiting: AtomicUsize,
}

/// Somebody waits, as long as this lives.
#[derive(Debug)]
pub struct Waiting {
    outage: Arc<Outage>,
    is_over: bool,
}

/// What is to be told of an outage, once.
#[derive(Clone, Copy, Debug)]
pub enum OutageNotice<'a> {
    /// The folder can't be used now, and is waited for.
    Began { folder: &'a Path, error: &'a io::Error },
    /// It can be used again.
    Over,
}

/// Tells people of it.
pub(crate) type OutageHandler = fn(OutageNotice<'_>);

/// The time between two tries.
const PAUSE: Duration = Duration::from_millis(100);

impl Outage {
    /// From now on errors that pass are waited for: others share the folder.
    pub(super) fn wait_for_ends(&self, tell: OutageHandler) {
        let _ = self.tell.set(tell);
    }

    /// Whether this passes, and is to be waited for.
    pub(super) fn is(&self, error: &io::Error) -> bool {
        self.tell.get().is_some() && is_transient(error)
    }

    /// Whether somebody waits for its end now.
    pub(super) fn is_on(&self) -> bool {
        self.waiting.load(Ordering::Acquire) > 0
    }

    /// Begins to wait. The first to do so says why.
    pub(super) fn begin(self: &Arc<Outage>, folder: &Path, error: &io::Error) -> Waiting {
        if self.waiting.fetch_add(1, Ordering::AcqRel) == 0 {
            self.say(OutageNotice::Began { folder, error });
        }
        Waiting { outage: Arc::clone(self), is_over: false }
    }

    fn say(&self, notice: OutageNotice<'_>) {
        if let Some(tell) = self.tell.get() {
            tell(notice);
        }
    }

    /// Does it, again and again as long as that fails because of what passes.
    pub(super) fn wait_out<T>(
        self: &Arc<Outage>,
        folder: &Path,
        mut deed: impl FnMut() -> io::Result<T>,
    ) -> io::Result<T> {
        let mut waiting: Option<Waiting> = None;
        loop {
            match deed() {
                Err(error) if self.is(&error) => {
                    waiting.get_or_insert_with(|| self.begin(folder, &error));
                    thread::sleep(PAUSE);
                }
                result => {
                    waiting.into_iter().for_each(Waiting::end);
                    return result;
                }
            }
        }
    }
}

impl Waiting {
    /// What was waited for has come. The last one to whom it does says so.
    pub fn end(mut self) {
        self.is_over = true;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.outage.waiting.fetch_sub(1, Ordering::AcqRel) == 1 && self.is_over {
            self.outage.say(OutageNotice::Over);
        }
    }
}

/// What we say ourselves of a file has no number of the system's.
pub fn is_transient(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionRefused, ConnectionReset, HostUnreachable, NetworkDown, NetworkUnreachable, NotConnected,
        PermissionDenied, ResourceBusy, StaleNetworkFileHandle, TimedOut,
    };
    let Some(number) = error.raw_os_error() else { return false };
    #[cfg(target_os = "linux")]
    if [
        Errno::NOKEY,
        Errno::KEYEXPIRED,
        Errno::KEYREVOKED,
        Errno::KEYREJECTED,
        Errno::REMOTEIO,
        Errno::HOSTDOWN,
        Errno::SHUTDOWN,
    ]
    .iter()
    .any(|errno| errno.raw_os_error() == number)
    {
        return true;
    }
    number == Errno::IO.raw_os_error()
        || matches!(
            error.kind(),
            ConnectionRefused
                | ConnectionReset
                | HostUnreachable
                | NetworkDown
                | NetworkUnreachable
                | NotConnected
                | PermissionDenied
                | ResourceBusy
                | StaleNetworkFileHandle
                | TimedOut
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_of_a_folder_passes_unless_something_is_not_there_or_full() {
        for errno in [Errno::ACCESS, Errno::STALE, Errno::IO, Errno::HOSTUNREACH, Errno::TIMEDOUT] {
            assert!(is_transient(&errno.into()), "{errno}");
        }
        for errno in [Errno::NOENT, Errno::NOSPC, Errno::DQUOT, Errno::NOTDIR, Errno::FBIG] {
            assert!(!is_transient(&errno.into()), "{errno}");
        }
        let ours = io::Error::new(io::ErrorKind::PermissionDenied, "it belongs to somebody else");
        assert!(!is_transient(&ours));
    }

    #[test]
    fn it_is_done_again_until_it_is_done_and_only_where_others_share_the_folder() {
        let outage = Arc::new(Outage::default());
        let mut tries = 0;
        let mut deed = || {
            tries += 1;
            if tries < 3 { Err(io::Error::from(Errno::STALE)) } else { Ok(tries) }
        };
        assert!(outage.wait_out(Path::new("J"), &mut deed).is_err());
        outage.wait_for_ends(|_| ());
        assert_eq!(outage.wait_out(Path::new("J"), &mut deed).unwrap(), 3);
        assert!(!outage.is_on());
    }
}
