//! Builds virtual machines: the files that all of them share, and a folder for each one's own. Installs and
//! fetches what is missing for that.

use std::env::consts::ARCH;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::debian::{self, RequiredProgram};
use crate::vm::kernel::Kernel;
use crate::vm::machine::{Boot, Machine};
use crate::vm::userland::Userland;
use crate::{built, shell};

/// How many machines run at a time: more than processors would only wait for each other.
pub(crate) const LANES: usize = 2;

/// The programs that this machine needs.
const PROGRAMS: [RequiredProgram; 5] = [
    RequiredProgram { program: "qemu-system-x86_64", package: "qemu-system-x86" },
    RequiredProgram { program: "busybox", package: "busybox-static" },
    RequiredProgram { program: "mkfs.ext4", package: "e2fsprogs" },
    RequiredProgram { program: "setpriv", package: "util-linux" },
    RequiredProgram { program: "strip", package: "binutils" },
];

/// What machines are built from.
pub(crate) struct Materials {
    kernel: Kernel,
    cache: PathBuf,
}

/// Starts machines, and has a folder for their files.
pub(crate) struct MachineBuilder {
    kernel: Kernel,
    userland: Userland,
    scratch: TempDir,
}

impl Materials {
    /// # Errors
    /// This machine lacks something and it can't be installed.
    pub(crate) fn get(root: &Path) -> Result<Materials> {
        ensure!(ARCH == "x86_64", "the kernel is one for x86_64, and this machine is {ARCH}");
        debian::install_missing(&PROGRAMS)?;
        let cache = shell::target_directory(root)?.join("vm");
        fs::create_dir_all(&cache).with_context(|| format!("can't make {}", cache.display()))?;
        Ok(Materials { kernel: Kernel::get(&cache)?, cache })
    }

    /// Prepares machines with this procpool, or with that of the workspace.
    pub(crate) fn prepare(self, root: &Path, procpool: Option<&Path>) -> Result<MachineBuilder> {
        let procpool = procpool.map_or_else(|| built::procpool(root), |path| Ok(path.to_owned()))?;
        let Materials { kernel, cache } = self;
        let scratch = cache.join("scratch");
        fs::create_dir_all(&scratch)?;
        remove_old(&scratch);
        let scratch = tempfile::Builder::new().prefix(&prefix()).tempdir_in(scratch)?;
        let userland = Userland::collect(&procpool, &kernel, scratch.path())?;
        Ok(MachineBuilder { kernel, userland, scratch })
    }
}

impl MachineBuilder {
    /// The path of a file in its folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Starts a machine that runs `script`. Names must be unique among running machines.
    pub(crate) fn start(&self, name: &str, script: &str, disks: &[PathBuf]) -> Result<Machine> {
        Machine::start(Boot {
            image: &self.kernel.image,
            archive: &self.userland.with_script(script),
            disks,
            scratch: self.file(&format!("{name}.cpio")),
        })
    }
}

fn prefix() -> String {
    format!("{}-", std::process::id())
}

/// Removes folders of earlier processes that were killed.
fn remove_old(scratch: &Path) {
    for entry in fs::read_dir(scratch).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.split_once('-'));
        if owner.is_some_and(|(owner, _)| !Path::new("/proc").join(owner).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
