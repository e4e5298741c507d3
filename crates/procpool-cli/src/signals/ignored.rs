//! Which signals were ignored when procpool was started.
//! Knows nothing of what they would do.

use std::fs;
use std::io;
use std::sync::OnceLock;

/// A set of signals, bit n-1 for signal n, as proc(5) has it.
#[derive(Clone, Copy)]
pub(crate) struct Ignored(u64);

impl Ignored {
    /// Those that this process ignored when this was first asked: no other safe call tells it.
    ///
    /// # Errors
    /// Where `/proc` can't be read.
    pub(crate) fn at_first() -> io::Result<Ignored> {
        static FOUND: OnceLock<Ignored> = OnceLock::new();
        if let Some(found) = FOUND.get() {
            return Ok(*found);
        }
        let status = fs::read_to_string("/proc/self/status")?;
        Ok(*FOUND.get_or_init(|| Ignored(ignored_in(&status).unwrap_or(0))))
    }

    pub(crate) fn has(self, signal: i32) -> bool {
        (1..=64).contains(&signal) && self.0 & (1 << (signal - 1)) != 0
    }
}

fn ignored_in(status: &str) -> Option<u64> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_mask_of_ignored_signals_is_read() {
        assert_eq!(ignored_in("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\tff\n"), Some(0x1001));
        assert_eq!(ignored_in("Name:\tx\n"), None);
        // The Rust runtime ignores SIGPIPE, and the test harness changes nothing about that.
        assert!(Ignored::at_first().unwrap().has(signal_hook::consts::SIGPIPE));
        assert!(!Ignored::at_first().unwrap().has(0));
    }
}
