//! An allocator that ends procpool with a message and status 3 when there is no memory.
//!
//! The standard library would abort with SIGABRT, without naming the limit. Unwinding is no option, because
//! it allocates. So the process exits at once, as after `kill -9`: the guardian ends its jobs, and the
//! journal has what was recorded.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::{self, Write as _};

use nix::libc;
use rustix::stdio;

use crate::os::ulimits;

#[global_allocator]
static MEMORY: ExitingAllocator = ExitingAllocator;

/// The system's allocator; a failure ends procpool.
struct ExitingAllocator;

/// No honest request is so large: the size comes from damaged input, and the caller gets an error instead.
const ABSURD: usize = 1 << 30;

#[expect(unsafe_code, reason = "an allocator is")]
// SAFETY: every call is passed to the system's allocator unchanged, and its result is returned. If that is
// null, this returns null as well, or does not return.
unsafe impl GlobalAlloc for ExitingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller has promised.
        given(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller has promised.
        given(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as the caller has promised.
        given(unsafe { System.realloc(block, layout, size) }, size)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as the caller has promised.
        unsafe { System.dealloc(block, layout) }
    }
}

fn given(block: *mut u8, size: usize) -> *mut u8 {
    if block.is_null() && size < ABSURD {
        leave_without(size);
    }
    block
}

#[cold]
fn leave_without(size: usize) -> ! {
    let mut line = FixedLine::default();
    let limits = ulimits::of_memory();
    // A message that does not fit is cut.
    let _ =
        writeln!(line, "procpool: no memory for {size} bytes{limits}, or have fewer jobs run at once (-j)");
    let _ = rustix::io::write(stdio::stderr(), &line.bytes[..line.length]);
    #[expect(unsafe_code, reason = "no destructor can be run without memory")]
    // SAFETY: it ends this process and touches no memory.
    unsafe {
        libc::_exit(3)
    }
}

/// A line that is formatted without allocating.
struct FixedLine {
    bytes: [u8; 512],
    length: usize,
}

impl Default for FixedLine {
    fn default() -> FixedLine {
        FixedLine { bytes: [0; 512], length: 0 }
    }
}

impl fmt::Write for FixedLine {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.length..self.length + text.len()).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length += text.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_takes_what_it_has_room_for() {
        let mut line = FixedLine::default();
        write!(line, "{}-{}", 1, 2).expect("there is room");
        assert_eq!(&line.bytes[..line.length], b"1-2");
        assert!(line.write_str(&"x".repeat(512)).is_err());
    }

    #[test]
    fn an_absurd_size_is_refused_and_ends_nobody() {
        let most = usize::try_from(isize::MAX).expect("it is positive");
        assert!(Vec::<u8>::new().try_reserve_exact(most).is_err());
    }
}
