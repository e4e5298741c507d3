//! Where machines are made: the files that all of them have, and a folder for what each has for itself.
//! Installs and fetches what is missing for that.

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

/// What this machine has to have.
const PROGRAMS: [RequiredProgram; 5] = [
    RequiredProgram { program: "qemu-system-x86_64", package: "qemu-system-x86" },
    RequiredProgram { program: "busybox", package: "busybox-static" },
    RequiredProgram { program: "mkfs.ext4", package: "e2fsprogs" },
    RequiredProgram { program: "setpriv", package: "util-linux" },
    RequiredProgram { program: "strip", package: "binutils" },
];

/// What machines are made of.
pub(crate) struct Materials {
    kernel: Kernel,
    cache: PathBuf,
}

/// A place where they are made.
pub(crate) struct MachineBuilder {
    kernel: Kernel,
    userland: Userland,
    scratch: TempDir,
}

impl Materials {
    /// # Errors
    /// Where this machine lacks something and it can't be had.
    pub(crate) fn get(root: &Path) -> Result<Materials> {
        ensure!(ARCH == "x86_64", "the kernel is one for x86_64, and this machine is {ARCH}");
        debian::install_missing(&PROGRAMS)?;
        let cache = shell::target_directory(root)?.join("vm");
        fs::create_dir_all(&cache).with_context(|| format!("can't make {}", cache.display()))?;
        Ok(Materials { kernel: Kernel::get(&cache)?, cache })
    }

    /// Makes it ready for this procpool, or for that of this workspace.
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
    /// A file of this name, for as long as the workshop is there.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Starts a machine that runs `script`. No two at a time have the same name.
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

/// Removes folders of processes that were killed.
fn remove_old(scratch: &Path) {
    for entry in fs::read_dir(scratch).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.split_once('-'));
        if owner.is_some_and(|(owner, _)| !Path::new("/proc").join(owner).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
