//! Finds the built programs of this package for the tests of other crates.
//!
//! cargo tells a test where the programs of its own package are, but not those of another one, and does not
//! even build those for `cargo test -p other`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::OnceLock;
use std::time::SystemTime;

/// The program `sleeper`, from the folder in which the calling test, example or xtask was built.
///
/// Built first if it is missing or older than its sources: `cargo test -p other` after a change here would
/// otherwise mix a new library with an old program.
///
/// ```
/// assert!(sleeper::binary().is_file());
/// ```
///
/// # Panics
/// If it can't be built.
#[must_use]
pub fn binary() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| up_to_date("sleeper")).clone()
}

/// The program `dead-mount`, from the same folder. It runs a command beside a file system that doesn't
/// answer.
///
/// # Panics
/// If it can't be built.
#[must_use]
pub fn dead_mount() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| up_to_date("dead-mount")).clone()
}

fn up_to_date(name: &str) -> PathBuf {
    let folder = profile_folder();
    let binary = folder.join(name);
    if changed(&binary) < newest_source() {
        build(&folder);
        assert!(binary.is_file(), "cargo did not build {}", binary.display());
    }
    binary
}

/// The folder `target/debug`, or wherever the caller was built.
fn profile_folder() -> PathBuf {
    let caller = env::current_exe().expect("the running test has no path");
    let mut folders = caller.ancestors().skip(1).take(2);
    if let Some(found) = folders.find(|folder| folder.join("deps").is_dir()) {
        return found.to_path_buf();
    }
    // A doctest lies in a folder of rustdoc, so the usual one is taken.
    let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| package().join("../../target"));
    target.join("debug")
}

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn newest_source() -> Option<SystemTime> {
    let sources = fs::read_dir(package().join("src")).ok()?;
    let files = sources.flatten().map(|entry| entry.path());
    files.filter_map(|file| changed(&file)).max()
}

fn changed(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).ok()?.modified().ok()
}

fn build(folder: &Path) {
    let profile = folder.file_name().filter(|name| *name != "debug");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", "sleeper"]);
    command.arg("--manifest-path");
    command.arg(package().join("Cargo.toml"));
    command.arg("--profile");
    command.arg(profile.unwrap_or("dev".as_ref()));
    // Given explicitly, because the caller may have been built with the option --target-dir.
    command.arg("--target-dir");
    command.arg(folder.parent().unwrap_or(folder));
    let status = command.status();
    assert!(
        status.as_ref().is_ok_and(ExitStatus::success),
        "can't build the test process: {command:?}: {status:?}"
    );
}
