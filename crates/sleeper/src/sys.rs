//! Resets what a test was started with and must not pass on: ignored signals.
//!
//! Under `nohup … &` HUP is ignored, and in the background of a script INT and QUIT. A program inherits
//! that, and procpool rightly keeps it. The tests are about procpool and not about how cargo was started; a
//! test of inheritance ignores a signal itself.

use std::sync::Once;

use libc::{SIG_DFL, SIG_IGN, SIGPIPE};

/// Gives signals that this process was started with ignored their default action, for its children. SIGPIPE
/// stays as it is: Rust ignores it, and resets it in each child.
pub fn heed_all_signals() {
    static DONE: Once = Once::new();
    DONE.call_once(|| (1..=libc::SIGRTMAX()).filter(|signal| *signal != SIGPIPE).for_each(heed));
}

fn heed(signal: libc::c_int) {
    #[expect(unsafe_code, reason = "a disposition is a pointer to code")]
    // SAFETY: all-zero bytes are a valid sigaction, and the pointer is to a live local. Only SIG_IGN is
    // replaced, by the default; for a number that is not a settable signal the calls do nothing.
    unsafe {
        let mut found: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(signal, std::ptr::null(), &raw mut found) == 0 && found.sa_sigaction == SIG_IGN {
            libc::signal(signal, SIG_DFL);
        }
    }
}
