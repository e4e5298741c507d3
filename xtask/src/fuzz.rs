//! Runs each target of the fuzz crate for some time, from its seeds. It installs nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::shell;
use crate::verdict::Verdict;

/// The folder in which cargo-fuzz must be started.
const PACKAGE: &str = "crates/procpool-cli";

// Same name as `bench::Options`: each subcommand has its options, and is named with them.
/// The options of `cargo xtask fuzz`.
#[derive(Args)]
pub(crate) struct Options {
    /// Run only this target [default: all, one after the other]
    target: Option<String>,
    /// How many seconds each target runs
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
}

/// Runs each target for a minute, if this machine has what that needs.
pub(crate) fn check(root: &Path) -> Result<Verdict> {
    match Fuzzer::find(root) {
        Ok(fuzzer) => fuzzer.run_all(&targets(root)?, 60).map(|()| Verdict::Checked),
        Err(error) => {
            println!("fuzz: NOT CHECKED: {error}");
            Ok(Verdict::NotChecked)
        }
    }
}

/// Runs the given targets. It is an error if the machine lacks what that needs.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let targets = asked(targets(root)?, options.target.as_deref())?;
    Fuzzer::find(root)?.run_all(&targets, options.seconds)
}

/// The names of the targets, in order.
fn targets(root: &Path) -> Result<Vec<String>> {
    let folder = root.join(PACKAGE).join("fuzz/fuzz_targets");
    let cannot = || format!("cannot read {}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

fn asked(targets: Vec<String>, target: Option<&str>) -> Result<Vec<String>> {
    match target {
        None => Ok(targets),
        Some(name) if targets.iter().any(|target| target == name) => Ok(vec![name.to_owned()]),
        Some(name) => bail!("no target is called {name:?}; there are {}", targets.join(", ")),
    }
}

/// cargo-fuzz with a nightly compiler, because only that has the sanitizers.
struct Fuzzer {
    toolchain: String,
    package: PathBuf,
    target_directory: PathBuf,
}

impl Fuzzer {
    fn find(root: &Path) -> Result<Fuzzer> {
        // Without rustup there is no nightly compiler either.
        let list = shell::read(&mut shell::command(root, "rustup", "toolchain list")).unwrap_or_default();
        let Some(toolchain) = nightly(&list) else {
            bail!("no nightly compiler here; `rustup toolchain install nightly --profile minimal`");
        };
        let line = format!("run {toolchain} cargo fuzz --version");
        if shell::read(&mut shell::command(root, "rustup", &line)).is_err() {
            bail!("no cargo-fuzz here; `cargo install cargo-fuzz --locked`");
        }
        Ok(Fuzzer {
            toolchain: toolchain.to_owned(),
            package: root.join(PACKAGE),
            // A target directory of its own, because two compilers in one discard each other's work.
            target_directory: shell::target_directory(root)?.join("fuzz"),
        })
    }

    fn run_all(&self, targets: &[String], seconds: u32) -> Result<()> {
        shell::show(&mut self.cargo("build"))?;
        targets.iter().try_for_each(|target| {
            let corpus = self.package.join("fuzz/corpus").join(target);
            fs::create_dir_all(&corpus).with_context(|| format!("cannot make {}", corpus.display()))?;
            let told = shell::watch(&mut self.command(target, seconds))?;
            let runs =
                executed(&told).with_context(|| format!("libFuzzer told no number of runs:\n{told}"))?;
            println!("{target}: {runs} runs, nothing found");
            Ok(())
        })
    }

    fn cargo(&self, subcommand: &str) -> Command {
        let line = format!("run {} cargo fuzz {subcommand} --target-dir", self.toolchain);
        let mut command = shell::command(&self.package, "rustup", &line);
        command.arg(&self.target_directory);
        command
    }

    /// libFuzzer adds new inputs to the first folder, which git ignores, and only reads the second.
    fn command(&self, target: &str, seconds: u32) -> Command {
        let mut command = self.cargo("run");
        command.arg(target).args(["corpus", "seeds"].map(|folder| format!("fuzz/{folder}/{target}")));
        command.args(["--", "-dict=fuzz/dictionary", "-timeout=10"]);
        command.args(["-verbosity=0", "-print_funcs=0", "-print_final_stats=1"]);
        command.arg(format!("-max_total_time={seconds}"));
        // Most inputs end in an error; with a backtrace each would take many times as long.
        command.env("RUST_LIB_BACKTRACE", "0");
        command
    }
}

/// How often libFuzzer called the target.
fn executed(told: &str) -> Option<u64> {
    told.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok())
}

/// The first nightly toolchain in the output of `rustup toolchain list`.
fn nightly(list: &str) -> Option<&str> {
    let mut names = list.lines().filter_map(|line| line.split_whitespace().next());
    names.find(|name| name.split('-').next() == Some("nightly"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nightly_compiler_is_one_of_that_name() {
        let list = "stable-x86_64-unknown-linux-gnu (active, default)\nnightly-2026-05-15-x86_64-unknown-linux-gnu\n";
        assert_eq!(nightly(list), Some("nightly-2026-05-15-x86_64-unknown-linux-gnu"));
        assert_eq!(nightly("nightly\n"), Some("nightly"));
        assert_eq!(nightly("no installed toolchains\nmy-nightly\n"), None);
    }

    #[test]
    fn a_target_that_is_none_is_refused_with_those_that_are() {
        let targets = || vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(asked(targets(), None).unwrap(), ["a", "b"]);
        assert_eq!(asked(targets(), Some("b")).unwrap(), ["b"]);
        let error = asked(targets(), Some("c")).unwrap_err().to_string();
        assert_eq!(error, "no target is called \"c\"; there are a, b");
    }

    #[test]
    fn targets_are_the_files_of_their_folder() {
        let root = tempfile::tempdir().unwrap();
        assert!(targets(root.path()).unwrap_err().to_string().contains("fuzz_targets"));
        let folder = root.path().join(PACKAGE).join("fuzz/fuzz_targets");
        fs::create_dir_all(&folder).unwrap();
        for name in ["b.rs", "a.rs", "notes.txt"] {
            fs::write(folder.join(name), "").unwrap();
        }
        assert_eq!(targets(root.path()).unwrap(), ["a", "b"]);
    }

    #[test]
    fn what_is_found_goes_to_a_folder_of_its_own_and_not_to_the_seeds() {
        let fuzzer = Fuzzer {
            toolchain: "nightly".to_owned(),
            package: PathBuf::from("."),
            target_directory: PathBuf::from("t"),
        };
        let command = fuzzer.command("a", 7);
        let words: Vec<_> = command.get_args().map(|word| word.to_str().unwrap()).collect();
        let expected = "run nightly cargo fuzz run --target-dir t a fuzz/corpus/a fuzz/seeds/a -- ";
        assert!(words.join(" ").starts_with(expected), "{words:?}");
        assert_eq!(words.last(), Some(&"-max_total_time=7"));
    }

    #[test]
    fn runs_are_counted_by_libfuzzer() {
        let told =
            "Done 3 runs\nstat::number_of_executed_units: 11160\nstat::average_exec_per_sec:     1860\n";
        assert_eq!(executed(told), Some(11_160));
        assert_eq!(executed("Done 3 runs\n"), None);
    }
}
