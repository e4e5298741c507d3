//! Whether jobs ran only as often as they may, by the stamps that each leaves of its start and its end.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result, bail, ensure};

/// All stamps, and the length of that log at the end of each procpool.
pub(crate) struct Log<'a> {
    pub(crate) text: &'a str,
    pub(crate) ends_of_runs: &'a [usize],
}

/// How often jobs ran again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reruns {
    pub(crate) all: u64,
    /// The most jobs that ran again in one procpool.
    pub(crate) worst: u64,
}

/// Checks a finished list of which at most `limit` jobs ran at once, after this many kills.
///
/// # Errors
/// Names a job that was never done or ran twice at once, or says that too many ran again.
pub(crate) fn judge(keys: &[&str], limit: u64, kills: u64, log: &Log<'_>) -> Result<Reruns> {
    let processes = processes(log.text)?;
    let mut by_key: HashMap<&str, Vec<&StampedProcess>> = HashMap::new();
    for process in &processes {
        by_key.entry(process.key).or_default().push(process);
    }
    for key in keys {
        let processes = by_key.remove(key).with_context(|| format!("{key} never ran"))?;
        was_done_and_never_twice_at_once(&processes)?;
    }
    ensure!(by_key.is_empty(), "these are no jobs of the list: {:?}", by_key.keys());
    let all = processes.len() as u64 - keys.len() as u64;
    let again = Reruns { all, worst: worst(&processes, log.ends_of_runs) };
    ensure!(
        again.worst <= limit,
        "{} jobs ran a second time after one end, with a limit of {limit}",
        again.worst
    );
    ensure!(all <= kills * limit, "{all} runs again after {kills} kills, with a limit of {limit}");
    Ok(again)
}

/// A process of a job, by its stamps.
struct StampedProcess<'a> {
    key: &'a str,
    start: u64,
    /// None where the process was killed.
    end: Option<u64>,
    /// Where its start is in the log.
    offset: usize,
}

/// All processes, in the order of the log.
fn processes(text: &str) -> Result<Vec<StampedProcess<'_>>> {
    let mut processes: Vec<StampedProcess> = Vec::new();
    let mut running = HashMap::new();
    let mut offset = 0;
    for line in text.lines() {
        let no_stamp = || format!("no stamp: {line:?}");
        let [what, key, pid, nanos] = line.split(' ').collect::<Vec<_>>()[..] else {
            bail!(no_stamp());
        };
        let at = nanos.parse().with_context(no_stamp)?;
        if what == "start" {
            running.insert((key, pid), processes.len());
            processes.push(StampedProcess { key, start: at, end: None, offset });
        } else {
            let started = running.remove(&(key, pid)).with_context(no_stamp)?;
            processes[started].end = Some(at);
        }
        offset += line.len() + 1;
    }
    Ok(processes)
}

fn was_done_and_never_twice_at_once(processes: &[&StampedProcess]) -> Result<()> {
    let key = processes.first().map(|process| process.key).unwrap_or_default();
    ensure!(processes.iter().any(|process| process.end.is_some()), "{key} was never done");
    for one in processes {
        let is_within = |other: &&&StampedProcess| {
            other.start > one.start && one.end.is_some_and(|end| other.start < end)
        };
        ensure!(!processes.iter().any(|other| is_within(&other)), "{key} was started while it still ran");
    }
    Ok(())
}

/// The most jobs that were started again in one procpool. A process that outlived a kill may stamp its
/// start late, during the next procpool, but before its job is started again; so this counts jobs and not
/// starts.
fn worst(processes: &[StampedProcess], ends_of_runs: &[usize]) -> u64 {
    let mut seen = HashSet::new();
    let mut again: HashMap<usize, HashSet<&str>> = HashMap::new();
    for process in processes {
        if !seen.insert(process.key) {
            let run = ends_of_runs.partition_point(|end| *end <= process.offset);
            again.entry(run).or_default().insert(process.key);
        }
    }
    again.values().map(HashSet::len).max().unwrap_or(0) as u64
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// Checks the jobs a, b and c with a limit of 2 and a kill after each run.
    fn verdict(runs: &[&str]) -> Result<Reruns> {
        let mut text = String::new();
        let mut ends_of_runs = Vec::new();
        let mut now = 0;
        for run in runs {
            for stamp in run.split_whitespace() {
                now += 1;
                let what = if stamp.starts_with('+') { "start" } else { "end" };
                let (key, pid) = stamp[1..].split_at(1);
                writeln!(text, "{what} {key} {pid} {now}").unwrap();
            }
            ends_of_runs.push(text.len());
        }
        judge(&["a", "b", "c"], 2, runs.len() as u64 - 1, &Log { text: &text, ends_of_runs: &ends_of_runs })
    }

    #[test]
    fn what_a_kill_interrupted_may_run_again() {
        assert_eq!(verdict(&["+a1 -a1 +b2 +c3 -b2 -c3"]).unwrap(), Reruns::default());
        let again = verdict(&["+a1 +b2", "+a3", "+a4 -a4 +b5 +c6 -b5 -c6"]).unwrap();
        assert_eq!(again, Reruns { all: 3, worst: 2 });
    }

    #[test]
    fn more_than_the_limit_may_not() {
        let error = verdict(&["+a1 -a1 +b2 -b2 +c3 -c3", "+a4 -a4 +b5 -b5 +c6 -c6"]).unwrap_err();
        assert!(error.to_string().contains("3 jobs ran a second time"), "{error}");
        let error = verdict(&["+a1 -a1 +a2 -a2 +b3 -b3 +c4 -c4"]).unwrap_err();
        assert!(error.to_string().contains("1 runs again after 0 kills"), "{error}");
    }

    #[test]
    fn a_late_stamp_of_who_was_left_counts_for_its_job_once() {
        let again = verdict(&["+a1 +b2", "+b4", "+b5 +a6 -a6 +b7 -b7 +c8 -c8"]).unwrap();
        assert_eq!(again.worst, 2);
    }

    #[test]
    fn what_was_never_done_or_runs_twice_at_once_is_found() {
        for (stamps, complaint) in [
            ("+a1 -a1 +b2 -b2", "c never ran"),
            ("+a1 -a1 +b2 -b2 +c3", "c was never done"),
            ("+a1 +a2 -a1 -a2 +b3 -b3 +c4 -c4", "a was started while it still ran"),
            ("+a1 -a1 +b2 -b2 +c3 -c3 +d4", "no jobs of the list: [\"d\"]"),
            ("-a1", "no stamp"),
        ] {
            let error = verdict(&[stamps, ""]).unwrap_err().to_string();
            assert!(error.contains(complaint), "{error}");
        }
    }
}
