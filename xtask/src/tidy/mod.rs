//! What no compiler checks, over all files of the repository; prints every finding, then fails.
//! It does not know any rule: each has its file.

mod cycles;
mod dependencies;
mod headers;
mod help;
mod modules;
mod outline;
mod size;
mod text;
mod tree;

use std::path::Path;

use anyhow::{Result, bail};

pub(crate) use self::help::Help;

/// Runs all checks on the workspace at `root`.
pub(crate) fn run(root: &Path, help: Help) -> Result<()> {
    let files = tree::load(root)?;
    // What needs no build comes first, so that it is seen even while something does not compile.
    let count = report("import cycles", &modules::check(&files)?)
        + report("file sizes", &size::check(&files))
        + report("file headers", &headers::check(&files))
        + report("text", &text::check(&files))
        + report("dependencies of procpool-core", &dependencies::check(root)?)
        + report("README's help text", &help::check(root, &files, help)?);
    if count > 0 {
        bail!("tidy found {count} to put right");
    }
    Ok(())
}

/// Prints the findings of a check and returns how many there are.
fn report(check: &str, findings: &[tree::Finding]) -> usize {
    println!("tidy: {check}: {}", if findings.is_empty() { "ok" } else { "NOT OK" });
    for finding in findings {
        println!("{finding}");
    }
    findings.len()
}
