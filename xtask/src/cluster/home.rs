//! The cluster's folder, with its configuration, its state and its logs.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// A socket's address has room for 108 bytes, of which the last is zero (unix(7)).
const LONGEST_SOCKET: usize = 107;

/// The folder for clusters that single tests start.
const OTHERS: &str = "own";

/// A cluster's folder.
#[derive(Clone)]
pub(crate) struct Home(PathBuf);

impl Home {
    /// Creates the folder if there is none.
    pub(crate) fn make(folder: &Path) -> Result<Home> {
        for part in ["munge", "state", "spool", "log"] {
            let part = folder.join(part);
            fs::create_dir_all(&part).with_context(|| format!("can't make {}", part.display()))?;
        }
        for shared in [folder, &folder.join("munge")] {
            // Jobs of any user need the socket for their credentials.
            fs::set_permissions(shared, Permissions::from_mode(0o755))
                .with_context(|| format!("can't open {} to all users", shared.display()))?;
        }
        let home = Home::canonical(folder)?;
        let socket = home.socket();
        let length = socket.as_os_str().len();
        ensure!(
            length <= LONGEST_SOCKET,
            "{} is too long for a socket by {} bytes: choose a shorter folder with --root",
            socket.display(),
            length - LONGEST_SOCKET
        );
        Ok(home)
    }

    /// Finds the folder of a cluster that was started before.
    pub(crate) fn find(folder: &Path) -> Result<Home> {
        let home = Home::canonical(folder)?;
        ensure!(
            home.configuration().exists(),
            "{} holds no cluster: `cargo xtask cluster start` makes one there",
            folder.display()
        );
        Ok(home)
    }

    /// Without symbolic links, because paths of processes are compared with it.
    fn canonical(folder: &Path) -> Result<Home> {
        let folder = folder.canonicalize();
        Ok(Home(folder.context("no cluster: `cargo xtask cluster start` makes one")?))
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The clusters of single tests in this folder, which end with it.
    pub(crate) fn others(&self) -> Vec<Home> {
        let folders = fs::read_dir(self.file(OTHERS)).into_iter().flatten().flatten();
        folders.filter_map(|folder| Home::find(&folder.path()).ok()).collect()
    }

    pub(crate) fn configuration(&self) -> PathBuf {
        self.file("slurm.conf")
    }

    /// The configuration's path, quoted for a shell.
    pub(crate) fn quoted_configuration(&self) -> String {
        format!("'{}'", self.configuration().display().to_string().replace('\'', r"'\''"))
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.file("munge/socket")
    }

    pub(crate) fn log(&self, daemon: &str) -> PathBuf {
        self.file(&format!("log/{daemon}.log"))
    }

    /// One of Slurm's commands for this cluster, with a time limit: most wait for a controller that doesn't
    /// answer.
    pub(crate) fn ask(&self, line: &str) -> Command {
        let mut command = Command::new("timeout");
        command.arg("15").args(line.split(' ')).env("SLURM_CONF", self.configuration());
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_quoted_as_a_shell_reads_it() {
        let home = Home(PathBuf::from("/tmp/it's here"));
        assert_eq!(home.quoted_configuration(), r"'/tmp/it'\''s here/slurm.conf'");
    }

    #[test]
    fn a_folder_too_deep_for_a_socket_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let error = Home::make(&folder.path().join("d".repeat(100))).err().unwrap().to_string();
        assert!(error.contains("ddd") && error.contains("--root"), "{error}");
    }

    #[test]
    fn where_nothing_was_started_there_is_no_cluster() {
        let folder = tempfile::tempdir().unwrap();
        let error = Home::find(folder.path()).err().unwrap().to_string();
        assert!(error.contains("cluster start"), "{error}");
    }
}
