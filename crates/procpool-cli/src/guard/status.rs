//! The status report that SIGUSR1 asks for: what runs now.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use procpool_core::{Handle, HeldUp, Pending, Process, Processes, Snapshot};
use procpool_journal::os::threads;

use crate::terminal::text::{last_lines, shorten};
use crate::terminal::{screen, shown};
use crate::units::duration::prose;

/// Writes what runs to standard error.
#[derive(Clone)]
pub(crate) struct StatusReport {
    handle: Handle,
    processes: Processes,
    /// Set while a report is being written. Standard error may be slow, and one report at a time is enough.
    busy: Arc<AtomicBool>,
}

impl StatusReport {
    pub(crate) fn new(handle: Handle, processes: Processes) -> StatusReport {
        StatusReport { handle, processes, busy: Arc::default() }
    }

    /// Writes a report from a thread of its own, because the signal thread must not wait for a reader.
    pub(crate) fn show(&self) {
        if self.busy.swap(true, Ordering::AcqRel) {
            return;
        }
        let report = self.clone();
        let show = move || {
            threads::leave_stops_to_others();
            screen::say(&report.text());
            report.busy.store(false, Ordering::Release);
        };
        if threads::builder("procpool-status").and_then(|builder| builder.spawn(show)).is_err() {
            self.busy.store(false, Ordering::Release);
        }
    }

    fn text(&self) -> String {
        let processes = self.processes.list().into_iter().map(|process| {
            let output = self.processes.latest_output(&process, LAST_BYTES);
            (process, last_lines(&output).pop())
        });
        describe(&self.handle.snapshot(), &processes.collect::<Vec<_>>(), Instant::now())
    }
}

/// The last line is looked for in this many bytes at the end of an output.
const LAST_BYTES: usize = 1000;

/// A line for the run and one for each job that runs.
fn describe(run: &Snapshot, processes: &[(Process, Option<String>)], now: Instant) -> String {
    let waiting = match run.pending {
        Pending::Exactly(jobs) => format!("{jobs} waiting"),
        Pending::AtLeast(jobs) => format!("at least {jobs} waiting"),
    };
    let mut text = format!("procpool: {} running, {} ended, {waiting}", run.active.len(), run.completed);
    if run.retrying > 0 {
        write!(text, ", {} of them to be tried again", run.retrying).expect("BUG: a string takes all");
    }
    text.push_str(match run.held_up {
        None => "",
        Some(HeldUp::Delay) => "; the next start waits for its delay",
        Some(HeldUp::Load) => "; starts wait, for the machine is busy",
        Some(HeldUp::Memory) => "; starts wait, for memory is short",
        Some(_) => "; starts wait",
    });
    text.push('\n');
    if let Some(place) = &run.elsewhere {
        writeln!(text, "  {}", shown::name(&**place)).expect("BUG: a string takes all");
    }
    for job in &run.active {
        let key = shorten(&job.key.to_string());
        let key = if key.is_empty() { "\"\"".to_owned() } else { key };
        let elapsed = prose(now.saturating_duration_since(job.since));
        write!(text, "  {key}: slot {}, {elapsed}", job.slot).expect("BUG: a string takes all");
        let rest = match processes.iter().find(|(process, _)| process.seq == job.seq) {
            None if job.node.is_some() => {
                format!(", on {}", shown::name(job.node.as_deref().unwrap_or_default()))
            }
            None => ", no process".to_owned(),
            Some((process, None)) => format!(", pid {}", process.pid),
            Some((process, Some(line))) => format!(", pid {}: {line}", process.pid),
        };
        text.push_str(&rest);
        text.push('\n');
    }
    text
}
