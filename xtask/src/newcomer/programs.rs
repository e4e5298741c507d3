//! The programs that `cargo test` builds, from cargo's messages.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::shell;

/// A program of the workspace: a test, or a program that tests start.
#[derive(Debug)]
pub(crate) struct TestProgram {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    /// Where cargo would run it: its package's folder.
    pub(crate) folder: PathBuf,
    pub(crate) is_test: bool,
}

/// Builds them, and returns all.
pub(crate) fn built(root: &Path) -> Result<Vec<TestProgram>> {
    let line = "test --workspace --locked --no-run --message-format json";
    let told = shell::read(&mut shell::cargo(root, line))?;
    named(&told)
}

fn named(told: &str) -> Result<Vec<TestProgram>> {
    let mut programs = Vec::new();
    for line in told.lines() {
        let message: Message = serde_json::from_str(line).context("cargo says what is no message")?;
        let (Some(file), Some(target), Some(profile)) = (message.executable, message.target, message.profile)
        else {
            continue;
        };
        let manifest = message.manifest_path.context("cargo names no manifest")?;
        let folder = manifest.parent().context("a manifest lies nowhere")?.to_path_buf();
        programs.push(TestProgram { name: target.name, file, folder, is_test: profile.test });
    }
    Ok(programs)
}

/// The fields of cargo's messages that are needed here.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_from_libraries_and_tests_from_what_they_start() {
        let told = r#"{"reason":"compiler-artifact","manifest_path":"/r/a/Cargo.toml","target":{"name":"a"},"profile":{"test":false},"executable":null}
{"reason":"compiler-artifact","manifest_path":"/r/a/Cargo.toml","target":{"name":"it"},"profile":{"test":true},"executable":"/r/t/it-1"}
{"reason":"compiler-artifact","manifest_path":"/r/b/Cargo.toml","target":{"name":"b"},"profile":{"test":false},"executable":"/r/t/b"}
{"reason":"build-finished","success":true}"#;
        let programs = named(told).unwrap();
        let told: Vec<(&str, &str, bool)> = programs
            .iter()
            .map(|program| (program.name.as_str(), program.folder.to_str().unwrap(), program.is_test))
            .collect();
        assert_eq!(told, [("it", "/r/a", true), ("b", "/r/b", false)]);
        assert_eq!(programs[0].file, Path::new("/r/t/it-1"));
    }
}
