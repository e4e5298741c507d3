//! Checks core's types for other systems, macOS and FreeBSD. Nothing is linked or run. It installs nothing:
//! `.ci/run` does that, and where the sources of the standard library are missing the step says so.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::shell;
use crate::verdict::Verdict;

const CARGO: &str = "/usr/bin/cargo";
const COMPILER: &str = "/usr/bin/rustc";
const TARGETS: [&str; 2] = ["aarch64-apple-darwin", "x86_64-unknown-freebsd"];

/// Checks core with Debian's compiler, which comes with the sources of its standard library: Debian has no
/// built one for these systems.
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
        // A target directory of its own, because two compilers in one discard each other's work.
        command.arg("--target-dir").arg(shell::target_directory(root)?.join("systems"));
        command.env("RUSTC", COMPILER).env("RUSTC_BOOTSTRAP", "1");
        // `cargo run` sets this to its own toolchain's libraries, which another compiler must not load.
        command.env_remove("LD_LIBRARY_PATH");
        shell::show(&mut command)?;
    }
    Ok(Verdict::Checked)
}

/// The sources of the compiler's standard library.
fn sources(root: &Path) -> Result<PathBuf, String> {
    let mut command = shell::command(root, COMPILER, "--print sysroot");
    command.env_remove("LD_LIBRARY_PATH");
    let sysroot = shell::read(&mut command).map_err(|_| format!("there is no {COMPILER}"))?;
    let library = Path::new(sysroot.trim_end()).join("lib/rustlib/src/rust/library");
    // Without the package of the sources this is a dangling link.
    if library.join("std/src/lib.rs").exists() && Path::new(CARGO).exists() {
        Ok(library)
    } else {
        Err(format!("no {CARGO}, or no sources in {}", library.display()))
    }
}
