//! A child between clone(2) and execve(2), in its parent's memory: what it is given, and what it tells.
//! What it does is in `child.rs`.

use std::cell::Cell;
use std::ffi::{c_char, c_int};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::process;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use rustix::process::{Resource, getrlimit};

use crate::sys::image::{Image, Orphan};
use crate::sys::linux::ladder::{Call, Rung};
use crate::sys::trouble::is_refusal;
use crate::sys::way::Way;

/// Linux 5.9; Docker before 20.10 says EPERM.
static CLOSE_RANGE: Way = Way::new();
static DEATH_SIGNAL: Way = Way::new();

/// All that the child needs, ready for its system calls: it must neither allocate nor lock.
///
/// The parent reads a cell only when the child has said that it writes none of them any more: see [`is_bare`](Birth::is_bare)
/// and [`is_within`](Birth::is_within).
pub(super) struct Birth {
    pub(super) image: Image,
    pub(super) arguments: Vec<*const c_char>,
    pub(super) environment: Vec<*const c_char>,
    /// -1 for the caller's.
    pub(super) streams: [c_int; 3],
    pub(super) descriptors: Option<libc::rlimit>,
    pub(super) rung: Rung,
    pub(super) close_range: Cell<Means>,
    /// 0 where the child lives on without us.
    pub(super) parent: c_int,
    pub(super) death_signal: Cell<Means>,
    pub(super) pidfd: Cell<c_int>,
    /// Which of the programs is its own.
    pub(super) place: Cell<usize>,
    /// Written by the child where it fails: at which call, with which error.
    pub(super) trouble: Cell<Option<(Call, c_int)>>,
    bare: AtomicBool,
    within: AtomicU32,
}

/// Whether a call that there is another way for is made.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Means {
    Used,
    Unused,
    /// It failed with this error in the child.
    Failed(c_int),
}

impl Birth {
    pub(super) fn new(image: Image, streams: [Option<BorrowedFd<'_>>; 3], rung: Rung) -> Birth {
        let used = |way: &Way| Cell::new(if way.is_open() { Means::Used } else { Means::Unused });
        let streams = streams.map(|stream| stream.map_or(-1, |stream| stream.as_raw_fd()));
        debug_assert!(!streams.iter().any(|fd| (0..3).contains(fd)), "a later stream would be overwritten");
        let parent = match image.orphan {
            Orphan::Ends if DEATH_SIGNAL.is_open() => c_int::try_from(process::id()).unwrap_or_default(),
            Orphan::Ends | Orphan::LivesOn => 0,
        };
        Birth {
            arguments: image.argument_pointers(),
            environment: image.environment_pointers(),
            streams,
            descriptors: image.descriptor_limit.map(own_limit),
            rung,
            close_range: used(&CLOSE_RANGE),
            parent,
            death_signal: used(&DEATH_SIGNAL),
            pidfd: Cell::new(-1),
            place: Cell::new(0),
            trouble: Cell::new(None),
            bare: AtomicBool::new(false),
            within: AtomicU32::new(0),
            image,
        }
    }

    /// Said by the child when it has no descriptors but its own any more, and has told all but how its last calls went: those
    /// that the files have a say in which the command names.
    pub(super) fn note_bare(&self) {
        self.bare.store(true, Ordering::Release);
    }

    pub(super) fn is_bare(&self) -> bool {
        self.bare.load(Ordering::Acquire)
    }

    /// Where the kernel writes a 0, and wakes who waits, when the child has left this memory: it has become its program or has
    /// ended (`CLONE_CHILD_CLEARTID`, clone(2)).
    pub(super) fn within(&self) -> &AtomicU32 {
        &self.within
    }

    pub(super) fn is_within(&self) -> bool {
        self.within.load(Ordering::Acquire) != 0
    }

    /// What was refused to the child, and went another way, is not tried again.
    pub(super) fn settle(&self) {
        for (way, means) in [(&CLOSE_RANGE, &self.close_range), (&DEATH_SIGNAL, &self.death_signal)] {
            if let Means::Failed(number) = means.get() {
                if is_refusal(&io::Error::from_raw_os_error(number)) {
                    way.close();
                }
            }
        }
    }
}

/// Whether a child can be killed when its parent has gone, as far as that is known by now.
pub(super) fn can_end_with_parent() -> bool {
    DEATH_SIGNAL.is_open()
}

fn own_limit(soft: u64) -> libc::rlimit {
    let hard = getrlimit(Resource::Nofile).maximum;
    libc::rlimit {
        rlim_cur: hard.map_or(soft, |hard| soft.min(hard)),
        rlim_max: hard.unwrap_or(libc::RLIM_INFINITY),
    }
}
