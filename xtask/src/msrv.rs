//! `cargo check` with the oldest supported compiler. It installs nothing: its error says how to, and
//! `.ci/run` does it.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, bail};

use crate::shell;
use crate::verdict::Verdict;

const SYSTEM_CARGO: &str = "/usr/bin/cargo";
const SYSTEM_COMPILER: &str = "/usr/bin/rustc";

/// The toolchain that was found.
enum Toolchain {
    Rustup { name: String },
    System,
}

/// Checks all libraries and binaries with the toolchain that `rust-version` names.
pub(crate) fn check(root: &Path) -> Result<Verdict> {
    let manifest = root.join("Cargo.toml");
    let text =
        fs::read_to_string(&manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
    let version = rust_version(&text).with_context(|| format!("in {}", manifest.display()))?;

    let Some(toolchain) = find(root, &version) else {
        return missing(&version, env::var("PROCPOOL_MSRV").ok().as_deref());
    };
    let mut command = toolchain.cargo(root);
    command.args(["check", "--workspace", "--lib", "--bins", "--locked", "--target-dir"]);
    // A target directory of its own, because two compilers in one discard each other's work.
    command.arg(shell::target_directory(root)?.join("msrv"));
    shell::show(&mut command)?;
    Ok(Verdict::Checked)
}

fn rust_version(manifest: &str) -> Result<String> {
    let manifest: toml::Table = manifest.parse()?;
    let workspace = manifest.get("workspace");
    let version = workspace.and_then(|it| it.get("package")?.get("rust-version")?.as_str());
    Ok(version.context("no workspace.package.rust-version")?.to_owned())
}

fn find(root: &Path, version: &str) -> Option<Toolchain> {
    // Without rustup the toolchain is looked for elsewhere.
    let installed = shell::read(&mut shell::command(root, "rustup", "toolchain list")).unwrap_or_default();
    if let Some(name) = in_rustup_list(&installed, version) {
        return Some(Toolchain::Rustup { name: name.to_owned() });
    }
    let is_version = |program| {
        let printed = shell::read(&mut shell::command(root, program, "--version"));
        printed.is_ok_and(|printed| is_release_of(printed.split_whitespace().nth(1).unwrap_or(""), version))
    };
    (is_version(SYSTEM_CARGO) && is_version(SYSTEM_COMPILER)).then_some(Toolchain::System)
}

/// The toolchain of `version` in the output of `rustup toolchain list`.
fn in_rustup_list<'list>(list: &'list str, version: &str) -> Option<&'list str> {
    let names = list.lines().filter_map(|line| line.split_whitespace().next());
    names.into_iter().find(|name| {
        let release = name.split('-').next().unwrap_or(name);
        is_release_of(release, version)
    })
}

/// 1.85 and 1.85.1 are releases of 1.85; 1.8 and 1.850 are not.
fn is_release_of(release: &str, version: &str) -> bool {
    release.strip_prefix(version).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

impl Toolchain {
    fn cargo(&self, root: &Path) -> Command {
        match self {
            Toolchain::Rustup { name } => shell::command(root, "rustup", &format!("run {name} cargo")),
            Toolchain::System => {
                let mut command = shell::command(root, SYSTEM_CARGO, "");
                command.env("RUSTC", SYSTEM_COMPILER);
                // `cargo run` sets this to its own toolchain's libraries, which another compiler must not
                // load.
                command.env_remove("LD_LIBRARY_PATH");
                command
            }
        }
    }
}

/// Fails, unless `.ci/run` says that there was nothing to install.
fn missing(version: &str, permission: Option<&str>) -> Result<Verdict> {
    if permission == Some("skip") {
        println!("msrv: NOT CHECKED: no Rust {version} here, none to install (PROCPOOL_MSRV=skip)");
        return Ok(Verdict::NotChecked);
    }
    bail!(
        "no Rust {version} here, neither in rustup nor as {SYSTEM_CARGO} with {SYSTEM_COMPILER}\n\
         install it with `rustup toolchain install {version} --profile minimal`\n\
         or on Debian, as root, with `apt-get install rustc-web=V cargo-web=V libstd-rust-web-dev=V`\n\
         where V is what `apt-cache madison rustc-web` lists, such as 1.85.0+dfsg3-1~deb12u3"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "stable-x86_64-unknown-linux-gnu (active, default)\n1.85.1-x86_64-unknown-linux-gnu\n";

    #[test]
    fn the_version_is_the_one_of_the_workspace() {
        let manifest = "[workspace.package]\nrust-version = \"1.85\"\n[package]\nrust-version = \"1.2\"\n";
        assert_eq!(rust_version(manifest).unwrap(), "1.85");
        assert!(rust_version("[workspace]\n").is_err());
    }

    #[test]
    fn a_patch_release_in_rustup_will_do() {
        assert_eq!(in_rustup_list(LIST, "1.85"), Some("1.85.1-x86_64-unknown-linux-gnu"));
    }

    #[test]
    fn another_version_will_not_do() {
        assert_eq!(in_rustup_list(LIST, "1.8"), None);
        assert_eq!(in_rustup_list(LIST, "1.86"), None);
        assert_eq!(in_rustup_list("no installed toolchains\n", "1.85"), None);
        assert!(!is_release_of("1.850.0", "1.85"));
    }

    #[test]
    fn a_missing_toolchain_fails_and_says_how_to_get_it() {
        let error = missing("1.85", None).unwrap_err().to_string();
        assert!(error.contains("rustup toolchain install 1.85"), "{error}");
        assert!(error.contains("apt-get install rustc-web"), "{error}");
        assert!(missing("1.85", Some("yes")).is_err());
    }

    #[test]
    fn a_missing_toolchain_passes_only_as_not_checked() {
        assert!(matches!(missing("1.85", Some("skip")).unwrap(), Verdict::NotChecked));
    }
}
