//! A way of doing something that not every kernel and every fence allows: it is taken until it has been refused once.
//! What is done in its place is known where it is tried. Versions of kernels are never asked for: a container's fence,
//! an emulator and a backport all make them meaningless.

use std::env;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::sys::failure::is_refusal;

/// Of the whole process, as what refuses it is.
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

    /// What comes of taking it; `None` where it has been refused, now or before.
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

/// Whether `PROCPOOL_SYS=unix` was set when this was asked first: then nothing is used but what POSIX has, for tests
/// of that step on a system that has more.
pub(crate) fn only_posix() -> bool {
    static ONLY_POSIX: OnceLock<bool> = OnceLock::new();
    *ONLY_POSIX.get_or_init(|| env::var_os("PROCPOOL_SYS").is_some_and(|system| system == "unix"))
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
}
