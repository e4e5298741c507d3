//! What `/proc` says about a running process: its children, its processor time, its memory.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// Its children, which `/proc` lists for each thread that started some.
pub(crate) fn children(process: i32) -> Vec<i32> {
    let lists = tasks(process).into_iter().filter_map(|task| fs::read_to_string(task.join("children")).ok());
    lists.flat_map(|list| numbers(&list)).collect()
}

/// The processor time of its living threads in nanoseconds; ticks of 10 ms are too coarse.
pub(crate) fn processor_time(process: i32) -> Result<Duration> {
    // A thread may end between the two reads.
    let tasks = tasks(process).into_iter();
    let texts: Vec<String> =
        tasks.filter_map(|task| fs::read_to_string(task.join("schedstat")).ok()).collect();
    ensure!(!texts.is_empty(), "process {process} has no schedstat");
    texts.iter().map(|text| on_processor(text).context("schedstat can't be read")).sum()
}

/// The peak of its memory so far.
pub(crate) fn peak_megabytes(process: i32) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).context("the process has no status")?;
    high_water_kibibytes(&text).map(|peak| peak * 1024.0 / 1e6).context("its status tells no peak memory")
}

fn tasks(process: i32) -> Vec<PathBuf> {
    let entries = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten();
    entries.flatten().map(|entry| entry.path()).collect()
}

fn numbers(list: &str) -> Vec<i32> {
    list.split_whitespace().filter_map(|number| number.parse().ok()).collect()
}

fn on_processor(schedstat: &str) -> Option<Duration> {
    schedstat.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

fn high_water_kibibytes(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn files_of_proc_are_read() {
        assert_eq!(numbers("12 345 \n"), [12, 345]);
        assert_eq!(on_processor("1500000 20 3\n"), Some(Duration::from_micros(1500)));
        assert_eq!(on_processor("\n"), None);
        assert_eq!(high_water_kibibytes("Name:\tx\nVmHWM:\t    5120 kB\nVmRSS:\t 1 kB\n"), Some(5120.0));
        assert_eq!(high_water_kibibytes("Name:\tx\n"), None);
    }

    #[test]
    fn a_process_that_works_costs_processor_time_and_holds_memory() {
        let mut busy = Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        let process = i32::try_from(busy.id()).unwrap();
        while processor_time(process).unwrap() < Duration::from_millis(30) {}
        assert!(peak_megabytes(process).unwrap() > 0.1);
        busy.kill().unwrap();
        busy.wait().unwrap();
        assert!(processor_time(process).is_err());
    }
}
