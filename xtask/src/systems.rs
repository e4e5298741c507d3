//! The check of core's types for systems that are not this one: macOS and FreeBSD. Nothing is linked or run.
//! It installs nothing: `.ci/run` does that, and where the sources of the standard library are missing it says so.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::shell;
use crate::verdict::Verdict;

const CARGO: &str = "/usr/bin/cargo";
const COMPILER: &str = "/usr/bin/rustc";
const TARGETS: [&str; 2] = ["aarch64-apple-darwin", "x86_64-unknown-freebsd"];

/// Checks core with Debian's compiler, which comes with the sources of its own standard library: for these systems
/// Debian has none that is built.
pub(crate) fn check(root: &Path) -> Result<Verdict> {
    if let Err(reason) = sources(root) {
        println!(
            "systems: NOT CHECKED: {reason}; on Debian, as root: apt-get install rust-web-src=V, V as of rustc-web"
        );
        return Ok(Verdict::NotChecked);
    }
    for target in TARGETS {
        let line =
            format!("check -Zbuild-std=std,panic_abort --target {target} --package procpool-core --lib");
        let mut command = shell::command(root, CARGO, &line);
        // A directory of its own: two compilers in one would throw away each other's work.
        command.arg("--target-dir").arg(shell::target_directory(root)?.join("systems"));
        command.env("RUSTC", COMPILER).env("RUSTC_BOOTSTRAP", "1");
        // `cargo run` put its own toolchain's libraries here: not for another compiler.
        command.env_remove("LD_LIBRARY_PATH");
        shell::show(&mut command)?;
    }
    Ok(Verdict::Checked)
}

/// Where the sources of the compiler's own standard library are.
fn sources(root: &Path) -> Result<PathBuf, String> {
    let mut command = shell::command(root, COMPILER, "--print sysroot");
    command.env_remove("LD_LIBRARY_PATH");
    let sysroot = shell::read(&mut command).map_err(|_| format!("there is no {COMPILER}"))?;
    let library = Path::new(sysroot.trim_end()).join("lib/rustlib/src/rust/library");
    // What Debian leaves there without its sources is a link to nowhere.
    if library.join("std/src/lib.rs").exists() && Path::new(CARGO).exists() {
        Ok(library)
    } else {
        Err(format!("no {CARGO}, or no sources in {}", library.display()))
    }
}
