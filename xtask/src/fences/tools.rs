//! Builds the tools of the fences: the fence itself, as a library to preload and as a program, and a job
//! that it doesn't affect. They are in C (`c/`), because they must make only a few system calls.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::fences::call::{Numbers, numbers_in};
use crate::shell;

pub(crate) struct Tools {
    /// To preload: the fence begins with procpool's own first call.
    pub(crate) preload: PathBuf,
    /// To run with a command as its arguments: the fence begins before the loader.
    pub(crate) fence: PathBuf,
    pub(crate) job: PathBuf,
    pub(crate) numbers: Numbers,
}

impl Tools {
    /// Builds the tools into `folder`.
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
