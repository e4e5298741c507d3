//! `--output` and what `-k` prints while jobs run.
//! Does not repeat what `output.rs` says of grouped output.

use std::fs::File;
use std::io::{BufRead, BufReader, pipe};

use crate::{Folder, lines, wait_for};

#[test]
fn with_lines_a_whole_line_comes_while_its_job_runs_and_no_line_is_mixed() {
    let folder = Folder::new();
    let script = "printf {}; printf ' begins\\n'; until [ -e seen ]; do sleep 0.01; done; printf '{} ends'";
    let running = folder.run("-j2 --output lines sh -c").args([script, ":::", "a", "b"]).start();
    let came = |lines: &[&str]| {
        let heard = running.stdout.heard();
        let mut heard: Vec<_> = heard.split_inclusive(|byte| *byte == b'\n').collect();
        heard.sort();
        heard == lines.iter().map(|line| line.as_bytes()).collect::<Vec<_>>()
    };
    wait_for("both first lines", || came(&["a begins\n", "b begins\n"]));
    folder.write("seen", "");
    // The last ones had no newline, and are lines all the same.
    wait_for("both last lines", || came(&["a begins\n", "a ends\n", "b begins\n", "b ends\n"]));
    running.end().exited(0).silent();
}

#[test]
fn lines_of_many_jobs_on_both_streams_are_whole_and_complete() {
    let script = "for n in $(seq 200); do echo {}-$n-out; echo {}-$n-err >&2; done";
    let values: Vec<String> = (1..=16).map(|n| n.to_string()).collect();
    let ended = Folder::new().run("-j8 --output lines --tag sh -c").args([script, ":::"]).args(&values).end();
    let ended = ended.exited(0);
    for (text, name) in [(ended.text(), "out"), (ended.error_text().as_str(), "err")] {
        let mut came = 0;
        for value in &values {
            // Of one job they come in order.
            let prefix = format!("{value}\t");
            let of_job: Vec<_> = text.lines().filter(|line| line.starts_with(&prefix)).collect();
            came += of_job.len();
            let expected: Vec<_> = (1..=200).map(|n| format!("{value}\t{value}-{n}-{name}")).collect();
            assert_eq!(of_job, expected);
        }
        assert_eq!(came, text.lines().count());
    }
}

#[test]
fn a_line_of_many_mb_is_one_line_and_takes_no_memory() {
    let script =
        "head -c 30000000 /dev/zero | tr '\\0' x; sleep 0.1; head -c 10 /dev/zero | tr '\\0' y; echo";
    let ended = Folder::new().run("--output lines sh -c").args([script, ":::", "1", "2"]).end().exited(0);
    let expected = format!("{}yyyyyyyyyy\n", "x".repeat(30_000_000)).repeat(2);
    assert!(ended.text() == expected);
}

#[test]
fn in_order_the_first_job_that_is_not_done_is_seen_as_it_writes() {
    let folder = Folder::new();
    let script =
        "printf '{}: begins '; until [ -e {}.seen ]; do sleep 0.01; done; echo 'and ends'; : > {}.done";
    let running = folder.run("-k -j3 sh -c").args([script, ":::", "a", "b", "c"]).start();
    running.has_printed("a: begins ");
    // The second is done before its turn, the third has begun.
    folder.write("b.seen", "");
    wait_for("the second is done", || folder.has("b.done"));
    running.has_printed("a: begins ");
    folder.write("a.seen", "");
    running.has_printed("a: begins and ends\nb: begins and ends\nc: begins ");
    folder.write("c.seen", "");
    running.end().exited(0).printed("a: begins and ends\nb: begins and ends\nc: begins and ends\n").silent();
}

#[test]
fn behind_a_slow_first_job_ten_thousand_others_run_with_few_descriptors() {
    let folder = Folder::new();
    // The first ends once the last has run.
    let script = "if [ {} = 1 ]; then until [ -e last ]; do sleep 0.01; done; fi; echo {}; if [ {} = 10000 ]; then : > last; fi";
    let trial = folder.sh("ulimit -n 64; exec procpool run -k -j8 sh -c \"$0\"").arg(script);
    let values = lines(10_000);
    trial.input(values.as_str()).end().exited(0).printed(values.as_str()).silent();
}

#[test]
fn raw_output_goes_past_procpool() {
    let folder = Folder::new();
    let out = File::create(folder.file("out")).unwrap();
    let script = "[ /proc/$$/fd/1 -ef out ] && echo same";
    folder.run("--output raw sh -c").args([script, ":::", "a"]).stdout(out).end().exited(0).silent();
    assert_eq!(folder.read("out"), "same\n");
}

#[test]
fn raw_output_can_be_neither_ordered_nor_tagged_and_needs_somewhere_to_go() {
    let folder = Folder::new();
    for flag in ["--keep-order", "--tag"] {
        let ended = folder.run("--output raw").args([flag, "touch", ":::", "ran"]).end().exited(2);
        ended.said(flag).said("try --output lines");
    }
    folder.sh("procpool run --output raw touch ::: ran >&-").end().exited(2).said("standard output");
    assert!(!folder.has("ran"));
}

#[test]
fn with_no_output_nothing_is_printed_and_failures_are_told_all_the_same() {
    let ended =
        Folder::new().run("--output none sh -c").args(["echo out; echo why >&2; exit {}", ":::", "0", "3"]);
    let ended = ended.end().exited(1).printed("").said("2 jobs: 1 succeeded, 1 failed").said("    | why\n");
    assert!(!ended.error_text().starts_with("why"), "{}", ended.error_text());
}

#[test]
fn lines_go_on_being_taken_while_nobody_reads_and_the_reader_that_comes_late_gets_all() {
    let folder = Folder::new();
    let script = "seq 200000; : > done";
    let (reader, writer) = pipe().unwrap();
    let running = folder.run("--output lines sh -c").args([script, ":::", "a"]).stdout(writer).start();
    wait_for("the job is not held up by a reader who doesn't read", || folder.has("done"));
    let lines = BufReader::new(reader).lines().take(200_000);
    assert!(lines.map(|line| line.unwrap().parse::<u32>().unwrap()).eq(1..=200_000));
    running.end().exited(0);
}
