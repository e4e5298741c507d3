//! What is on a machine: busybox, the procpool that is tried, their libraries, the kernel's modules, an init.
//! What differs from start to start comes behind it: the script that init reads.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::vm::archive::Archive;
use crate::vm::kernel::Kernel;
use crate::vm::libraries;
use crate::{debian, shell};

/// The first process: mounts, loads, and reads `/script` itself, so that `exec` there makes a program the first process.
const INIT: &str = include_str!("scripts/init.sh");

/// A machine's files, but for the script.
pub(crate) struct Userland(Archive);

impl Userland {
    /// Collects them; `scratch` is a folder for files of a moment.
    pub(crate) fn collect(procpool: &Path, kernel: &Kernel, scratch: &Path) -> Result<Userland> {
        let mut archive = Archive::default();
        for folder in ["bin", "dev", "etc", "proc", "sys", "tmp", "disk", "stamps"] {
            archive.folder(folder);
        }
        // Before /dev is mounted, init writes to it.
        archive.device("dev/console", (5, 1));
        let busybox = debian::find("busybox").context("no busybox")?;
        // Most of a program that was not made for speed is for debuggers.
        let stripped = scratch.join("procpool");
        shell::read(Command::new("strip").arg("-o").arg(&stripped).arg(procpool))?;
        for (name, program) in [("busybox", &*busybox), ("procpool", &stripped)] {
            archive.file(&format!("bin/{name}"), &read(program)?);
            for library in libraries::of(program)? {
                archive.file(library.to_string_lossy().trim_start_matches('/'), &read(&library)?);
            }
        }
        for (number, module) in kernel.modules.iter().enumerate() {
            archive.file(&format!("modules/{number}.ko"), &read(module)?);
        }
        archive.file("etc/passwd", b"root:x:0:0:root:/:/bin/sh\n");
        archive.file("init", INIT.as_bytes());
        Ok(Userland(archive))
    }

    /// All that a machine needs to run `script`.
    pub(crate) fn with_script(&self, script: &str) -> Vec<u8> {
        let mut archive = self.0.clone();
        archive.file("script", script.as_bytes());
        archive.finish()
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("can't read {}", file.display()))
}
