//! System calls that not every kernel or container allows: each is used until it has been refused once, then something
//! else is used in its place.
//!
//! Kernel versions are never checked: seccomp filters, emulators and backports make them meaningless. For the start of a
//! process there is a list of methods, each with fewer requirements than the one before:
//!
//! ```text
//! method             needed because this is refused                     what is lost
//! Full               -                                                  -
//! OpenedByChild      clone(CLONE_PIDFD): before 5.2                     a system call
//! SharedWaited       pidfd_open(2): before 5.3, Docker before 20.10     a thread for each process
//! Copied             close_range(2) and unshare(2), both; CLONE_FILES   time, if thousands are open
//! CopiedWaited       the same without CLONE_PIDFD
//! Posix              clone(CLONE_VM): qemu-user, valgrind               see `unix/mod.rs`
//! ```

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::{env, io};

use crate::sys::failure::is_refusal;

/// A system call that may be refused. One static each, for the whole process, as it is refused to the whole process.
pub(crate) struct KernelFeature {
    refused: AtomicBool,
}

impl KernelFeature {
    pub(crate) const fn new() -> KernelFeature {
        KernelFeature { refused: AtomicBool::new(false) }
    }

    pub(crate) fn is_usable(&self) -> bool {
        !self.refused.load(Ordering::Relaxed) && !only_posix()
    }

    pub(crate) fn mark_refused(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }

    /// The result of the call; `None` if it is refused, now or before.
    pub(crate) fn attempt<T>(&self, act: impl FnOnce() -> io::Result<T>) -> Option<io::Result<T>> {
        if !self.is_usable() {
            return None;
        }
        match act() {
            Err(error) if is_refusal(&error) => {
                self.mark_refused();
                None
            }
            result => Some(result),
        }
    }
}

/// Whether `PROCPOOL_SYS=unix` was set at the first call: then only POSIX calls are used, so that tests can run with
/// them on a system that has more.
pub(crate) fn only_posix() -> bool {
    static ONLY_POSIX: OnceLock<bool> = OnceLock::new();
    *ONLY_POSIX.get_or_init(|| env::var_os("PROCPOOL_SYS").is_some_and(|system| system == "unix"))
}

/// From the best method to the one that every system has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum StartMethod {
    /// clone(2) returns the pidfd; the child shares our descriptor table until it gets its own.
    Full,
    /// The child opens its own pidfd while it still shares our descriptor table, so no process runs that can't be watched.
    OpenedByChild,
    /// A thread waits for the process, because there are no pidfds.
    SharedWaited,
    /// clone(2) returns the pidfd; the child starts with a copy of our descriptors.
    Copied,
    CopiedWaited,
    /// `posix_spawn(3)`.
    Posix,
}

/// A call of the start that may fail, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Clone,
    /// clone(2) has ignored the request for a pidfd.
    ClonePidfd,
    PidfdOpen,
    Session,
    /// Getting a descriptor table of its own.
    Unshare,
    Duplicate,
    /// Opening the file for the standard input.
    Input,
    /// That file is a named pipe.
    NamedPipe,
    /// Searching the program in PATH.
    Search,
    Directory,
    Execute,
}

impl Call {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Call::Clone | Call::ClonePidfd => "clone",
            Call::PidfdOpen => "pidfd_open",
            Call::Session => "setsid",
            Call::Unshare => "unshare",
            Call::Duplicate => "dup2",
            Call::Input | Call::NamedPipe => "open",
            Call::Search => "execvp",
            Call::Directory => "chdir",
            Call::Execute => "execve",
        }
    }
}

const METHODS: [StartMethod; 6] = [
    StartMethod::Full,
    StartMethod::OpenedByChild,
    StartMethod::SharedWaited,
    StartMethod::Copied,
    StartMethod::CopiedWaited,
    StartMethod::Posix,
];

/// The index of the method in use, for the whole process. It only rises.
static STOOD_ON: AtomicU8 = AtomicU8::new(0);

impl StartMethod {
    pub(crate) fn current() -> StartMethod {
        if only_posix() {
            return StartMethod::Posix;
        }
        METHODS[usize::from(STOOD_ON.load(Ordering::Relaxed)).min(METHODS.len() - 1)]
    }

    /// The method to try next after this call was refused; `None` if no other would help.
    pub(crate) fn fallback(self, refused: Call) -> Option<StartMethod> {
        match (self, refused) {
            (StartMethod::Full, Call::Clone | Call::ClonePidfd) => Some(StartMethod::OpenedByChild),
            (StartMethod::OpenedByChild, Call::PidfdOpen) => Some(StartMethod::SharedWaited),
            // The next method would ask clone(2) for the same.
            (StartMethod::OpenedByChild | StartMethod::SharedWaited, Call::Clone)
            | (StartMethod::Full, Call::Unshare) => Some(StartMethod::Copied),
            (StartMethod::OpenedByChild | StartMethod::SharedWaited, Call::Unshare)
            | (StartMethod::Copied, Call::Clone | Call::ClonePidfd) => Some(StartMethod::CopiedWaited),
            (StartMethod::CopiedWaited, Call::Clone) => Some(StartMethod::Posix),
            _ => None,
        }
    }

    /// Makes all further starts begin with this method.
    pub(crate) fn make_current(self) {
        let place = METHODS.iter().position(|method| *method == self).unwrap_or_default();
        STOOD_ON.fetch_max(u8::try_from(place).unwrap_or(u8::MAX), Ordering::Relaxed);
    }

    pub(crate) fn wants_pidfd_of_clone(self) -> bool {
        matches!(self, StartMethod::Full | StartMethod::Copied)
    }

    pub(crate) fn is_waited(self) -> bool {
        matches!(self, StartMethod::SharedWaited | StartMethod::CopiedWaited | StartMethod::Posix)
    }

    pub(crate) fn shares_descriptors(self) -> bool {
        matches!(self, StartMethod::Full | StartMethod::OpenedByChild | StartMethod::SharedWaited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_once_is_not_tried_again_and_a_shortage_is_no_refusal() {
        let feature = KernelFeature { refused: AtomicBool::new(false) };
        let fails = |number| move || Err::<(), _>(io::Error::from_raw_os_error(number));
        if only_posix() {
            assert!(!feature.is_usable());
            return;
        }
        assert!(feature.attempt(fails(libc::EMFILE)).unwrap().is_err());
        assert!(feature.attempt(|| Ok(())).unwrap().is_ok());
        assert!(feature.attempt(fails(libc::ENOSYS)).is_none());
        assert!(feature.attempt(|| Ok(())).is_none());
    }

    #[test]
    fn every_refusal_leads_further_down_and_what_is_no_refusal_of_a_step_leads_nowhere() {
        for method in METHODS {
            for call in [Call::Clone, Call::ClonePidfd, Call::PidfdOpen, Call::Unshare] {
                assert!(
                    method.fallback(call).is_none_or(|fallback| fallback > method),
                    "{method:?} {call:?}"
                );
            }
            for call in
                [Call::Session, Call::Duplicate, Call::Input, Call::Search, Call::Directory, Call::Execute]
            {
                assert_eq!(method.fallback(call), None);
            }
        }
    }

    #[test]
    fn where_clone_is_refused_whatever_is_asked_of_it_the_lowest_is_reached() {
        let mut passed = vec![StartMethod::Full];
        while let Some(fallback) = passed.last().unwrap().fallback(Call::Clone) {
            passed.push(fallback);
        }
        let expected = [
            StartMethod::Full,
            StartMethod::OpenedByChild,
            StartMethod::Copied,
            StartMethod::CopiedWaited,
            StartMethod::Posix,
        ];
        assert_eq!(passed, expected);
    }
}
