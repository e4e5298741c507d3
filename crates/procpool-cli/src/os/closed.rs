//! Which of the three standard descriptors were closed when procpool was started.
//! Knows nothing of what they are for.
//!
//! Rust's runtime opens `/dev/null` in the place of those that are, before `main`: outputs would vanish there
//! and look delivered, and an input would look empty. Looking at the descriptor afterwards doesn't tell: others
//! start programs with `/dev/null` opened in the very same way. So this looks before the runtime does.

use std::io;
use std::sync::atomic::{AtomicU8, Ordering};

use rustix::io::{Errno, fcntl_getfd};
use rustix::stdio;

/// One of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StandardStream {
    Input = 1,
    Output = 2,
    Error = 4,
}

/// The sum of those that were closed. Written once, before `main`.
static CLOSED: AtomicU8 = AtomicU8::new(0);

#[expect(unsafe_code, reason = "no safe way runs code before the runtime of Rust")]
// SAFETY: the C runtime calls what stands in this section once, with no threads yet; the function has the type
// that it expects, makes three system calls, stores to an atomic, and can't panic.
#[unsafe(link_section = ".init_array")]
#[used]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    let is_closed = |descriptor| fcntl_getfd(descriptor) == Err(Errno::BADF);
    let standard = [
        (StandardStream::Input, is_closed(stdio::stdin())),
        (StandardStream::Output, is_closed(stdio::stdout())),
        (StandardStream::Error, is_closed(stdio::stderr())),
    ];
    let closed = standard.into_iter().filter(|(_, is_closed)| *is_closed);
    CLOSED.store(closed.map(|(which, _)| which as u8).sum(), Ordering::Relaxed);
}

impl StandardStream {
    /// # Errors
    /// Where it was closed, what the system says of closed descriptors.
    pub(crate) fn check(self) -> io::Result<()> {
        match CLOSED.load(Ordering::Relaxed) & self as u8 {
            0 => Ok(()),
            _ => Err(Errno::BADF.into()),
        }
    }
}
