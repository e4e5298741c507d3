//! Runs commands for the subcommands: each is announced as one would type it, and an error names it.

use std::env;
use std::path::{self, Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

/// `cargo` with the arguments in `line`, split at spaces, in the workspace at `root`.
pub(crate) fn cargo(root: &Path, line: &str) -> Command {
    command(root, "cargo", line)
}

/// `program` with the arguments in `line`, split at spaces, in `directory`.
pub(crate) fn command(directory: &Path, program: &str, line: &str) -> Command {
    let mut command = Command::new(program);
    command.args(line.split_whitespace()).current_dir(directory);
    command
}

/// cargo's target directory as an absolute path.
pub(crate) fn target_directory(root: &Path) -> Result<PathBuf> {
    let directory = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    path::absolute(directory).context("the directory for what is built has no absolute path")
}

/// Runs `command` with its output shown to the user; any end but success is an error.
pub(crate) fn show(command: &mut Command) -> Result<()> {
    let line = describe(command);
    println!("$ {line}");
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed: {status}");
    }
    Ok(())
}

/// Runs `command` without a terminal and returns its standard output; its standard error becomes the
/// error's text.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let stdout = finish(command)?.stdout;
    String::from_utf8(stdout).with_context(|| format!("`{}` printed what is not UTF-8", describe(command)))
}

/// Announces and runs `command`, and returns its standard error, which is long and matters only if
/// something fails.
pub(crate) fn watch(command: &mut Command) -> Result<String> {
    println!("$ {}", describe(command));
    let stderr = finish(command)?.stderr;
    Ok(String::from_utf8_lossy(&stderr).into_owned())
}

fn finish(command: &mut Command) -> Result<Output> {
    let line = describe(command);
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start `{line}`"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("`{line}` failed: {}\n{}", output.status, stderr.trim_end());
    }
    Ok(output)
}

fn describe(command: &Command) -> String {
    let variables = command.get_envs().filter_map(|(name, value)| {
        Some(format!("{}={}", name.to_string_lossy(), quoted(&value?.to_string_lossy())))
    });
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words = words.map(|word| quoted(&word.to_string_lossy()));
    variables.chain(words).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    if word.contains(' ') { format!("'{word}'") } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_described_as_one_would_type_it() {
        let mut command = cargo(Path::new("."), "doc --no-deps");
        command.env("RUSTDOCFLAGS", "-D warnings").env_remove("HOME");
        assert_eq!(describe(&command), "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps");
    }

    #[test]
    fn a_failed_command_is_named_with_its_complaint() {
        let error = read(&mut command(Path::new("/"), "ls", "no-such-file")).unwrap_err().to_string();
        assert!(error.contains("`ls no-such-file` failed"), "{error}");
        assert!(error.contains("cannot access"), "{error}");
    }
}
