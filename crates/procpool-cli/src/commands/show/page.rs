//! The facts about a job and its attempts, formatted as lines.

use std::fmt::Write as _;

use procpool_core::{Command, EnvironmentBase, Key, PeakMemory, Source};

use crate::shell::quote::{QuoteStyle, command_line};
use crate::terminal::colour::{Palette, paint};
use crate::terminal::shown;
use crate::units::duration;
use crate::units::size;
use procpool_journal::files::live::LiveOutput;
use procpool_journal::format::attempt::seconds;
use procpool_journal::format::entry::Entry;
use procpool_journal::read::reading::{ListedJob, Reading, Stands};

/// Formats facts.
#[derive(Clone, Copy)]
pub(super) struct Page {
    palette: Palette,
}

impl Page {
    pub(super) fn new(palette: Palette) -> Page {
        Page { palette }
    }

    /// The facts about a job.
    pub(super) fn job(self, reading: &Reading, job: &ListedJob) -> String {
        let command = job.line.command(None);
        let directory = match command.working_directory() {
            Some(own) => reading.directory().join(own),
            None => reading.directory(),
        };
        let mut text = String::new();
        self.fact(&mut text, "key", &quoted(&job.line.key()));
        self.fact(&mut text, "command", &command_line(&command, QuoteStyle::Line).to_string_lossy());
        self.fact(&mut text, "directory", &format!("{directory:?}"));
        let variables = variables(&command);
        if !variables.is_empty() {
            self.fact(&mut text, "variables", &variables);
        }
        if let Some(input) = job.line.input() {
            self.fact(&mut text, "input", &input);
        }
        if let Some(timeout) = job.line.timeout() {
            self.fact(&mut text, "timeout", &duration::prose(timeout));
        }
        if let Some(retries) = job.line.retries() {
            self.fact(&mut text, "retries", &retries.to_string());
        }
        self.fact(&mut text, "number", &format!("{} of the list", job.position));
        let stands = match job.stands {
            Stands::Ended => return text,
            Stands::NotRun => "has not run",
            Stands::Running => "runs now",
            Stands::Interrupted => "was interrupted: what came of its last attempt was not recorded",
        };
        self.fact(&mut text, "state", &paint(self.palette.notable, stands));
        if let Some(node) = reading.node_of_begun(job) {
            self.fact(&mut text, "node", &node);
        }
        text
    }

    /// The facts about a job that is only in records.
    pub(super) fn unlisted(self, key: &Key) -> String {
        let mut text = String::new();
        self.fact(&mut text, "key", &quoted(key));
        self.fact(&mut text, "state", &paint(self.palette.notable, "is not on the list any more"));
        text
    }

    /// The facts about an attempt.
    pub(super) fn attempt(self, entry: &Entry, counts: bool) -> String {
        let style = if entry.success { self.palette.good } else { self.palette.bad };
        let counts = if counts { ", which counts" } else { "" };
        let words = paint(style, &shown::name(entry.words()));
        let mut text = format!("\nattempt {} of run {}{counts}: {words}\n", entry.attempt, entry.generation);
        if let Some(started) = &entry.started {
            self.fact(&mut text, "  started", started);
        }
        self.fact(&mut text, "  ended", &entry.ended);
        self.fact(&mut text, "  seconds", &seconds(entry.elapsed()));
        let (user, system) = (entry.user_seconds, entry.system_seconds);
        self.fact(
            &mut text,
            "  processor",
            &format!("{user:.3} s in user mode, {system:.3} s in the kernel"),
        );
        let memory = match entry.peak_memory() {
            PeakMemory::Known(bytes) => format!("{} at its peak", size::prose(bytes)),
            peak @ PeakMemory::Below(_) => format!("{} at its peak: more is not known", size::peak(peak)),
            PeakMemory::Unknown => "not known".to_owned(),
        };
        self.fact(&mut text, "  memory", &memory);
        if let Some(slot) = entry.slot {
            self.fact(&mut text, "  slot", &slot.to_string());
        }
        if let Some(node) = &entry.node {
            self.fact(&mut text, "  node", node);
        }
        if let Some(waited_for) = &entry.waited_for {
            self.fact(&mut text, "  waited for", &shown::name(waited_for));
        }
        text
    }

    /// The heading of an output.
    pub(super) fn output_head(self, entry: &Entry, source: Source) -> String {
        self.head(&format!("{}, {}", name_of(source), bytes(entry.length(source))))
    }

    /// The heading of an output of a running job.
    pub(super) fn live_head(self, live: &LiveOutput, source: Source) -> String {
        let length = bytes(live.from + live.length);
        let left_out = match live.from {
            0 => String::new(),
            from => format!("; without the first {from}, which come when it has ended"),
        };
        self.head(&format!("{} so far, {length}{left_out}", name_of(source)))
    }

    fn head(self, text: &str) -> String {
        paint(self.palette.faint, &format!("--- {text}")) + "\n"
    }

    fn fact(self, text: &mut String, name: &str, value: &str) {
        let name = paint(self.palette.faint, &format!("{name:12}"));
        let value = if value.contains('\x1b') { value.to_owned() } else { shown::name(value) };
        writeln!(text, "{name} {value}").expect("BUG: a string takes all");
    }
}

fn name_of(source: Source) -> &'static str {
    match source {
        Source::Stdout => "standard output",
        Source::Stderr => "standard error",
    }
}

fn bytes(length: u64) -> String {
    let bytes = if length == 1 { "byte" } else { "bytes" };
    format!("{length} {bytes}")
}

fn quoted(key: &Key) -> String {
    if key.as_bytes().is_empty() { "\"\"".to_owned() } else { key.to_string() }
}

fn variables(command: &Command) -> String {
    let base = match command.environment_base() {
        EnvironmentBase::Inherited => None,
        EnvironmentBase::Empty => Some("no others".to_owned()),
    };
    let changes = command.environment_changes().map(|(name, value)| match value {
        Some(value) => format!("{}={value:?}", shown::name(name)),
        None => format!("without {}", shown::name(name)),
    });
    changes.chain(base).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use procpool_journal::testing::scripted;

    #[test]
    fn an_attempt_says_all_that_was_recorded_of_it() {
        let entry = scripted(&json!({
            "generation": 2, "attempt": 3, "exit_code": 7, "status": 7, "success": false, "waited_for": "retry", "node": "n3",
            "stderr_bytes": 1,
        }));
        let page = Page::new(Palette::default());
        let expected = "
attempt 3 of run 2, which counts: exit 7
  started    2026-01-02T03:04:05.478Z
  ended      2026-01-02T03:04:05.678Z
  seconds    0.200
  processor  0.100 s in user mode, 0.050 s in the kernel
  memory     4.0K at its peak
  slot       2
  node       n3
  waited for retry
";
        assert_eq!(page.attempt(&entry, true), expected);
        assert_eq!(page.output_head(&entry, Source::Stderr), "--- standard error, 1 byte\n");
    }

    #[test]
    fn what_changes_the_environment_is_named() {
        let command = Command::new("x").env_clear().env("A", "a b").env_remove("B");
        assert_eq!(variables(&command), r#"A="a b", without B, no others"#);
        assert_eq!(variables(&Command::new("x")), "");
    }
}
