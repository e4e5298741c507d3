//! Waits while a folder that several machines share can't be used. The user is told once when that begins,
//! and once when it ends.
//!
//! An expired Kerberos ticket, a file server that restarts, a mode that an administrator repairs: these
//! errors are transient, and the file still exists. Only *not found* says that it doesn't, for the folder
//! itself is held open.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use rustix::io::Errno;

/// The state of one folder.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    /// Tells the user. If unset, nothing is waited for.
    tell: OnceLock<OutageHandler>,
    waiting: AtomicUsize,
}

/// A wait that lasts until this is dropped.
#[derive(Debug)]
pub struct Waiting {
    outage: Arc<Outage>,
    is_over: bool,
}

/// A notice to the user about an outage. Each is given once.
#[derive(Clone, Copy, Debug)]
pub enum OutageNotice<'a> {
    /// The folder can't be used now, and is waited for.
    Began {
        /// Its path.
        folder: &'a Path,
        /// Why it can't be used.
        error: &'a io::Error,
    },
    /// It can be used again.
    Over,
}

/// Tells the user.
pub(crate) type OutageHandler = fn(OutageNotice<'_>);

/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(100);

impl Outage {
    /// From now on transient errors are waited for: other machines share the folder.
    pub(super) fn wait_for_ends(&self, tell: OutageHandler) {
        let _ = self.tell.set(tell);
    }

    /// Whether this error is transient, and is to be waited for.
    pub(super) fn is(&self, error: &io::Error) -> bool {
        self.tell.get().is_some() && is_transient(error)
    }

    /// Whether a thread is waiting now.
    pub(super) fn is_on(&self) -> bool {
        self.waiting.load(Ordering::Acquire) > 0
    }

    /// Begins to wait. The first thread to do so tells the user.
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

    /// Calls `deed`, and retries it as long as it fails with a transient error.
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
    /// Ends a wait that was successful. The last thread to do so tells the user.
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

/// Whether an error of a shared file system is transient. Errors that procpool itself made have no errno and
/// are not.
#[must_use]
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
    fn errors_of_a_file_server_are_transient_and_those_of_a_missing_file_or_a_full_disk_are_not() {
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
    fn a_transient_error_is_waited_for_only_if_other_machines_share_the_folder() {
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
