//! The lines of the display, for a state of the run and a size of the terminal: pure.

use std::time::Duration;

use crate::terminal::colour::{Palette, paint};
use crate::terminal::progress::bar;
use crate::terminal::progress::figures::{RunFigures, whole_seconds};
use crate::terminal::progress::width::{cut, width};
use crate::terminal::screen::Size;
use crate::terminal::shown;

/// One of the jobs that have been running for the longest time.
#[derive(Clone, Debug)]
pub(super) struct LongestJob {
    /// Escaped.
    pub(super) key: String,
    pub(super) elapsed: Duration,
}

/// At most this many jobs are shown.
pub(super) const MOST_KEYS: usize = 8;

const SEPARATOR: &str = "  ";

/// A line for the run, and one for each job, longest first, as far as there is room.
///
/// One row is left for the output. The last column stays free, because a character there may move the cursor
/// to the next line.
pub(super) fn lines(
    figures: &RunFigures,
    longest: &[LongestJob],
    size: Size,
    palette: &Palette,
) -> Vec<String> {
    let (rows, columns) = (size.rows.saturating_sub(1), size.columns.saturating_sub(1));
    let run = bar::line(figures, columns, palette);
    let jobs = longest.iter().take(MOST_KEYS).map(|job| job_line(job, columns, palette));
    std::iter::once(run).chain(jobs).take(rows).collect()
}

/// Inserts a second line: the state of the run on a cluster.
pub(super) fn with_place(mut lines: Vec<String>, place: Option<&str>, size: Size) -> Vec<String> {
    let (rows, columns) = (size.rows.saturating_sub(1), size.columns.saturating_sub(1));
    if let (Some(place), false) = (place, lines.is_empty()) {
        lines.insert(1, cut(&shown::name(place), columns));
        lines.truncate(rows);
    }
    lines
}

fn job_line(job: &LongestJob, columns: usize, palette: &Palette) -> String {
    let time = format!("{:>8}", whole_seconds(job.elapsed));
    let key = if job.key.is_empty() { "\"\"" } else { &job.key };
    match columns.checked_sub(width(&time) + SEPARATOR.len()) {
        Some(room) => format!("{}{SEPARATOR}{}", paint(palette.faint, &time), cut(key, room)),
        None => cut(key, columns),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIZE: Size = Size { columns: 80, rows: 24 };

    fn figures() -> RunFigures {
        RunFigures {
            done: 123,
            total: Some(500),
            running: 32,
            retrying: 0,
            failed: 3,
            elapsed: Duration::from_secs(47),
        }
    }

    fn jobs(keys: &[&str]) -> Vec<LongestJob> {
        let seconds = (0..keys.len() as u64).map(|place| 151 >> place);
        keys.iter()
            .zip(seconds)
            .map(|(key, seconds)| LongestJob {
                key: (*key).to_owned(),
                elapsed: Duration::from_secs(seconds),
            })
            .collect()
    }

    fn shown(longest: &[LongestJob], size: Size) -> Vec<String> {
        lines(&figures(), longest, size, &Palette::default())
    }

    #[test]
    fn a_line_for_the_run_stands_above_the_jobs() {
        let expected = [
            "[######                    ]  123/500 24%  32 running  3 failed  47s, ETA 2m24s",
            "   2m31s  videos/summer.mkv",
            "   1m15s  \"\"",
        ];
        assert_eq!(shown(&jobs(&["videos/summer.mkv", ""]), SIZE), expected);
    }

    #[test]
    fn how_a_run_stands_elsewhere_is_the_second_line() {
        let with = |rows, columns, place| {
            let size = Size { columns, rows };
            with_place(shown(&jobs(&["a", "b"]), size), place, size).split_off(1)
        };
        assert_eq!(with(24, 80, None).len(), 2);
        let place = "4 slices run on n1, n2; 2 slices wait: Priority";
        assert_eq!(with(24, 80, Some(place)), [place, "   2m31s  a", "   1m15s  b"]);
        assert_eq!(with(3, 21, Some("a\tb 4 slices run on n1")), ["a\\tb 4 slices run .."]);
        assert_eq!(with_place(Vec::new(), Some(place), SIZE), [""; 0]);
    }

    #[test]
    fn where_the_end_is_not_known_there_is_no_bar() {
        let unknown = RunFigures { total: None, ..figures() };
        let expected = ["123 done, 2.6/s  32 running  3 failed  47s"];
        assert_eq!(lines(&unknown, &[], SIZE, &Palette::default()), expected);
    }

    #[test]
    fn there_are_never_more_lines_than_the_terminal_has_room_for() {
        let jobs = jobs(&["a"; 20]);
        for (rows, expected) in [(0, 0), (1, 0), (2, 1), (5, 4), (9, 8), (24, 9), (1000, 9)] {
            assert_eq!(shown(&jobs, Size { columns: 80, rows }).len(), expected, "{rows}");
        }
    }

    #[test]
    fn on_a_narrow_terminal_the_bar_goes_first_then_the_end_of_the_line() {
        assert_eq!(
            shown(&[], Size { columns: 56, rows: 24 }),
            ["123/500 24%  32 running  3 failed  47s, ETA 2m24s"]
        );
        assert_eq!(shown(&[], Size { columns: 21, rows: 24 }), ["123/500 24%  32 ru.."]);
        assert_eq!(shown(&jobs(&["abcdef"]), Size { columns: 9, rows: 24 })[1], "abcdef");
    }

    proptest! {
        #[test]
        fn no_line_reaches_the_last_column(
            key in "\\PC{0,200}", columns in 1_usize..200, rows in 1_usize..30, total: Option<u64>, done: u64,
        ) {
            let figures = RunFigures { done, total, ..figures() };
            let size = Size { columns, rows };
            for line in lines(&figures, &jobs(&[&key, &key]), size, &Palette::default()) {
                prop_assert!(width(&line) < columns, "{line:?}");
            }
        }
    }
}
