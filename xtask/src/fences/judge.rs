//! Judges a run with a refused call by the same run without. Pure.

use std::collections::BTreeSet;
use std::fmt;

use crate::fences::call::Call;

/// The result of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trial {
    pub(crate) end: RunEnd,
    /// Standard output, sorted where its order doesn't matter.
    pub(crate) stdout: Vec<u8>,
    /// Lines of standard error, without the numbers that differ from run to run.
    pub(crate) stderr: Vec<String>,
    /// The contents of the files that it wrote, and what their reader printed.
    pub(crate) kept: Vec<u8>,
    /// Processes that outlived it.
    pub(crate) left: Vec<String>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum RunEnd {
    Exited(i32),
    Signalled(i32),
    #[default]
    Hung,
}

/// A cell of the table, the best kind first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cell {
    /// The run is as without a fence.
    Works,
    /// The same run with one more line.
    Said(String),
    /// A failure status, and a line that names the refused call.
    Refused(i32, String),
    Broken(String),
}

impl Cell {
    /// Its text in the table.
    pub(crate) fn told(&self) -> String {
        match self {
            Cell::Works => "works".to_owned(),
            Cell::Said(_) => "said".to_owned(),
            Cell::Refused(status, _) => format!("exit {status}"),
            Cell::Broken(_) => "BROKEN".to_owned(),
        }
    }

    /// What procpool said, or what is wrong.
    pub(crate) fn line(&self) -> Option<&str> {
        match self {
            Cell::Works => None,
            Cell::Said(line) | Cell::Refused(_, line) | Cell::Broken(line) => Some(line),
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told())?;
        self.line().map_or(Ok(()), |line| write!(f, ": {line}"))
    }
}

/// Judges a run in which this call was refused by the run without a fence.
pub(crate) fn judge(call: &Call, free: &Trial, fenced: &Trial) -> Cell {
    let mut more = lines_more(&free.stderr, &fenced.stderr);
    // The command that runs a job again is no message about the refused call.
    more.retain(|line| !line.trim_start().starts_with("again:"));
    let broken =
        |why: &str| Cell::Broken(format!("{why}; {}", more.first().map_or("nothing was said", |line| line)));
    if !fenced.left.is_empty() {
        return broken(&format!("left behind: {}", fenced.left.join(", ")));
    }
    let status = match fenced.end {
        RunEnd::Hung => return broken("hung"),
        RunEnd::Signalled(signal) => return broken(&format!("died by signal {signal}")),
        RunEnd::Exited(status) => status,
    };
    if let Some(line) =
        fenced.stderr.iter().find(|line| line.contains("panicked at") || line.contains("BUG:"))
    {
        return Cell::Broken(format!("panicked: {line}"));
    }
    let is_whole = fenced.stdout == free.stdout && fenced.kept == free.kept;
    if fenced.end == free.end && is_whole && is_in(&free.stderr, &fenced.stderr) {
        return match more.as_slice() {
            [] => Cell::Works,
            // One line for each weaker promise: of the guardian, and of the journal.
            lines if is_each_once(lines) => Cell::Said(lines.join("; and ")),
            _ => broken(&format!("{} lines are said", more.len())),
        };
    }
    match status {
        0 => broken("lost something at exit 0"),
        1..=3 => match more.iter().find(|line| call.is_named_in(line)) {
            Some(line) => Cell::Refused(status, line.clone()),
            None => broken(&format!("exit {status} without its name")),
        },
        _ => broken(&format!("exit {status}")),
    }
}

/// The lines that are not in `free`.
fn lines_more(free: &[String], fenced: &[String]) -> Vec<String> {
    let mut known = free.to_vec();
    let mut more = Vec::new();
    for line in fenced {
        match known.iter().position(|earlier| earlier == line) {
            Some(place) => drop(known.swap_remove(place)),
            None => more.push(line.clone()),
        }
    }
    more
}

fn is_each_once(lines: &[String]) -> bool {
    lines.len() <= 2 && lines.iter().collect::<BTreeSet<_>>().len() == lines.len()
}

/// Whether all lines of `free` are in `fenced`.
fn is_in(free: &[String], fenced: &[String]) -> bool {
    lines_more(fenced, free).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(status: i32, stdout: &str, stderr: &[&str]) -> Trial {
        Trial {
            end: RunEnd::Exited(status),
            stdout: stdout.into(),
            stderr: stderr.iter().map(|line| (*line).to_owned()).collect(),
            ..Trial::default()
        }
    }

    fn judged(fenced: &Trial) -> String {
        let free = trial(0, "out a\n", &["err a"]);
        judge(&Call::whole("pipe2"), &free, fenced).told()
    }

    #[test]
    fn the_same_works_and_with_one_line_more_is_said() {
        assert_eq!(judged(&trial(0, "out a\n", &["err a"])), "works");
        assert_eq!(judged(&trial(0, "out a\n", &["procpool: no pipe", "err a"])), "said");
        assert_eq!(judged(&trial(0, "out a\n", &["err a", "no pipe", "no pipe"])), "BROKEN");
    }

    #[test]
    fn a_refusal_has_a_status_and_a_name() {
        assert_eq!(judged(&trial(3, "", &["procpool: pipe(2): no"])), "exit 3");
        assert_eq!(judged(&trial(1, "", &["a: not started: pipe(2): no"])), "exit 1");
        assert_eq!(judged(&trial(3, "", &["procpool: not now"])), "BROKEN");
        assert_eq!(judged(&trial(101, "", &["pipe(2)"])), "BROKEN");
        assert_eq!(judged(&trial(3, "", &["panicked at pipe(2)"])), "BROKEN");
    }

    #[test]
    fn nothing_is_lost_left_or_hung() {
        assert_eq!(judged(&trial(0, "", &["err a", "pipe(2)"])), "BROKEN");
        assert_eq!(judged(&trial(0, "out a\n", &[])), "BROKEN");
        assert_eq!(judged(&Trial { left: vec!["job".into()], ..trial(0, "out a\n", &["err a"]) }), "BROKEN");
        assert_eq!(judged(&Trial { end: RunEnd::Hung, ..trial(0, "out a\n", &["err a"]) }), "BROKEN");
        assert_eq!(judged(&Trial { kept: vec![1], ..trial(0, "out a\n", &["err a"]) }), "BROKEN");
    }

    #[test]
    fn the_worst_of_a_cell_counts() {
        let verdicts = [Cell::Refused(1, "a".into()), Cell::Works, Cell::Said("b".into())];
        assert_eq!(verdicts.into_iter().max(), Some(Cell::Refused(1, "a".into())));
    }
}
