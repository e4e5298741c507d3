//! The tests again, as somebody has them who has just cloned the repository: an ordinary user, almost no
//! environment, none of the tools that a bare Debian lacks, no terminal, and signals ignored as under nohup.
//!
//! It runs the programs that `cargo test` built in a copy of the checkout that belongs to the user
//! (`checkout`), and prints at the end which tests were skipped and why. Documentation tests are left out,
//! because they need a compiler.

mod checkout;
mod programs;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use sleeper::needs::{NO_MEMORY_CGROUP, Need, SKIPPED};

use self::checkout::NewcomerCheckout;
use self::programs::TestProgram;

/// What may be missing there. Tests must not need anything else.
const MAY_BE_MISSING: [Need; 11] = [
    Need::Strace,
    Need::Attach,
    Need::Sqlite,
    Need::Root,
    Need::Mounts,
    Need::DeadMounts,
    Need::Pids,
    Need::Zsh,
    Need::Ksh,
    Need::Mksh,
    Need::Yash,
];

/// Runs all test programs of the workspace at `root` as that user.
pub(crate) fn check(root: &Path) -> Result<()> {
    let built = programs::built(root)?;
    let checkout = NewcomerCheckout::new(root, &built)?;
    let mut skipped = Vec::new();
    let mut failed = Vec::new();
    for program in built.iter().filter(|program| program.is_test) {
        println!("$ {}", program.file.display());
        if !run(&checkout, program, &mut skipped)? {
            failed.push(program.name.as_str());
        }
    }
    print!("{}", list(&skipped));
    ensure!(failed.is_empty(), "a newcomer's tests fail, in {}", failed.join(", "));
    let unexpected: Vec<&str> =
        skipped.iter().map(String::as_str).filter(|line| !is_expected(line)).collect();
    ensure!(unexpected.is_empty(), "skipped without a reason that holds there:\n{}", unexpected.join("\n"));
    Ok(())
}

/// Runs a test program and returns whether all its tests pass. Prints its output and collects the lines
/// about skipped tests.
fn run(checkout: &NewcomerCheckout, program: &TestProgram, skipped: &mut Vec<String>) -> Result<bool> {
    let mut command = checkout.command(program);
    let mut child = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", program.file.display()))?;
    let stderr = BufReader::new(child.stderr.take().context("BUG: it has no standard error")?);
    for line in stderr.split(b'\n') {
        let line = line.context("cannot read what the tests say")?;
        let mut own = std::io::stderr().lock();
        own.write_all(&line).and_then(|()| own.write_all(b"\n")).context("cannot write to standard error")?;
        let line = String::from_utf8_lossy(&line);
        if line.contains(SKIPPED) {
            skipped.push(line.into_owned());
        }
    }
    Ok(child.wait().context("cannot wait for the tests")?.success())
}

fn list(skipped: &[String]) -> String {
    let mut lines = skipped.to_vec();
    lines.sort();
    lines
        .iter()
        .fold(format!("{} tests were skipped\n", skipped.len()), |text, line| text + "  " + line + "\n")
}

fn is_expected(line: &str) -> bool {
    let reason = line.split_once(SKIPPED).map_or("", |(_, reason)| reason.trim());
    reason == NO_MEMORY_CGROUP || MAY_BE_MISSING.iter().any(|need| need.reason() == reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_bare_debian_lacks_may_be_missing() {
        let line = |reason: &str| format!("a::b: {SKIPPED} {reason}");
        for need in MAY_BE_MISSING {
            assert!(is_expected(&line(need.reason())), "{need:?}");
        }
        assert!(!is_expected(&line("it is Monday")));
        assert!(!is_expected("no such line"));
    }

    #[test]
    fn what_was_skipped_is_counted_and_listed() {
        let skipped = ["b: skipped".to_owned(), "a: skipped".to_owned()];
        assert_eq!(list(&skipped), "2 tests were skipped\n  a: skipped\n  b: skipped\n");
    }
}
