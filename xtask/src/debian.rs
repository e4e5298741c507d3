//! Programs that a subcommand needs: finds them, and installs what is missing with Debian's package
//! manager.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// The folders of programs for administrators, which are not in every PATH.
const FOR_ADMINISTRATORS: [&str; 2] = ["/usr/sbin", "/sbin"];

/// A program and its package.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequiredProgram {
    pub(crate) program: &'static str,
    pub(crate) package: &'static str,
}

/// Installs what is missing.
pub(crate) fn install_missing(wanted: &[RequiredProgram]) -> Result<()> {
    let missing = missing(wanted);
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    if find("apt-get").is_none() {
        bail!("something is missing here: install what Debian calls {names}");
    }
    eprintln!("installing {names}");
    // Old package lists name files that are gone; then the lists are fetched again.
    let is_done = install(&missing)? || (update()? && install(&missing)?);
    ensure!(is_done, "Debian's package manager can't install {names}: what it said stands above");
    match self::missing(wanted) {
        left if left.is_empty() => Ok(()),
        left => bail!("{} is installed, and its programs aren't on PATH", left.join(" ")),
    }
}

/// The packages of the programs that can't be found.
pub(crate) fn missing(wanted: &[RequiredProgram]) -> Vec<&'static str> {
    let missing = wanted.iter().filter(|wanted| find(wanted.program).is_none());
    missing.map(|wanted| wanted.package).collect()
}

/// The path of a program.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(FOR_ADMINISTRATORS.map(PathBuf::from));
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Fetches the package lists.
pub(crate) fn update() -> Result<bool> {
    apt_get(&["update", "--error-on=any"])
}

fn install(packages: &[&str]) -> Result<bool> {
    apt_get(&[&["install", "--quiet", "--yes", "--no-install-recommends"], packages].concat())
}

fn apt_get(words: &[&str]) -> Result<bool> {
    let mut command = Command::new("apt-get");
    command.args(["-o", "DPkg::Lock::Timeout=300"]).args(words).env("DEBIAN_FRONTEND", "noninteractive");
    // Nothing to standard output, which a shell may evaluate.
    let output = command.stdin(Stdio::null()).output().context("can't start apt-get")?;
    if !output.status.success() {
        eprint!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    Ok(output.status.success())
}
