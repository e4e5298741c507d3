//! Memory, and what becomes of procpool where there is none: it ends by itself, with a sentence and status 3.
//!
//! The standard library aborts where an allocation fails, by SIGABRT and with nothing that tells which limit there is. To unwind
//! is no way: what has no memory for 24 bytes has none for that. So the process leaves at once, as by `kill -9`: its jobs are ended by
//! those that guard it, and its journal says what has been recorded.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::{self, Write as _};

use nix::libc;
use rustix::stdio;

use crate::os::ulimits;

#[global_allocator]
static MEMORY: ExitingAllocator = ExitingAllocator;

/// The system's memory, whose end is procpool's.
struct ExitingAllocator;

/// Nobody needs so much in one piece: it is a number that was read from somewhere, and who asks for it is told that it is too much.
const ABSURD: usize = 1 << 30;

#[expect(unsafe_code, reason = "an allocator is")]
// SAFETY: every call is passed on to the system's allocator as it came, and what that gives is given back; where it gives nothing
// this either returns nothing, too, or doesn't return.
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
    // What doesn't fit is left out.
    let _ =
        writeln!(line, "procpool: no memory for {size} bytes{limits}, or have fewer jobs run at once (-j)");
    let _ = rustix::io::write(stdio::stderr(), &line.bytes[..line.length]);
    #[expect(unsafe_code, reason = "no destructor can be run without memory")]
    // SAFETY: it ends this process and touches no memory.
    unsafe {
        libc::_exit(3)
    }
}

/// A line that is made without an allocation.
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
