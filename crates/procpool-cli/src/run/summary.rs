//! The summary at the end, on standard error: how many jobs, and which failed.

use std::fmt::Write as _;
use std::time::Duration;

use crate::guard::{self, LeakedProcess};
use crate::run::tally::{Remark, SinkDelivery, Tally, UnreadInput};
use crate::terminal::colour::{Palette, paint};
use crate::units::duration::prose;

/// Whether there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SummaryWish {
    Auto,
    Always,
    Never,
}

/// The summary of a run; `left` are the leftover processes that were killed at its end.
pub(crate) fn summary(tally: &Tally, left: &[LeakedProcess], elapsed: Duration, palette: &Palette) -> String {
    let mut text = String::new();
    let whole = format!("procpool: {}; {}{}\n", counts(tally, palette), prose(elapsed), busy(tally, elapsed));
    text.push_str(&whole);
    for remark in &tally.remarks {
        describe(&mut text, remark, palette);
    }
    if tally.unremarked > 0 {
        line(&mut text, format_args!("  and {} more", tally.unremarked));
    }
    if !left.is_empty() {
        line(&mut text, format_args!("  ended what jobs had left: {}", guard::list(left)));
    }
    if text.lines().count() > SCREEN {
        text.push_str(&whole);
    }
    text
}

/// The first line of a longer summary may have scrolled off the screen, so it is repeated at the end.
const SCREEN: usize = 20;

/// The number of jobs by result; counts of 0 are left out.
fn counts(tally: &Tally, palette: &Palette) -> String {
    let counts = [
        (tally.succeeded, "succeeded", palette.good),
        (tally.failed - tally.lost, "failed", palette.bad),
        (tally.lost, "lost", palette.bad),
        (tally.stopped, "stopped", palette.notable),
        (tally.retried, "tried again", palette.notable),
        (tally.unrun.known, "not run", palette.notable),
        (tally.leaked, "leaked a process", palette.notable),
    ];
    let happened = counts.into_iter().filter(|(count, ..)| *count > 0);
    let told = |(count, what, style)| paint(style, &format!("{count} {what}"));
    let mut parts: Vec<String> = happened.map(told).collect();
    if tally.unrun.input == UnreadInput::Unknown {
        parts.push("the rest of the input not read".to_owned());
    }
    if tally.delivery == SinkDelivery::Partial {
        parts.push(paint(palette.bad, "not all recorded and printed"));
    }
    let jobs = match tally.jobs() {
        1 => "1 job".to_owned(),
        jobs => format!("{jobs} jobs"),
    };
    if parts.is_empty() { jobs } else { format!("{jobs}: {}", parts.join(", ")) }
}

/// How much of the time slots were taken. Left out for runs that are too short to tell.
fn busy(tally: &Tally, elapsed: Duration) -> String {
    let capacity = elapsed.as_secs_f64() * f64::from(tally.slots);
    // On a cluster, slots are not known.
    if elapsed < Duration::from_secs(1) || capacity <= 0.0 || tally.busy.is_zero() {
        return String::new();
    }
    // The two clocks may differ a little.
    let percent = (tally.busy.as_secs_f64() / capacity * 100.0).min(100.0);
    format!(", slots {percent:.0}% busy")
}

fn describe(text: &mut String, remark: &Remark, palette: &Palette) {
    let Remark { key, outcome, elapsed, node, last_words, again } = remark;
    let key = if key.is_empty() { "\"\"" } else { key };
    let after = elapsed.map_or_else(String::new, |elapsed| format!(", {}", prose(elapsed)));
    let place = node.as_ref().map_or_else(String::new, |node| format!(", on {node}"));
    line(text, format_args!("  {key}: {}{after}{place}", paint(palette.bad, outcome)));
    for word in last_words {
        line(text, format_args!("    {}", paint(palette.faint, &format!("| {word}"))));
    }
    if let Some(again) = again {
        line(text, format_args!("    again: {again}"));
    }
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    writeln!(text, "{arguments}").expect("BUG: a string takes all");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tally::Unrun;

    fn plain(tally: &Tally, elapsed: Duration) -> String {
        summary(tally, &[], elapsed, &Palette::default())
    }

    #[test]
    fn a_success_is_one_line() {
        let tally = Tally { succeeded: 12, ..Tally::default() };
        assert_eq!(plain(&tally, Duration::from_millis(321)), "procpool: 12 jobs: 12 succeeded; 321ms\n");
        assert_eq!(plain(&Tally::default(), Duration::ZERO), "procpool: 0 jobs; 0ms\n");
    }

    #[test]
    fn what_failed_stands_out_in_colour() {
        let tally = Tally { succeeded: 1, failed: 2, ..Tally::default() };
        let coloured = summary(&tally, &[], Duration::ZERO, &Palette::coloured());
        let expected = "procpool: 3 jobs: \x1b[32m1 succeeded\x1b[0m, \x1b[1m\x1b[31m2 failed\x1b[0m; 0ms\n";
        assert_eq!(coloured, expected);
    }

    #[test]
    fn an_input_that_was_not_read_to_its_end_is_said() {
        let mut tally = Tally { succeeded: 1, ..Tally::default() };
        tally.note_rest(procpool_core::Pending::AtLeast(2));
        let expected = "procpool: 3 jobs: 1 succeeded, 2 not run, the rest of the input not read; 1ms\n";
        assert_eq!(plain(&tally, Duration::from_millis(1)), expected);
    }

    #[test]
    fn a_success_that_nobody_was_told_of_is_not_left_at_that() {
        let tally = Tally {
            succeeded: 2,
            delivery: SinkDelivery::Partial,
            ..Tally::default()
        };
        let expected = "procpool: 2 jobs: 2 succeeded, not all recorded and printed; 1ms\n";
        assert_eq!(plain(&tally, Duration::from_millis(1)), expected);
    }

    #[test]
    fn those_that_failed_are_listed_with_their_last_words_and_the_rest_is_counted() {
        let remark = Remark {
            key: "a b".into(),
            outcome: "exit 3".into(),
            elapsed: Some(Duration::from_millis(20)),
            node: Some("n3".into()),
            last_words: vec!["no such thing".into()],
            again: Some("wc 'a b'".into()),
        };
        let tally = Tally {
            succeeded: 1,
            failed: 3,
            lost: 1,
            stopped: 0,
            unrun: Unrun { known: 2, input: UnreadInput::None },
            retried: 2,
            largest_status: 3,
            leaked: 1,
            delivery: SinkDelivery::Complete,
            busy: Duration::from_secs(130),
            slots: 4,
            remarks: vec![remark],
            unremarked: 2,
        };
        let expected = "procpool: 6 jobs: 1 succeeded, 2 failed, 1 lost, 2 tried again, 2 not run, 1 leaked a process; \
                        1m05s, slots 50% busy\n  \
                        a b: exit 3, 20ms, on n3\n    | no such thing\n    again: wc 'a b'\n  and 2 more\n";
        assert_eq!(plain(&tally, Duration::from_secs(65)), expected);
    }
}
