//! What a test was started with and must not hand on: signals that are ignored.
//!
//! Under `nohup … &` HUP is ignored, and in the background of a script INT and QUIT. A program keeps that when it is
//! started, procpool rightly so. The tests are about procpool and not about how cargo was started; where inheritance is
//! what is tested, the case ignores a signal itself.

use std::sync::Once;

use libc::{SIG_DFL, SIG_IGN, SIGPIPE};

/// Gives signals that this process was started to ignore their default action, for those that it starts. SIGPIPE stays
/// as it is: Rust ignores it, and gives it back to each child.
pub fn heed_all_signals() {
    static DONE: Once = Once::new();
    DONE.call_once(|| (1..=libc::SIGRTMAX()).filter(|signal| *signal != SIGPIPE).for_each(heed));
}

fn heed(signal: libc::c_int) {
    #[expect(unsafe_code, reason = "a disposition is a pointer to code")]
    // SAFETY: all-zero bytes are a valid sigaction, and the pointer is to a live local. Nothing but the default is put
    // in the place of SIG_IGN; where the number is no signal that one may set the calls do nothing.
    unsafe {
        let mut found: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(signal, std::ptr::null(), &raw mut found) == 0 && found.sa_sigaction == SIG_IGN {
            libc::signal(signal, SIG_DFL);
        }
    }
}
