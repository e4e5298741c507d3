//! The files on a virtual machine: busybox, procpool, their libraries, the kernel's modules, an init. The
//! script that init runs is added for each start.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::vm::archive::Archive;
use crate::vm::kernel::Kernel;
use crate::vm::libraries;
use crate::{debian, shell};

/// The first process: mounts file systems, loads modules, and reads `/script` itself, so that `exec` there
/// makes a program the first process.
const INIT: &str = include_str!("scripts/init.sh");

/// A machine's files without the script.
pub(crate) struct Userland(Archive);

impl Userland {
    /// Collects the files; `scratch` is a folder for temporary ones.
    pub(crate) fn collect(procpool: &Path, kernel: &Kernel, scratch: &Path) -> Result<Userland> {
        let mut archive = Archive::default();
        for folder in ["bin", "dev", "etc", "proc", "sys", "tmp", "disk", "stamps"] {
            archive.folder(folder);
        }
        // init writes to it before /dev is mounted.
        archive.device("dev/console", (5, 1));
        let busybox = debian::find("busybox").context("no busybox")?;
        // Most of a debug build is debug information.
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

    /// The archive of a machine that runs `script`.
    pub(crate) fn with_script(&self, script: &str) -> Vec<u8> {
        let mut archive = self.0.clone();
        archive.file("script", script.as_bytes());
        archive.finish()
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("can't read {}", file.display()))
}
