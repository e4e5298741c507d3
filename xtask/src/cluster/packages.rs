//! The programs of which a cluster consists: looked for, and installed where they are missing.
//! It does not know what they do.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// A program of each package that is wanted.
const PROGRAMS: [(&str, &str); 4] =
    [("slurmctld", "slurmctld"), ("slurmd", "slurmd"), ("sbatch", "slurm-client"), ("munged", "munge")];

/// Makes sure that all is there.
pub(crate) fn install_missing() -> Result<()> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    let wanted = missing.join(" ");
    if find("apt-get").is_none() {
        bail!("no Slurm here: install what Debian calls {wanted}");
    }
    eprintln!("installing {wanted}");
    // Lists that are old name files that are gone: then new lists are fetched.
    let is_done = install(&missing)? || (apt_get(&["update", "--error-on=any"])? && install(&missing)?);
    ensure!(is_done, "Debian's package manager can't install {wanted}: what it said stands above");
    match self::missing() {
        left if left.is_empty() => Ok(()),
        left => bail!("{} is installed, and its programs aren't on PATH", left.join(" ")),
    }
}

/// The packages whose programs can't be found.
pub(crate) fn missing() -> Vec<&'static str> {
    let missing = PROGRAMS.into_iter().filter(|(program, _)| find(program).is_none());
    missing.map(|(_, package)| package).collect()
}

fn find(program: &str) -> Option<()> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).any(|folder| Path::new(&folder).join(program).is_file()).then_some(())
}

fn install(packages: &[&str]) -> Result<bool> {
    apt_get(&[&["install", "--quiet", "--yes", "--no-install-recommends"], packages].concat())
}

fn apt_get(words: &[&str]) -> Result<bool> {
    let mut command = Command::new("apt-get");
    command.args(["-o", "DPkg::Lock::Timeout=300"]).args(words).env("DEBIAN_FRONTEND", "noninteractive");
    // Standard output is for the shell that is going to use the cluster.
    let output = command.stdin(Stdio::null()).output().context("can't start apt-get")?;
    if !output.status.success() {
        eprint!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    Ok(output.status.success())
}
