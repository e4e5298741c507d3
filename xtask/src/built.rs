//! Builds the command `procpool` for the subcommands that run it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::shell;

/// The command, built in the profile of the sleeper, and beside it.
pub(crate) fn procpool(root: &Path) -> Result<PathBuf> {
    let sleeper = sleeper::binary();
    let folder = sleeper.parent().context("BUG: a binary in no folder")?;
    let profile = folder.file_name().filter(|profile| *profile != "debug").unwrap_or(OsStr::new("dev"));
    let target = folder.parent().context("BUG: a profile in no folder")?;
    let mut build = shell::cargo(root, "build --quiet --locked --package procpool-cli");
    shell::show(build.arg("--profile").arg(profile).arg("--target-dir").arg(target))?;
    Ok(folder.join("procpool"))
}
