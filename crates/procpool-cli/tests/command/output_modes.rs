//! The modes of `--output`, and what `-k` prints while jobs run. Grouped output is tested in `output.rs`.

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
    // The last lines had no newline, and are printed all the same.
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
            // The lines of one job are in order.
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
    let script = "echo '{} begins'; until [ -e {}.seen ]; do sleep 0.01; done; echo '{} ends'; : > {}.done";
    let running = folder.run("-k -j3 sh -c").args([script, ":::", "a", "b", "c"]).start();
    running.has_printed("a begins\n");
    // The second job ends before its turn, and the third has begun.
    folder.write("b.seen", "");
    wait_for("the second is done", || folder.has("b.done"));
    running.has_printed("a begins\n");
    folder.write("a.seen", "");
    running.has_printed("a begins\na ends\nb begins\nb ends\nc begins\n");
    folder.write("c.seen", "");
    running.end().exited(0).printed("a begins\na ends\nb begins\nb ends\nc begins\nc ends\n").silent();
}

#[test]
fn behind_a_slow_first_job_ten_thousand_others_run_with_few_descriptors() {
    let folder = Folder::new();
    // The first job ends once the last has run.
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

#[test]
fn a_long_line_is_not_cut_by_the_end_of_its_job() {
    // Each job ends while its line, of three pieces, is being printed.
    let values: Vec<String> = (0..150).map(|n| (n % 10).to_string()).collect();
    let script = "head -c 150000 /dev/zero | tr '\\0' {}; echo";
    let ended =
        Folder::new().run("-j8 --output lines sh -c").args([script, ":::"]).args(values).end().exited(0);
    assert_eq!(ended.text().lines().count(), 150);
    for line in ended.text().lines() {
        assert!(
            line.len() == 150_000 && line.bytes().all(|byte| byte == line.as_bytes()[0]),
            "{}",
            line.len()
        );
    }
}

#[test]
fn lines_of_a_failed_attempt_are_printed_once_where_the_next_never_comes() {
    let folder = Folder::new();
    let words = "-j1 --output lines --retries 2 --retry-delay 1h sh -c";
    let running = folder.run(words).args(["echo out; echo error >&2; exit 1", ":::", "x"]).start();
    running.has_printed("out\n");
    running.signal(rustix::process::Signal::USR2);
    let ended = running.end().exited(1).printed("out\n");
    assert_eq!(
        ended.error_text().matches("error\n").count(),
        2,
        "once, and in the summary: {}",
        ended.error_text()
    );
}

#[test]
fn in_order_the_lines_of_the_first_job_are_whole_and_its_standard_output_comes_first_in_one_file() {
    let folder = Folder::new();
    let script = "printf abc; sleep 0.05; echo err >&2; sleep 0.05; echo def; echo err2 >&2";
    let run = format!("procpool run -k --tag sh -c \"{script}\" ::: a b 2>&1");
    let expected = "a\tabcdef\na\terr\na\terr2\nb\tabcdef\nb\terr\nb\terr2\n";
    folder.sh(&run).end().exited(0).printed(expected);
}

#[test]
fn what_has_been_printed_does_not_fill_the_temporary_directory() {
    let folder = Folder::new();
    // 40 MB, of which no more than a few may be on disk at any moment.
    let script = "seq 1000000 1005000 > part; for n in $(seq 1000); do cat part; done";
    for mode in ["--output lines", "-k", "--output none"] {
        let run = format!(
            "exec procpool run {mode} sh -c '{script}; sleep 0.2; : > done; until [ -e go ]; do sleep 0.01; done' ::: x"
        );
        let running = folder.sh(&run).stdout(File::create(folder.file("out")).unwrap()).start();
        wait_for("the job has written all", || folder.has("done"));
        let pool = running.pool();
        let spooled = || {
            let links =
                std::fs::read_dir(format!("/proc/{pool}/fd")).unwrap().map(|entry| entry.unwrap().path());
            let is_spool = |path: &std::path::PathBuf| {
                std::fs::read_link(path).is_ok_and(|target| target.to_string_lossy().ends_with(" (deleted)"))
            };
            let blocks = |path| {
                std::fs::metadata(path)
                    .map_or(0, |metadata| std::os::unix::fs::MetadataExt::blocks(&metadata))
            };
            links.filter(is_spool).map(blocks).sum::<u64>() * 512
        };
        wait_for("what was printed takes no room", || spooled() < 4_000_000);
        folder.write("go", "");
        running.end().exited(0);
        let expected = if mode == "--output none" { 0 } else { 1000 * 5001 * 8 };
        assert_eq!(std::fs::metadata(folder.file("out")).unwrap().len(), expected, "{mode}");
        std::fs::remove_file(folder.file("go")).unwrap();
        std::fs::remove_file(folder.file("done")).unwrap();
    }
}
