//! The layout of the table: columns, their widths and colours.

use std::time::Duration;

use procpool_core::{End, Key, Outcome, Status};
use unicode_width::UnicodeWidthStr;

use crate::terminal::colour::{Palette, paint};
use crate::terminal::shown;
use crate::units::size;
use procpool_journal::format::attempt::seconds;
use procpool_journal::read::reading::{ListedJob, Reading, Stands};

/// A row. `Ord` is only needed for the heap of `ls`, where the duration comes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TableRow {
    pub(super) key: Key,
    what: OutcomeCell,
    tries: usize,
    ended: Option<Measurements>,
    /// The node of a cluster on which it ran or runs.
    node: Option<String>,
}

/// The outcome, with the kind that decides its colour.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum OutcomeCell {
    Good(&'static str),
    Bad(String),
    Notable(&'static str),
    Faint(&'static str),
}

/// Duration and memory of an attempt that has ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Measurements {
    elapsed: Duration,
    /// Formatted.
    peak_memory: String,
}

impl TableRow {
    /// # Errors
    /// If its record can't be read.
    pub(super) fn of(reading: &mut Reading, job: &ListedJob) -> anyhow::Result<TableRow> {
        let tries = job.noted.map_or(0, |noted| reading.outcomes.tries(&noted));
        let mut node = reading.node_of_begun(job);
        let (what, ended) = match (job.stands, &job.noted) {
            (Stands::Ended, Some(noted)) => {
                let entry = reading.counting(noted)?.entry;
                let outcome = entry.outcome();
                node = entry.node;
                (OutcomeCell::of(&outcome), Some(Measurements::of(&outcome)))
            }
            (Stands::Running, _) => (OutcomeCell::Notable("running"), None),
            (Stands::Interrupted, _) => (OutcomeCell::Notable("interrupted"), None),
            _ => (OutcomeCell::Faint("not run"), None),
        };
        // An attempt that has begun and has no record counts as well.
        let tries = tries + usize::from(matches!(job.stands, Stands::Running | Stands::Interrupted));
        Ok(TableRow { key: job.line.key(), what, tries, ended, node })
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.ended.as_ref().map(|ended| ended.elapsed).unwrap_or_default()
    }
}

impl Measurements {
    fn of(outcome: &Outcome) -> Measurements {
        Measurements {
            elapsed: outcome.ran().map(|ran| ran.elapsed).unwrap_or_default(),
            peak_memory: size::peak(outcome.ran().map(|ran| ran.usage.peak_memory).unwrap_or_default()),
        }
    }
}

impl OutcomeCell {
    /// One or two words.
    fn of(outcome: &Outcome) -> OutcomeCell {
        let ran = match outcome {
            Outcome::Ran(ran) => ran,
            Outcome::NotStarted(_) => return OutcomeCell::Bad("not started".to_owned()),
            Outcome::Lost(_) => return OutcomeCell::Bad("lost".to_owned()),
        };
        match ran.end {
            End::Itself(Status::Exited(0)) if ran.lost.is_some() => {
                OutcomeCell::Bad("output lost".to_owned())
            }
            End::Itself(Status::Exited(0)) => OutcomeCell::Good("succeeded"),
            End::Itself(Status::Signalled(signal)) => OutcomeCell::Bad(signal.to_string()),
            End::Itself(status @ Status::Exited(_)) => OutcomeCell::Bad(status.to_string()),
            End::TimedOut(_) => OutcomeCell::Bad("timed out".to_owned()),
            End::Stopped(_) => OutcomeCell::Notable("stopped"),
            End::Unknown => OutcomeCell::Bad("lost".to_owned()),
        }
    }
}

/// The widths and colours of columns.
pub(super) struct JobTable {
    key: usize,
    nodes: NodeColumn,
    palette: Palette,
}

/// Whether there is a column for nodes of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeColumn {
    Absent,
    Present,
}

/// A longer key shifts only its own row.
const WIDEST: usize = 60;

/// The widest outcome: "not started", "interrupted", "output lost".
const OUTCOME: usize = 11;
const SECONDS: usize = 9;
const TRIES: usize = 5;
const PEAK: usize = 5;

impl JobTable {
    /// `key` is the width of the widest key.
    pub(super) fn new(key: usize, nodes: NodeColumn, palette: Palette) -> JobTable {
        JobTable { key: key.clamp("KEY".len(), WIDEST), nodes, palette }
    }

    pub(super) fn head(&self) -> String {
        let width = self.key;
        let head = format!(
            "{:width$}  {:OUTCOME$}  {:>SECONDS$}  {:>TRIES$}  {:>PEAK$}",
            "KEY", "OUTCOME", "SECONDS", "TRIES", "PEAK"
        );
        paint(self.palette.faint, &(head + &self.last("NODE"))) + "\n"
    }

    /// The last column, of any width.
    fn last(&self, text: &str) -> String {
        match self.nodes {
            NodeColumn::Present => format!("  {text}"),
            NodeColumn::Absent => String::new(),
        }
    }

    pub(super) fn line(&self, row: &TableRow) -> String {
        let key = word(&row.key);
        let (style, what) = match &row.what {
            OutcomeCell::Good(what) => (self.palette.good, *what),
            OutcomeCell::Bad(what) => (self.palette.bad, what.as_str()),
            OutcomeCell::Notable(what) => (self.palette.notable, *what),
            OutcomeCell::Faint(what) => (self.palette.faint, *what),
        };
        let (seconds, peak) = match &row.ended {
            Some(Measurements { elapsed, peak_memory }) => (seconds(*elapsed), &**peak_memory),
            None => ("-".to_owned(), "-"),
        };
        let node = self.last(&row.node.as_deref().map_or_else(|| "-".to_owned(), shown::name));
        format!(
            "{key}{:key_rest$}  {}{:what_rest$}  {seconds:>SECONDS$}  {:>TRIES$}  {peak:>PEAK$}{node}\n",
            "",
            paint(style, what),
            "",
            row.tries,
            key_rest = self.key.saturating_sub(key.width()),
            what_rest = OUTCOME.saturating_sub(what.width()),
        )
    }
}

/// An empty key is shown as `""`.
fn word(key: &Key) -> String {
    if key.as_bytes().is_empty() { "\"\"".to_owned() } else { key.to_string() }
}

/// The width of a key on the terminal.
pub(super) fn key_width(key: &Key) -> usize {
    word(key).width()
}

#[cfg(test)]
mod tests {
    use procpool_core::{NotStarted, Ran, Signal};

    use super::*;

    fn row(key: &str, what: OutcomeCell) -> TableRow {
        let ended = Some(Measurements {
            elapsed: Duration::from_micros(1_234_600),
            peak_memory: size::prose(4_300_800),
        });
        TableRow { key: key.into(), what, tries: 2, ended, node: None }
    }

    #[test]
    fn columns_are_exact_whatever_the_keys() {
        let rows = [
            row("a", OutcomeCell::Good("succeeded")),
            row("\u{4e00}\u{4e8c}\n", OutcomeCell::Bad("exit 3".to_owned())),
            TableRow {
                ended: None,
                tries: 0,
                ..row("", OutcomeCell::Faint("not run"))
            },
            row(&"x".repeat(WIDEST + 3), OutcomeCell::Bad("SIGKILL".to_owned())),
        ];
        let width = rows[..3].iter().map(|row| key_width(&row.key)).max().unwrap();
        let table = JobTable::new(width, NodeColumn::Absent, Palette::default());
        let lines: Vec<String> = rows.iter().map(|row| table.line(row)).collect();
        assert_eq!(table.head(), "KEY     OUTCOME        SECONDS  TRIES   PEAK\n");
        assert_eq!(lines[0], "a       succeeded        1.235      2   4.1M\n");
        assert_eq!(lines[1], "\u{4e00}\u{4e8c}\\n  exit 3           1.235      2   4.1M\n");
        assert_eq!(lines[2], "\"\"      not run              -      0      -\n");
        assert_eq!(lines[3], format!("{}  SIGKILL          1.235      2   4.1M\n", "x".repeat(WIDEST + 3)));
        let table = JobTable::new(width, NodeColumn::Present, Palette::default());
        assert_eq!(table.head(), "KEY     OUTCOME        SECONDS  TRIES   PEAK  NODE\n");
        let on = TableRow { node: Some("n\t3".into()), ..rows[0].clone() };
        assert_eq!(table.line(&on), "a       succeeded        1.235      2   4.1M  n\\t3\n");
        assert_eq!(table.line(&rows[2]), "\"\"      not run              -      0      -  -\n");
    }

    #[test]
    fn an_outcome_is_a_word_or_two_that_fit_their_column() {
        let killed = Status::Signalled(Signal::KILL);
        let what = |end| OutcomeCell::of(&Ran::new(end).into());
        assert_eq!(what(End::Itself(Status::Exited(0))), OutcomeCell::Good("succeeded"));
        assert_eq!(what(End::Itself(Status::Exited(255))), OutcomeCell::Bad("exit 255".to_owned()));
        assert_eq!(what(End::Itself(killed)), OutcomeCell::Bad("SIGKILL".to_owned()));
        assert_eq!(what(End::TimedOut(killed)), OutcomeCell::Bad("timed out".to_owned()));
        assert_eq!(what(End::Stopped(killed)), OutcomeCell::Notable("stopped"));
        assert_eq!(
            OutcomeCell::of(&NotStarted::NeverReached.into()),
            OutcomeCell::Bad("not started".to_owned())
        );
        for number in 1..=64 {
            let what = Signal::from_number(number).map(|signal| signal.to_string()).unwrap_or_default();
            assert!(what.len() <= OUTCOME, "{what}");
        }
    }
}
