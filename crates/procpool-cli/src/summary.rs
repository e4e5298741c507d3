//! The closing summary, on standard error: how many, and what failed.
//! Knows nothing of what it counts but the tally.

use std::fmt::Write as _;
use std::time::Duration;

use crate::duration::prose;
use crate::tally::{Remark, Rest, Tally};

/// The summary of a run that took so long.
pub(crate) fn summary(tally: &Tally, elapsed: Duration) -> String {
    let mut text = String::new();
    line(&mut text, format_args!("procpool: {}; {}", counts(tally), prose(elapsed)));
    for remark in &tally.remarks {
        describe(&mut text, remark);
    }
    if tally.unremarked > 0 {
        line(&mut text, format_args!("  and {} more", tally.unremarked));
    }
    text
}

/// How many jobs there were, and what came of them: what didn't happen is not said.
fn counts(tally: &Tally) -> String {
    let counts = [
        (tally.succeeded, "succeeded"),
        (tally.failed, "failed"),
        (tally.stopped, "stopped"),
        (tally.retried, "tried again"),
        (tally.unrun.known, "not run"),
        (tally.leaked, "leaked a process"),
    ];
    let happened = counts.into_iter().filter(|(count, _)| *count > 0);
    let mut parts: Vec<String> = happened.map(|(count, what)| format!("{count} {what}")).collect();
    if tally.unrun.input == Rest::Unknown {
        parts.push("the rest of the input not read".to_owned());
    }
    let jobs = match tally.jobs() {
        1 => "1 job".to_owned(),
        jobs => format!("{jobs} jobs"),
    };
    if parts.is_empty() { jobs } else { format!("{jobs}: {}", parts.join(", ")) }
}

fn describe(text: &mut String, remark: &Remark) {
    let Remark { key, outcome, elapsed, last_words, again } = remark;
    let key = if key.is_empty() { "\"\"" } else { key };
    let after = elapsed.map_or_else(String::new, |elapsed| format!(", {}", prose(elapsed)));
    line(text, format_args!("  {key}: {outcome}{after}"));
    for word in last_words {
        line(text, format_args!("    | {word}"));
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
    use crate::tally::Unrun;

    #[test]
    fn a_success_is_one_line() {
        let tally = Tally { succeeded: 12, ..Tally::default() };
        assert_eq!(summary(&tally, Duration::from_millis(3210)), "procpool: 12 jobs: 12 succeeded; 3.21s\n");
        assert_eq!(summary(&Tally::default(), Duration::ZERO), "procpool: 0 jobs; 0ms\n");
    }

    #[test]
    fn an_input_that_was_not_read_to_its_end_is_said() {
        let mut tally = Tally { succeeded: 1, ..Tally::default() };
        tally.note_rest(procpool_core::Pending::AtLeast(2));
        let expected = "procpool: 3 jobs: 1 succeeded, 2 not run, the rest of the input not read; 1ms\n";
        assert_eq!(summary(&tally, Duration::from_millis(1)), expected);
    }

    #[test]
    fn those_that_failed_are_listed_with_their_last_words_and_the_rest_is_counted() {
        let remark = Remark {
            key: "a b".into(),
            outcome: "exit 3".into(),
            elapsed: Some(Duration::from_millis(20)),
            last_words: vec!["no such thing".into()],
            again: Some("wc 'a b'".into()),
        };
        let tally = Tally {
            succeeded: 1,
            failed: 3,
            stopped: 0,
            retried: 0,
            unrun: Unrun { known: 2, input: Rest::None },
            leaked: 1,
            remarks: vec![remark],
            unremarked: 2,
        };
        let expected = "procpool: 6 jobs: 1 succeeded, 3 failed, 2 not run, 1 leaked a process; 1m05s\n  \
                        a b: exit 3, 20ms\n    | no such thing\n    again: wc 'a b'\n  and 2 more\n";
        assert_eq!(summary(&tally, Duration::from_secs(65)), expected);
    }
}
