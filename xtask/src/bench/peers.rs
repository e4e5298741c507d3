//! The programs that procpool is measured against: how each is called, where it is, and which version it
//! has.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Result;
use serde::Serialize;

use crate::shell;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Xargs,
    Xe,
    RustParallel,
    Parallel,
}

/// A program's version, or how to install it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PeerVersion {
    pub(crate) name: &'static str,
    pub(crate) version: Result<String, String>,
}

/// Which of the programs are installed.
pub(crate) struct Peers {
    found: Vec<Peer>,
    pub(crate) versions: Vec<PeerVersion>,
}

impl Peer {
    pub(crate) const ALL: [Peer; 4] = [Peer::Xargs, Peer::Xe, Peer::RustParallel, Peer::Parallel];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Peer::Xargs => "xargs",
            Peer::Xe => "xe",
            Peer::RustParallel => "rust-parallel",
            Peer::Parallel => "GNU parallel",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Peer::Parallel => "parallel",
            _ => self.name(),
        }
    }

    /// Its command line to run `command` once for each line of standard input, `limit` at a time.
    pub(crate) fn line(self, limit: usize, command: &str) -> String {
        match self {
            Peer::Xargs => format!("xargs -P{limit} -n1 {command}"),
            _ => format!("{} -j{limit} {command}", self.program()),
        }
    }

    /// How many rounds it takes part in. GNU parallel takes tens of times as long as the others.
    pub(crate) fn rounds(self) -> Option<usize> {
        (self == Peer::Parallel).then_some(2)
    }

    fn advice(self) -> &'static str {
        match self {
            Peer::Xargs => "Debian's package is `findutils`",
            Peer::Xe => "Debian's package is `xe`",
            Peer::Parallel => "Debian's package is `parallel`",
            Peer::RustParallel => "`cargo xtask bench --install-peers` builds it",
        }
    }

    fn version(self, file: &Path) -> String {
        let first_line = |command: &mut Command| {
            let output = command.stdin(Stdio::null()).output().ok()?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            text.lines().next().filter(|line| !line.is_empty()).map(str::to_owned)
        };
        let version = match self {
            // xe has no option for its version.
            Peer::Xe => first_line(Command::new("dpkg-query").args(["--show", "xe"]))
                .map(|line| line.replace('\t', " ")),
            _ => first_line(Command::new(file).arg("--version")),
        };
        version.unwrap_or_else(|| format!("{}, version unknown", self.name()))
    }
}

impl Peers {
    /// Looks for the programs in `directories`.
    pub(crate) fn find(directories: &[PathBuf]) -> Peers {
        let mut peers = Peers { found: Vec::new(), versions: Vec::new() };
        for peer in Peer::ALL {
            let files = directories.iter().map(|directory| directory.join(peer.program()));
            let version = match files.into_iter().find(|file| file.is_file()) {
                Some(file) => {
                    peers.found.push(peer);
                    Ok(peer.version(&file))
                }
                None => Err(peer.advice().to_owned()),
            };
            peers.versions.push(PeerVersion { name: peer.name(), version });
        }
        peers
    }

    pub(crate) fn found(&self) -> impl Iterator<Item = Peer> {
        self.found.iter().copied()
    }

    pub(crate) fn has(&self, peer: Peer) -> bool {
        self.found.contains(&peer)
    }
}

/// Builds those that Debian doesn't package into `folder`.
pub(crate) fn install(root: &Path, folder: &Path) -> Result<()> {
    let mut cargo = shell::cargo(root, "install --quiet --locked rust-parallel --root");
    shell::show(cargo.arg(folder))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn each_is_called_with_the_limit_and_the_command() {
        assert_eq!(Peer::Xargs.line(8, "./noop"), "xargs -P8 -n1 ./noop");
        assert_eq!(Peer::Parallel.line(1, "./noop"), "parallel -j1 ./noop");
        assert_eq!(Peer::RustParallel.line(8, "./noop"), "rust-parallel -j8 ./noop");
    }

    #[test]
    fn who_is_missing_is_told_of_with_advice() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("xe"), "").unwrap();
        let peers = Peers::find(&[folder.path().to_path_buf()]);
        assert_eq!(peers.found().collect::<Vec<_>>(), [Peer::Xe]);
        assert!(!peers.has(Peer::Xargs));
        let missing: Vec<_> = peers.versions.iter().filter(|peer| peer.version.is_err()).collect();
        assert_eq!(missing.len(), 3);
        assert!(missing[1].version.as_ref().unwrap_err().contains("--install-peers"));
    }
}
