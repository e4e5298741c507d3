//! A disk for a virtual machine: a file with ext4 on it.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{debian, shell};

/// Room for a list, its records and its outputs. The file is sparse.
const SIZE: u64 = 64 << 20;

/// Makes a new disk.
pub(crate) fn make(file: &Path) -> Result<()> {
    let made = File::create(file).and_then(|file| file.set_len(SIZE));
    made.with_context(|| format!("can't make {}", file.display()))?;
    let mkfs = debian::find("mkfs.ext4").context("no mkfs.ext4")?;
    shell::read(Command::new(mkfs).arg("-q").arg(file)).map(|_| ())
}
