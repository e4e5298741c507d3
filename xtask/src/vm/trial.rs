//! Runs the cases on their machines, two at a time.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use torture::lanes;

use crate::vm::builder::{LANES, MachineBuilder};
use crate::vm::cases::Name;
use crate::vm::console::{Fact, OVER};
use crate::vm::machine::{ConsoleEvent, Machine};

/// The longest that a case may take on a busy host.
const PATIENCE: Duration = Duration::from_secs(300);

/// The facts that a machine reported, and all its lines.
struct MachineOutput {
    facts: Vec<Fact>,
    lines: Vec<String>,
}

/// Runs the cases, and fails if one of them is wrong.
pub(crate) fn run(builder: &MachineBuilder, cases: &[Name]) -> Result<()> {
    let failed = lanes::each(LANES, cases, |name| try_one(builder, *name))?;
    let failed: Vec<String> = failed.into_iter().flatten().collect();
    if failed.is_empty() {
        return Ok(());
    }
    bail!("not as it ought to be: {0}; alone: `cargo xtask vm {0}`", failed.join(" "))
}

/// Runs a case and returns its name if it failed.
fn try_one(builder: &MachineBuilder, name: Name) -> Result<Option<String>> {
    let begun = Instant::now();
    let case = name.case();
    let value = name.to_possible_value().context("BUG: a case without a name")?;
    let name = value.get_name();
    let machine = builder.start(name, case.script, &[])?;
    let told = listen(&machine, begun + PATIENCE);
    let faults = case.judge(&told.facts);
    let seconds = begun.elapsed().as_secs_f64();
    if faults.is_empty() {
        println!("{name}: {} values as they ought to be, {seconds:.1} s", case.right.len());
        return Ok(None);
    }
    println!("{name}: {} faults, {seconds:.1} s", faults.len());
    for fault in &faults {
        println!("  {fault}");
    }
    for line in &told.lines {
        println!("    | {line}");
    }
    Ok(Some(name.to_owned()))
}

/// Reads what the machine writes until its script or the machine has ended. A machine that does neither is
/// killed; what it has not reported is missing then.
fn listen(machine: &Machine, until: Instant) -> MachineOutput {
    let mut told = MachineOutput { facts: Vec::new(), lines: Vec::new() };
    while let ConsoleEvent::Line(line) = machine.hear(until) {
        let fact = Fact::in_line(&line);
        told.lines.push(line);
        let is_over = fact.as_ref().is_some_and(|fact| fact.name == OVER);
        told.facts.extend(fact);
        if is_over {
            break;
        }
    }
    told
}
