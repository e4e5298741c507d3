//! What no compiler checks, over all files of the repository; prints every finding, then fails.

mod cycles;
mod dependencies;
mod headers;
mod help;
mod import_cycles;
mod layers;
mod map;
mod modules;
mod outline;
mod page;
mod size;
mod test_code;
mod text;
mod tree;
mod type_names;
mod workspace;

use std::path::Path;

use anyhow::{Result, bail};

pub(crate) use self::help::Help;

/// Runs all checks on the workspace at `root`.
pub(crate) fn run(root: &Path, help: Help) -> Result<()> {
    let files = tree::load(root)?;
    let sizes: Vec<_> = size::check(&files).into_iter().chain(size::check_median(&files)).collect();
    // What needs no build comes first, so that it is seen even while something does not compile.
    let count = report("import cycles", &import_cycles::check(&files)?)
        + report("layers", &layers::check(&files)?)
        + report("ARCHITECTURE.md", &page::check(&files))
        + report("paths in ARCHITECTURE.md", &map::check(&files))
        + report("type names", &type_names::check(&files)?)
        + report("file sizes", &sizes)
        + report("file headers", &headers::check(&files))
        + report("headers' denials", headers::check_denials(&files).as_slice())
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
