//! What is built for the fences: the fence itself, to be preloaded or to be run, and a job that it doesn't concern.
//! They are in C (`c/`), because they must be nothing but a few system calls.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::fences::call::{Numbers, numbers_in};
use crate::shell;

pub(crate) struct Tools {
    /// Preloaded: the fence goes up at procpool's own first step.
    pub(crate) preload: PathBuf,
    /// Run with a program as its arguments: the fence is there before the loader.
    pub(crate) fence: PathBuf,
    pub(crate) job: PathBuf,
    pub(crate) numbers: Numbers,
}

impl Tools {
    /// Builds them into `folder`.
    pub(crate) fn build(folder: &Path) -> Result<Tools> {
        fs::write(folder.join("fence.c"), include_str!("c/fence.c"))?;
        fs::write(folder.join("job.c"), include_str!("c/job.c"))?;
        for line in [
            "-O1 -Wall -shared -fPIC -o fence.so fence.c -ldl",
            "-O1 -Wall -DALONE -o fence fence.c -ldl",
            "-O1 -Wall -static -nostdlib -ffreestanding -fno-stack-protector -o job job.c",
        ] {
            shell::read(&mut shell::command(folder, "cc", line))
                .context("fences need a C compiler (Debian: gcc, libc6-dev)")?;
        }
        let defines = shell::read(Command::new("cc").args([
            "-E",
            "-dM",
            "-include",
            "sys/syscall.h",
            "-xc",
            "/dev/null",
        ]))?;
        Ok(Tools {
            preload: folder.join("fence.so"),
            fence: folder.join("fence"),
            job: folder.join("job"),
            numbers: numbers_in(&defines),
        })
    }
}
