//! A copy of the checkout and of what was built, which belongs to the user, and a PATH without the tools
//! that a bare Debian lacks.
//!
//! The programs contain the paths at which they were built, which may be closed to others. So root mounts
//! the copy in the same place, in a mount namespace (`enter.sh`). Without root the user is an ordinary one
//! already, with a checkout of his own.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use rustix::process::geteuid;

use super::programs::TestProgram;
use crate::shell;

/// The user as whom root runs the tests; `.ci/run` creates it.
const USER: &str = "newcomer";

/// Tools that must not be found, by name or by the beginning of their names.
const ABSENT: [&str; 8] = ["strace", "sqlite3", "parallel", "xe", "cargo", "rustc", "mksh", "yash"];
const ABSENT_BEGIN: [&str; 10] =
    ["slurm", "munge", "sbatch", "squeue", "scancel", "scontrol", "sinfo", "strace-", "zsh", "ksh"];

/// As `nohup … &` in a script, in the folder in which cargo would run it.
const BACKGROUND: &str = "trap '' HUP INT QUIT; cd \"$1\" && exec \"$2\"";

pub(crate) struct NewcomerCheckout {
    folder: tempfile::TempDir,
    /// The folders over which their copies are mounted.
    places: Vec<PathBuf>,
}

impl NewcomerCheckout {
    pub(crate) fn new(root: &Path, programs: &[TestProgram]) -> Result<NewcomerCheckout> {
        // Not in TMPDIR, which may be closed to other users.
        let folder = tempfile::Builder::new().prefix("newcomer-").tempdir_in("/tmp")?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        fs::create_dir(folder.path().join("home"))?;
        fill_path(&folder.path().join("bin"))?;
        let mut checkout = NewcomerCheckout { folder, places: Vec::new() };
        if geteuid().is_root() {
            checkout.copy(root, programs)?;
        }
        Ok(checkout)
    }

    fn copy(&mut self, root: &Path, programs: &[TestProgram]) -> Result<()> {
        let target = shell::target_directory(root)?;
        self.places.push(root.to_path_buf());
        if !target.starts_with(root) {
            self.places.push(target.clone());
        }
        let checkout = self.of(root);
        fs::create_dir_all(&checkout)?;
        let pack = "tar --directory \"$1\" --exclude ./.git --exclude ./target --create . | tar --directory \"$2\" --extract";
        let unpack = Command::new("sh").args(["-c", pack, "sh"]).arg(root).arg(&checkout).status()?;
        ensure!(unpack.success(), "cannot copy {}", root.display());
        for program in programs {
            let copy = self.of(&program.file);
            fs::create_dir_all(copy.parent().context("BUG: a program in no folder")?)?;
            fs::copy(&program.file, &copy)
                .with_context(|| format!("cannot copy {}", program.file.display()))?;
        }
        let own = "chown -R \"$1:\" \"$2\" && chmod -R u=rwX,go=rX \"$2\"";
        let mut command = Command::new("sh");
        shell::read(command.args(["-c", own, "sh", USER]).arg(self.folder.path())).with_context(|| {
            format!("can't give files to the user {USER} (useradd {USER}, as .ci/run does)")
        })?;
        Ok(())
    }

    /// The path of a file's copy.
    fn of(&self, file: &Path) -> PathBuf {
        self.folder.path().join(file.strip_prefix("/").unwrap_or(file))
    }

    /// A command that runs a program as the newcomer.
    pub(crate) fn command(&self, program: &TestProgram) -> Command {
        let mut command = Command::new("setsid");
        command.arg("--wait");
        if !self.places.is_empty() {
            command.args(["unshare", "--mount", "sh", "-c", include_str!("enter.sh"), "sh"]);
            command.arg(self.folder.path()).args(&self.places).arg("--");
            command.args(["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups"]);
        }
        command.args(["env", "-i"]).arg(self.variable("HOME", "home")).arg(self.variable("PATH", "bin"));
        command.args(["sh", "-c", BACKGROUND, "sh"]).arg(&program.folder).arg(&program.file);
        command
    }

    fn variable(&self, name: &str, folder: &str) -> OsString {
        let mut variable = OsString::from(format!("{name}="));
        variable.push(self.folder.path().join(folder));
        variable
    }
}

/// Fills a folder with links to all tools of the system except those.
fn fill_path(folder: &Path) -> Result<()> {
    fs::create_dir(folder)?;
    for system in ["/usr/bin", "/usr/sbin", "/bin", "/sbin"] {
        for tool in fs::read_dir(system).with_context(|| format!("cannot read {system}"))? {
            let tool = tool?;
            if is_there(&tool.file_name()) {
                // As in any PATH, the first one of a name counts.
                let _ = symlink(tool.path(), folder.join(tool.file_name()));
            }
        }
    }
    Ok(())
}

fn is_there(tool: &OsStr) -> bool {
    let name = tool.as_bytes();
    !ABSENT.iter().any(|absent| name == absent.as_bytes())
        && !ABSENT_BEGIN.iter().any(|begin| name.starts_with(begin.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newcomer_has_the_tools_of_a_bare_debian_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bin");
        fill_path(&path).unwrap();
        for tool in ["sh", "env", "unshare", "xargs"] {
            assert!(path.join(tool).exists(), "{tool}");
        }
        for tool in ["strace", "sqlite3", "parallel", "xe", "sbatch", "slurmctld", "munged"] {
            assert!(!path.join(tool).is_symlink(), "{tool}");
        }
    }
}
