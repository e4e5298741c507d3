//! Names the `ulimit` that an error is due to, with its value.
//!
//! The system's texts ("Cannot allocate memory", "File too large") don't say that there is a limit to raise.

use std::fmt;
use std::io::{self, ErrorKind};

use anyhow::anyhow;
use nix::libc;
use rustix::process::Resource;

use procpool_journal::os::memory;

/// A limit that is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SetLimit {
    /// The option of `ulimit`.
    option: &'static str,
    allowed: u64,
    /// The unit of `allowed`.
    unit: &'static str,
}

/// Limits of which any may have caused an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LimitAdvice([Option<SetLimit>; 2]);

/// The kinds of limits that an error can be due to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shortage {
    FileSize,
    Descriptors,
    Memory,
    /// Processes and threads, or memory for a thread: the C library reports both as EAGAIN.
    Tasks,
}

/// A thread's stack. If a mapping of this size fails, a thread was refused for lack of memory.
const STACK: usize = 2 << 20;

/// The limits that may have caused an error, as far as they are set.
pub(crate) fn reached(error: &anyhow::Error) -> LimitAdvice {
    limits_of(error.chain().filter_map(|cause| cause.downcast_ref()).find_map(shortage))
}

/// The same for a bare error.
pub(crate) fn reached_by(error: &io::Error) -> LimitAdvice {
    limits_of(shortage(error))
}

fn limits_of(shortage: Option<Shortage>) -> LimitAdvice {
    match shortage {
        None => LimitAdvice::default(),
        Some(Shortage::FileSize) => LimitAdvice([set("-f", Resource::Fsize, 1, "bytes"), None]),
        Some(Shortage::Descriptors) => LimitAdvice([set("-n", Resource::Nofile, 1, "descriptors"), None]),
        Some(Shortage::Tasks) if memory::has_room(STACK) => LimitAdvice([
            set("-u", Resource::Nproc, 1, "tasks of this user (and a cgroup's pids.max may allow fewer)"),
            None,
        ]),
        Some(Shortage::Memory | Shortage::Tasks) => of_memory(),
    }
}

/// The limits of memory that are set.
pub(crate) fn of_memory() -> LimitAdvice {
    LimitAdvice([set("-v", Resource::As, 1024, "kB"), set("-d", Resource::Data, 1024, "kB")])
}

/// The limit of processor time, if it is set.
pub(crate) fn of_time() -> LimitAdvice {
    LimitAdvice([set("-t", Resource::Cpu, 1, "seconds"), None])
}

/// Ample for clap and the parsers of job files. With a smaller stack they would end by SIGABRT.
const STACK_OF_MAIN: u64 = 512 << 10;

/// # Errors
/// If the stack of the first thread is too small for procpool.
pub(crate) fn stack() -> Result<(), anyhow::Error> {
    match memory::limit_of(Resource::Stack) {
        Some(allowed) if allowed < STACK_OF_MAIN => {
            let (allowed, needed) = (allowed / 1024, STACK_OF_MAIN / 1024);
            Err(anyhow!("the stack is too small: `ulimit -s` allows {allowed} kB, {needed} are needed"))
        }
        _ => Ok(()),
    }
}

fn set(option: &'static str, resource: Resource, unit_of: u64, unit: &'static str) -> Option<SetLimit> {
    let allowed = memory::limit_of(resource)?;
    Some(SetLimit { option, allowed: allowed / unit_of, unit })
}

fn shortage(error: &io::Error) -> Option<Shortage> {
    match (error.raw_os_error(), error.kind()) {
        (Some(libc::EMFILE), _) => Some(Shortage::Descriptors),
        (_, ErrorKind::FileTooLarge) => Some(Shortage::FileSize),
        (_, ErrorKind::OutOfMemory) => Some(Shortage::Memory),
        (_, ErrorKind::WouldBlock) => Some(Shortage::Tasks),
        _ => None,
    }
}

impl LimitAdvice {
    pub(crate) fn are_none(&self) -> bool {
        self.0 == [None; 2]
    }
}

/// To be appended to an error. Does not allocate: there may be no memory.
impl fmt::Display for LimitAdvice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().flatten().try_for_each(|SetLimit { option, allowed, unit }| {
            write!(f, "; `ulimit {option}` allows {allowed} {unit}: raise it")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_due_to_the_limit_of_its_kind_and_to_no_other() {
        let kind = |code| shortage(&io::Error::from_raw_os_error(code));
        assert_eq!(kind(libc::EFBIG), Some(Shortage::FileSize));
        assert_eq!(kind(libc::EMFILE), Some(Shortage::Descriptors));
        assert_eq!(kind(libc::ENOMEM), Some(Shortage::Memory));
        assert_eq!(kind(libc::EAGAIN), Some(Shortage::Tasks));
        // Limits of the whole machine, and of a disk.
        assert_eq!([libc::ENFILE, libc::ENOSPC, libc::EACCES].map(kind), [None; 3]);
        assert_eq!(shortage(&io::Error::new(ErrorKind::FileTooLarge, "told")), Some(Shortage::FileSize));
    }

    #[test]
    fn a_limit_is_told_with_its_number_and_what_that_counts() {
        let limit = SetLimit { option: "-f", allowed: 3072, unit: "bytes" };
        assert_eq!(LimitAdvice([Some(limit), None]).to_string(), "; `ulimit -f` allows 3072 bytes: raise it");
    }

    #[test]
    fn an_error_that_is_due_to_none_gets_no_advice() {
        let full = io::Error::from_raw_os_error(libc::ENOSPC);
        let limits = reached(&anyhow::Error::from(full).context("can't write"));
        assert!(limits.are_none() && limits.to_string().is_empty());
    }
}
