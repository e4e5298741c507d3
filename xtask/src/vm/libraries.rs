//! The shared libraries that a program needs, by ldd(1).

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// The libraries of `program`; empty for a static one.
pub(crate) fn of(program: &Path) -> Result<Vec<PathBuf>> {
    // For a static program ldd fails with a message.
    let output = Command::new("ldd").arg(program).output().context("can't start ldd")?;
    Ok(named_in(&String::from_utf8_lossy(&output.stdout)))
}

fn named_in(text: &str) -> Vec<PathBuf> {
    // A line is `name => path (address)`, or for the loader `path (address)`.
    let words = text.lines().filter_map(|line| line.split_whitespace().rev().nth(1));
    words.filter(|word| word.starts_with('/')).map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_and_what_is_no_file_is_not() {
        let text = "\tlinux-vdso.so.1 (0x00007f)\n\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n";
        let expected = ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"];
        assert_eq!(named_in(text), expected.map(PathBuf::from));
        assert!(named_in("\tnot a dynamic executable\n").is_empty());
    }
}
