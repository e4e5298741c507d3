//! Debian's kernel for virtual machines in a cloud, unpacked and not installed. It lacks only the modules
//! for a disk: ext4, memory cgroups and the serial line are built in.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{debian, shell};

/// The package that depends on the newest kernel.
const PACKAGE: &str = "linux-image-cloud-amd64";

/// The modules for a disk, each after those that it needs.
const MODULES: [&str; 6] =
    ["virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "virtio_blk"];

/// A kernel's files.
pub(crate) struct Kernel {
    pub(crate) image: PathBuf,
    /// In the order in which they must be loaded.
    pub(crate) modules: Vec<PathBuf>,
}

impl Kernel {
    /// The kernel in `cache`, which is fetched if there is none.
    pub(crate) fn get(cache: &Path) -> Result<Kernel> {
        let folder = cache.join("kernel");
        if !folder.exists() {
            let fresh = cache.join("kernel-unpacked");
            fetch(&fresh).context("no kernel")?;
            // Renamed as a whole.
            fs::rename(&fresh, &folder).context("the kernel can't be kept")?;
        }
        let image = find(&folder.join("boot"), &|name| name.starts_with("vmlinuz-"))?;
        let modules = MODULES.iter().map(|module| {
            let file = format!("{module}.ko");
            find(&folder.join("lib/modules"), &|name| name == file)
        });
        Ok(Kernel { image, modules: modules.collect::<Result<_>>()? })
    }
}

fn fetch(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).context("what an earlier one left can't be removed")?;
    }
    fs::create_dir_all(folder)?;
    if let Err(error) = download(folder) {
        // The package lists are old or missing.
        ensure!(debian::update()?, "{error:#}");
        download(folder)?;
    }
    let package = find(folder, &|name| Path::new(name).extension() == Some(OsStr::new("deb")))?;
    shell::read(Command::new("dpkg-deb").arg("--extract").arg(&package).arg(folder))?;
    fs::remove_file(package).context("the package can't be removed")
}

fn download(folder: &Path) -> Result<()> {
    let about = shell::read(Command::new("apt-cache").args(["depends", PACKAGE]))?;
    let package = newest(&about).with_context(|| format!("{PACKAGE} names no kernel"))?;
    println!("fetching {package}");
    // apt would switch to a user who can't write to this folder.
    let line = format!("download --quiet --option APT::Sandbox::User=root {package}");
    shell::read(&mut shell::command(folder, "apt-get", &line))?;
    Ok(())
}

/// The package that the one without a version depends on.
fn newest(about: &str) -> Option<&str> {
    let names = about.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
    names.into_iter().find(|name| name.starts_with("linux-image-"))
}

/// The first file below `folder` whose name matches.
fn find(folder: &Path, is_meant: &dyn Fn(&str) -> bool) -> Result<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("can't read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else if path.file_name().and_then(OsStr::to_str).is_some_and(is_meant) {
                return Ok(path);
            }
        }
    }
    anyhow::bail!(
        "the kernel in {} lacks a file; remove the folder, and it is fetched anew",
        folder.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_the_one_that_the_package_without_a_version_depends_on() {
        let about = "linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-56-cloud-amd64\n  Suggests: x\n";
        assert_eq!(newest(about), Some("linux-image-6.1.0-56-cloud-amd64"));
        assert_eq!(newest("linux-image-cloud-amd64\n"), None);
    }
}
