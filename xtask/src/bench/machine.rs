//! The machine and the versions that the figures are of.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use anyhow::Result;
use serde::Serialize;

use crate::bench::peers::PeerVersion;
use crate::shell;

#[derive(Clone, Debug, Serialize)]
pub(crate) struct MachineInfo {
    pub(crate) processors: usize,
    pub(crate) model: String,
    pub(crate) memory_gigabytes: f64,
    pub(crate) kernel: String,
    /// The load average of the minute before: of other processes than ours.
    pub(crate) load: String,
    pub(crate) procpool: String,
    pub(crate) peers: Vec<PeerVersion>,
}

impl MachineInfo {
    pub(crate) fn look(root: &Path, procpool: &Path, peers: Vec<PeerVersion>) -> Result<MachineInfo> {
        let version = shell::read(Command::new(procpool).arg("--version"))?;
        // Sources without git have no commit.
        let commit = shell::read(&mut shell::command(root, "git", "describe --always --dirty=+changes"));
        let commit = commit.map(|commit| format!(" ({})", commit.trim())).unwrap_or_default();
        let memory: f64 = field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0.0);
        let read = |file| fs::read_to_string(file).unwrap_or_default();
        let word = |text: String| text.split_whitespace().next().unwrap_or("unknown").to_owned();
        Ok(MachineInfo {
            processors: thread::available_parallelism()?.get(),
            model: field("/proc/cpuinfo", "model name"),
            memory_gigabytes: memory * 1024.0 / 1e9,
            kernel: word(read("/proc/sys/kernel/osrelease")),
            load: word(read("/proc/loadavg")),
            procpool: format!("{}{commit}", version.trim()),
            peers,
        })
    }
}

/// The value of the first `name:` in a file of `/proc`.
fn field(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    value(&text, name).unwrap_or("unknown").to_owned()
}

fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let fields = text.lines().filter_map(|line| line.split_once(':'));
    fields.into_iter().find(|(found, _)| found.trim() == name).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_name() {
        let text = "processor\t: 0\nmodel name\t: A: B\nMemTotal:  24 kB\n";
        assert_eq!(value(text, "model name"), Some("A: B"));
        assert_eq!(value(text, "MemTotal"), Some("24 kB"));
        assert_eq!(value(text, "model"), None);
    }
}
