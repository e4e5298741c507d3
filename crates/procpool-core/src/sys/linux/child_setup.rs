//! A child between clone(2) and execve(2), in its parent's memory: what it is given, and what it tells.
//! What it does is in `child.rs`.

use std::cell::Cell;
use std::ffi::{c_char, c_int};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::process;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use rustix::process::{Resource, getrlimit};

use crate::sys::exec_spec::{ExecSpec, OnParentDeath};
use crate::sys::failure::is_refusal;
use crate::sys::kernel_feature::KernelFeature;
use crate::sys::linux::start_method::{Call, StartMethod};

/// Linux 5.9; Docker before 20.10 says EPERM.
static CLOSE_RANGE: KernelFeature = KernelFeature::new();
static DEATH_SIGNAL: KernelFeature = KernelFeature::new();

/// All that the child needs, ready for its system calls: it must neither allocate nor lock.
///
/// The parent reads a cell only when the child has said that it writes none of them any more: see [`has_own_descriptors`](ChildSetup::has_own_descriptors)
/// and [`uses_our_memory`](ChildSetup::uses_our_memory).
pub(super) struct ChildSetup {
    pub(super) spec: ExecSpec,
    pub(super) arguments: Vec<*const c_char>,
    pub(super) environment: Vec<*const c_char>,
    /// -1 for the caller's.
    pub(super) streams: [c_int; 3],
    pub(super) descriptors: Option<libc::rlimit>,
    pub(super) method: StartMethod,
    pub(super) close_range: Cell<CallUse>,
    /// 0 where the child lives on without us.
    pub(super) parent: c_int,
    pub(super) death_signal: Cell<CallUse>,
    pub(super) pidfd: Cell<c_int>,
    /// Which of the programs is its own.
    pub(super) program_index: Cell<usize>,
    /// Written by the child where it fails: at which call, with which error.
    pub(super) failure: Cell<Option<(Call, c_int)>>,
    own_descriptors: AtomicBool,
    exec_futex: AtomicU32,
}

/// Whether a call that there is another way for is made.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum CallUse {
    Used,
    Unused,
    /// It failed with this error in the child.
    Failed(c_int),
}

impl ChildSetup {
    pub(super) fn new(
        spec: ExecSpec,
        streams: [Option<BorrowedFd<'_>>; 3],
        method: StartMethod,
    ) -> ChildSetup {
        let used = |feature: &KernelFeature| {
            Cell::new(if feature.is_usable() { CallUse::Used } else { CallUse::Unused })
        };
        let streams = streams.map(|stream| stream.map_or(-1, |stream| stream.as_raw_fd()));
        debug_assert!(!streams.iter().any(|fd| (0..3).contains(fd)), "a later stream would be overwritten");
        let parent = match spec.on_parent_death {
            OnParentDeath::Die if DEATH_SIGNAL.is_usable() => {
                c_int::try_from(process::id()).unwrap_or_default()
            }
            OnParentDeath::Die | OnParentDeath::LiveOn => 0,
        };
        ChildSetup {
            arguments: spec.argument_pointers(),
            environment: spec.environment_pointers(),
            streams,
            descriptors: spec.descriptor_limit.map(own_limit),
            method,
            close_range: used(&CLOSE_RANGE),
            parent,
            death_signal: used(&DEATH_SIGNAL),
            pidfd: Cell::new(-1),
            program_index: Cell::new(0),
            failure: Cell::new(None),
            own_descriptors: AtomicBool::new(false),
            exec_futex: AtomicU32::new(0),
            spec,
        }
    }

    /// Said by the child when it has no descriptors but its own any more, and has told all but how its last calls went: those
    /// that the files have a say in which the command names.
    pub(super) fn note_own_descriptors(&self) {
        self.own_descriptors.store(true, Ordering::Release);
    }

    pub(super) fn has_own_descriptors(&self) -> bool {
        self.own_descriptors.load(Ordering::Acquire)
    }

    /// Where the kernel writes a 0, and wakes who waits, when the child has left this memory: it has become its program or has
    /// ended (`CLONE_CHILD_CLEARTID`, clone(2)).
    pub(super) fn exec_futex(&self) -> &AtomicU32 {
        &self.exec_futex
    }

    pub(super) fn uses_our_memory(&self) -> bool {
        self.exec_futex.load(Ordering::Acquire) != 0
    }

    /// What was refused to the child, and went another way, is not tried again.
    pub(super) fn note_refusals(&self) {
        for (feature, means) in [(&CLOSE_RANGE, &self.close_range), (&DEATH_SIGNAL, &self.death_signal)] {
            if let CallUse::Failed(number) = means.get() {
                if is_refusal(&io::Error::from_raw_os_error(number)) {
                    feature.mark_refused();
                }
            }
        }
    }
}

/// Whether a child can be killed when its parent has gone, as far as that is known by now.
pub(super) fn can_end_with_parent() -> bool {
    DEATH_SIGNAL.is_usable()
}

fn own_limit(soft: u64) -> libc::rlimit {
    let hard = getrlimit(Resource::Nofile).maximum;
    libc::rlimit {
        rlim_cur: hard.map_or(soft, |hard| soft.min(hard)),
        rlim_max: hard.unwrap_or(libc::RLIM_INFINITY),
    }
}
