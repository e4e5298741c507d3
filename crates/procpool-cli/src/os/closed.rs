//! Which of the three standard descriptors were closed when procpool was started.
//!
//! Before `main`, Rust's runtime opens `/dev/null` in place of a closed one. Output would vanish there and
//! count as delivered, and input would look empty. `main` can't tell this from a `/dev/null` that the caller
//! has opened, so a function in `.init_array` looks before the runtime.

use std::io;
use std::sync::atomic::{AtomicU8, Ordering};

use rustix::io::{Errno, fcntl_getfd};
use rustix::stdio;

/// A standard descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StandardStream {
    Input = 1,
    Output = 2,
    Error = 4,
}

/// The sum of the closed ones. Written once, before `main`.
static CLOSED: AtomicU8 = AtomicU8::new(0);

#[expect(unsafe_code, reason = "no safe way runs code before the runtime of Rust")]
// SAFETY: the C runtime calls each pointer in this section once, before there are threads. The function has
// the expected type, makes three system calls, stores to an atomic, and can't panic.
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
    /// EBADF if it was closed.
    pub(crate) fn check(self) -> io::Result<()> {
        match CLOSED.load(Ordering::Relaxed) & self as u8 {
            0 => Ok(()),
            _ => Err(Errno::BADF.into()),
        }
    }
}
