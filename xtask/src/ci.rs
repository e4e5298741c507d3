//! The steps that decide whether a change lands, in order, each announced and timed.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::verdict::Verdict;
use crate::{bench, built, cluster, demo, fences, fuzz, msrv, newcomer, shell, systems, tidy, vm};

/// A step. Steps run in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Step {
    Fmt,
    Clippy,
    /// Core alone, so that no other crate of the workspace can turn on a feature for it.
    Alone,
    Test,
    /// The tests again, as an ordinary user without the tools that a bare Debian lacks.
    Newcomer,
    Doc,
    Msrv,
    /// Core's types on other systems.
    Systems,
    Tidy,
    Demo,
    Torture,
    Fences,
    Bench,
    Cluster,
    /// Tests on virtual machines.
    Vm,
    Fuzz,
}

impl Step {
    fn run(self, root: &Path) -> Result<Verdict> {
        let cargo = |line| shell::show(&mut shell::cargo(root, line));
        match self {
            Step::Fmt => {
                cargo("fmt --all --check")?;
                // Not a member of the workspace, because another compiler builds it.
                cargo("fmt --manifest-path crates/procpool-cli/fuzz/Cargo.toml --check")?;
            }
            Step::Clippy => cargo("clippy --workspace --all-targets --locked -- -D warnings")?,
            Step::Alone => cargo("check --package procpool-core --lib --locked")?,
            // Tests that this machine lacks something for fail here and are not skipped.
            Step::Test => {
                shell::show(shell::cargo(root, "test --workspace --locked").env("PROCPOOL_TESTS", "all"))?;
            }
            Step::Newcomer => newcomer::check(root)?,
            Step::Doc => {
                let line = "doc --workspace --no-deps --document-private-items --locked";
                shell::show(shell::cargo(root, line).env("RUSTDOCFLAGS", "-D warnings"))?;
            }
            Step::Msrv => return msrv::check(root),
            Step::Systems => return systems::check(root),
            Step::Tidy => tidy::run(root, tidy::Help::Compare)?,
            Step::Demo => demo::run(root, &demo::Options::for_ci())?,
            Step::Torture => {
                for options in torture::Options::for_ci() {
                    torture::run(&options, || built::procpool(root))?;
                }
            }
            Step::Bench => bench::run(root, &bench::Options::for_ci())?,
            Step::Cluster => return cluster::check(root),
            Step::Fences => return fences::check(root),
            Step::Vm => return vm::check(root),
            Step::Fuzz => return fuzz::check(root),
        }
        Ok(Verdict::Checked)
    }

    /// The fences need a quiet machine: a run that is late behind one counts as one that hangs.
    fn is_of_each_run(self) -> bool {
        self != Step::Fences
    }

    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// A step that has run, and its result.
struct StepRecord {
    step: Step,
    result: Result<Verdict>,
    elapsed: Duration,
}

/// Runs the given steps, or all, up to the first that fails.
pub(crate) fn run(root: &Path, asked: &[Step]) -> Result<()> {
    let all: Vec<Step> =
        Step::value_variants().iter().copied().filter(|step| step.is_of_each_run()).collect();
    let steps = if asked.is_empty() { &all } else { asked };
    let records = run_each(steps, |step| {
        println!("\n== {} ==", step.name());
        step.run(root)
    });
    print!("\n{}", table(&records));
    // Only the last one can have failed.
    match records.into_iter().next_back() {
        Some(StepRecord { step, result: Err(error), .. }) => {
            let name = step.name();
            Err(error)
                .with_context(|| format!("step {name} failed; alone it runs with `cargo xtask ci {name}`"))
        }
        _ => Ok(()),
    }
}

fn run_each(steps: &[Step], mut execute: impl FnMut(Step) -> Result<Verdict>) -> Vec<StepRecord> {
    let mut records = Vec::new();
    for &step in steps {
        let start = Instant::now();
        let result = execute(step);
        let is_over = result.is_err();
        records.push(StepRecord { step, result, elapsed: start.elapsed() });
        if is_over {
            break;
        }
    }
    records
}

fn table(records: &[StepRecord]) -> String {
    let mut table = String::from("step     seconds\n");
    for StepRecord { step, result, elapsed } in records {
        let note = match result {
            Ok(Verdict::Checked) => "",
            Ok(Verdict::NotChecked) => "  NOT CHECKED",
            Err(_) => "  FAILED",
        };
        let seconds = elapsed.as_secs_f64();
        writeln!(table, "{:<8} {seconds:>7.1}{note}", step.name()).expect("BUG: a string takes all");
    }
    table
}

#[cfg(test)]
mod tests {
    use anyhow::ensure;

    use super::*;

    #[test]
    fn the_first_failure_is_the_last_step() {
        let mut begun = Vec::new();
        let records = run_each(Step::value_variants(), |step| {
            begun.push(step);
            ensure!(step != Step::Clippy, "a lint");
            Ok(Verdict::Checked)
        });
        assert_eq!(begun, [Step::Fmt, Step::Clippy]);
        assert!(records[0].result.is_ok());
        assert!(records[1].result.is_err());
    }

    #[test]
    fn the_table_marks_what_failed_and_what_was_not_checked() {
        let record = |step, result| StepRecord { step, result, elapsed: Duration::from_millis(1250) };
        let records = [
            record(Step::Fmt, Ok(Verdict::Checked)),
            record(Step::Msrv, Ok(Verdict::NotChecked)),
            record(Step::Tidy, Err(anyhow::anyhow!("untidy"))),
        ];
        let expected = "step     seconds\n\
                        fmt          1.2\n\
                        msrv         1.2  NOT CHECKED\n\
                        tidy         1.2  FAILED\n";
        assert_eq!(table(&records), expected);
    }
}
