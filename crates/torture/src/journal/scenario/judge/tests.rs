use super::*;
use crate::journal::scenario::lines::{Repeats, Segment, read};

/// Line `number` of three, of the job with this letter.
fn line(key: char, number: u64) -> Vec<u8> {
    Mark {
        key: key.into(),
        pid: 7,
        stream: Stream::Stdout,
        number,
        count: 3,
    }
    .line(60)
}

/// Judges lines such as `a1 a2 a3`, run by run. The list is a and b, and both are recorded.
fn verdict(runs: &[&str], printing: Printing, duties: &[(char, Duty)]) -> Verdict {
    let bytes = |run: &&str| {
        let lines = run.split(' ').filter(|word| !word.is_empty()).map(|word| {
            let (key, number) = word.split_at(1);
            let (number, cut) =
                number.split_once('-').map_or((number, None), |(number, cut)| (number, Some(cut)));
            let mut line = line(key.chars().next().unwrap(), number.parse().unwrap());
            line.truncate(cut.map_or(line.len(), |cut| cut.parse().unwrap()));
            line
        });
        Segment { bytes: lines.flatten().collect(), is_killed: true }
    };
    let segments: Vec<Segment> = runs.iter().map(bytes).collect();
    let told = PrintOptions { printing, order: None };
    let output = |(key, duty): &(char, Duty)| Output {
        process: (key.to_string(), 7),
        stream: Stream::Stdout,
        count: 3,
        duty: *duty,
    };
    let evidence = Evidence {
        runs: vec![told; runs.len()],
        started: [("a".to_owned(), 7), ("b".to_owned(), 7)].map(|process| (process, 0)).into(),
        outputs: duties.iter().map(output).collect(),
        jobs: Vec::new(),
        trust: Trust::Whole,
        is_done: true,
        is_label: |label, _| label.is_empty(),
    };
    judge(&[read(&segments, Repeats::None)], &evidence)
}

fn counts(verdict: &Verdict) -> [u64; 5] {
    [verdict.lost, verdict.doubled, verdict.mixed, verdict.torn, verdict.early]
}

const BOTH: [(char, Duty); 2] = [('a', Duty::All), ('b', Duty::All)];

#[test]
fn whole_blocks_in_any_order_and_over_several_runs_are_right() {
    for runs in [&["a1 a2 a3 b1 b2 b3"][..], &["b1 b2", "b3 a1 a2 a3"]] {
        let verdict = verdict(runs, Printing::Blocks, &BOTH);
        assert!(verdict.is_good() && verdict.lines == 6, "{verdict:?}");
    }
}

#[test]
fn each_fault_is_counted_as_what_it_is() {
    for (runs, expected) in [
        (&["a1 a2 b1 b2 b3"][..], [1, 0, 0, 0, 0]),
        (&["a1 a2 a3"], [3, 0, 0, 0, 0]),
        (&["a1 a2 a3 b1 b2 b3", "b3"], [0, 1, 0, 0, 0]),
        (&["a1 b1 b2 b3 a2 a3"], [0, 0, 1, 0, 0]),
        (&["a2 a1 a3 b1 b2 b3"], [0, 0, 1, 0, 0]),
        (&["a1 a2 a3-20 b1 b2 b3"], [2, 0, 0, 1, 0]),
    ] {
        assert_eq!(counts(&verdict(runs, Printing::Blocks, &BOTH)), expected, "{runs:?}");
    }
}

#[test]
fn what_was_not_recorded_may_come_only_line_by_line_and_from_the_first_on() {
    let only_a = &BOTH[..1];
    assert_eq!(counts(&verdict(&["b1 a1 a2 a3"], Printing::Blocks, only_a)), [0, 0, 0, 0, 1]);
    assert_eq!(counts(&verdict(&["b1 a1 b2 a2 a3"], Printing::Lines, only_a)), [0; 5]);
    assert_eq!(counts(&verdict(&["b1 a1 b3 a2 a3"], Printing::Lines, only_a)), [1, 0, 0, 0, 0]);
}

#[test]
fn of_an_attempt_that_another_followed_all_comes_or_nothing() {
    let duties = [('a', Duty::All), ('b', Duty::AllOrNothing)];
    assert_eq!(counts(&verdict(&["a1 a2 a3"], Printing::Blocks, &duties)), [0; 5]);
    assert_eq!(counts(&verdict(&["b1", "a1 a2 a3"], Printing::Blocks, &duties)), [2, 0, 0, 0, 0]);
    let duties = [('a', Duty::All), ('b', Duty::First)];
    assert_eq!(counts(&verdict(&["b1", "a1 a2 a3"], Printing::Lines, &duties)), [0; 5]);
}
