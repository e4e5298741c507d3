//! `procpool export`: a journal in each format for other programs.

use std::fs::{self, File};

use rustix::process::Signal;
use serde_json::Value;

use crate::journal_tells::recorded;
use crate::{Ended, Folder, wait_for};

const FORMATS: [&str; 4] = ["joblog", "csv", "jsonl", "junit"];

fn export(folder: &Folder, format: &str) -> Ended {
    folder.procpool(&["export", "j", "--format", format]).end().exited(0).silent()
}

/// A text without the parts that depend on the time.
fn timeless(text: &str) -> String {
    let is_of_time = |part: &&str| {
        let number = part.trim_matches(|character: char| !character.is_ascii_digit());
        ["time=", "timestamp="].iter().any(|name| part.starts_with(name))
            || number.parse::<f64>().is_ok_and(|_| number.contains('.'))
    };
    let line =
        |line: &str| line.split([' ', '\t']).filter(|part| !is_of_time(part)).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_joblog_and_a_report_are_those_that_the_run_has_written() {
    let folder = Folder::new();
    let script = "echo out $1; echo err $1 >&2; case $1 in b) exit 3;; c) kill -9 $$;; d) sleep 1000;; esac";
    folder.write("job", script);
    let options = "--journal j --joblog log --junit xml -j1 --retries 1 --timeout 300ms --env A=1 sh job";
    folder.run(options).args([":::", "a", "b", "c", "d", "e f"]).end().exited(1);
    assert_eq!(timeless(export(&folder, "joblog").text()), timeless(&folder.read("log")));
    assert_eq!(timeless(export(&folder, "junit").text()), timeless(&folder.read("xml")));
    // The report of a missing program contains the system's error message.
    folder.run("--journal k --junit xml ./missing ::: a").end().exited(1);
    let ended = folder.procpool(&["export", "k", "--format", "junit"]).end().exited(0).silent();
    assert_eq!(timeless(ended.text()), timeless(&folder.read("xml")));
}

#[test]
fn a_joblog_is_to_the_byte_the_one_that_the_run_has_written() {
    let folder = Folder::new();
    let jobs: Vec<String> = (0..8)
        .flat_map(|number| {
            [format!(r#""ok{number}": ["true"]"#), format!(r#""missing{number}": ["./missing"]"#)]
        })
        .collect();
    folder.write("jobs.json", format!("{{{}}}", jobs.join(", ")));
    folder.run("--journal j --joblog log -j1 --file jobs.json").end().exited(1);
    assert_eq!(export(&folder, "joblog").text(), folder.read("log"));
}

#[test]
fn a_line_of_json_or_a_row_is_the_attempt_that_counts_or_each() {
    let folder = recorded();
    let lines = objects(export(&folder, "jsonl").text());
    let told =
        |line: &Value| format!("{} {} {} {}", line["key"], line["attempt"], line["status"], line["command"]);
    assert_eq!(
        lines.iter().map(told).collect::<Vec<_>>(),
        [
            r#""a" 1 0 "env A=1 sh job a""#,
            r#""b" 2 3 "env A=1 sh job b""#,
            r#""c" 2 137 "env A=1 sh job c""#,
            r#""d e" 1 0 "env A=1 sh job 'd e'""#,
        ]
    );
    assert_eq!((&lines[1]["stdout"], &lines[1]["stderr"]), (&"out b\n".into(), &"err b\n".into()));
    assert!(lines.iter().all(|line| line.get("check").is_none()));
    let csv = export(&folder, "csv");
    assert!(csv.text().starts_with("key,key_base64,seq,"), "{}", csv.describe());
    assert_eq!(csv.text().lines().count(), 5);
    let all = |format| folder.procpool(&["export", "j", "--all", "--format", format]).end();
    assert_eq!(objects(all("jsonl").exited(0).silent().text()).len(), 6);
    assert_eq!(all("csv").exited(0).silent().text().lines().count(), 7);
    all("joblog").exited(2).printed("").said("--all goes with");
}

#[test]
fn jobs_that_have_not_ended_are_told_of_too() {
    let folder = Folder::new();
    folder.write("job", "[ $1 = 1 ] || { : > started; exec sleep 1000; }");
    let running = folder.run("--journal j -j1 sh job ::: 1 2 3").start();
    wait_for("the second job has started", || folder.has("started"));
    let outcomes = || {
        let lines = objects(export(&folder, "jsonl").text());
        lines.iter().map(|line| line["outcome"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    wait_for("it is known to run", || outcomes() == ["exited", "running", "never_reached"]);
    let junit = export(&folder, "junit");
    assert!(
        junit.text().contains(r#"tests="3" failures="0" errors="0" skipped="2""#),
        "{}",
        junit.describe()
    );
    assert_eq!(export(&folder, "joblog").text().lines().count(), 2);
    running.signal(Signal::INT);
    running.end().died_of(Signal::INT);
    assert_eq!(outcomes(), ["exited", "stopped", "never_reached"]);
}

#[test]
fn attempts_of_jobs_that_left_the_list_are_among_all_of_them() {
    let folder = Folder::new();
    folder.run("--journal j echo ::: a b").end().exited(0);
    folder.run("--journal j --resume echo ::: c b").end().exited(0);
    let keys = |words: &[&str]| {
        let ended = folder.procpool(&[&["export", "j", "--format", "jsonl"], words].concat()).end().exited(0);
        let lines = objects(ended.said("no longer on the list").text());
        lines.iter().map(|line| format!("{}{}", line["key"], line["seq"])).collect::<Vec<_>>()
    };
    assert_eq!(keys(&[]), [r#""c"1"#, r#""b"2"#]);
    assert_eq!(keys(&["--all"]), [r#""c"1"#, r#""b"2"#, r#""a"1"#]);
}

#[test]
fn a_key_that_is_no_text_keeps_its_bytes() {
    let folder = Folder::new();
    folder.run("--journal j -0 true").input(b"\xff,\"\n\0".to_vec()).end().exited(0);
    assert_eq!(objects(export(&folder, "jsonl").text())[0]["key_base64"], "/ywiCg==");
    assert!(export(&folder, "csv").text().contains("\"\u{fffd},\"\"\n\",/ywiCg==,1,"));
    let row = export(&folder, "joblog");
    assert!(row.text().ends_with("true $'\\377,\"\\n'\n"), "{}", row.describe());
}

#[test]
fn no_cell_is_a_formula_where_that_is_asked_for() {
    let folder = Folder::new();
    folder.run("--journal j true :::").args(["=1+1", "a=1", "'-1", "\t=1"]).end().exited(0);
    let keys = |options: &[&str]| {
        let words = [&["export", "j", "--format", "csv"], options].concat();
        let ended = folder.procpool(&words).end().exited(0).silent();
        let rows = ended.text().lines().skip(1);
        rows.map(|row| row.split(',').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(keys(&[]), ["=1+1", "a=1", "'-1", "\t=1"]);
    assert_eq!(keys(&["--csv-safe"]), ["'=1+1", "a=1", "''-1", "'\t=1"]);
    let other = folder.procpool(&["export", "j", "--format", "jsonl", "--csv-safe"]).end().exited(2);
    other.printed("").said("--csv-safe is about cells; it goes with --format csv");
}

#[test]
fn an_export_that_can_not_be_whole_is_no_success() {
    let folder = recorded();
    for format in FORMATS {
        let trial = || folder.procpool(&["export", "j", "--format", format]);
        let full = File::options().write(true).open("/dev/full").unwrap();
        trial().stdout(full).end().exited(3).said("can't write to standard output");
        let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        drop(reader);
        trial().stdout(writer).end().died_of(Signal::PIPE).silent();
    }
    let whole = fs::read(folder.file("j/journal.jsonl")).unwrap();
    folder.write("j/journal.jsonl", &whole[..whole.len() - 3]);
    for format in FORMATS {
        folder.procpool(&["export", "j", "--format", format]).end().exited(0).said("torn off");
    }
    let mut damaged = whole;
    damaged[1000] ^= 1;
    folder.write("j/journal.jsonl", &damaged);
    for format in FORMATS {
        folder
            .procpool(&["export", "j", "--format", format])
            .end()
            .exited(2)
            .printed("")
            .said("damaged at byte");
    }
    folder.procpool(&["export", "j"]).end().exited(2).said("--format");
    folder.procpool(&["export", "j", "--format", "xml"]).end().exited(2).said("joblog, csv, jsonl, junit");
}

#[test]
fn a_damaged_output_is_not_quoted_in_a_report() {
    let folder = Folder::new();
    folder.run("--journal j --output none sh -c").args(["seq 10000; exit 1", ":::", "a"]).end().exited(1);
    let mut outputs = fs::read(folder.file("j/outputs")).unwrap();
    outputs[20_000] ^= 1;
    folder.write("j/outputs", &outputs);
    let ended = folder.procpool(&["export", "j", "--format", "junit"]).end().exited(2).printed("");
    ended.said("damaged").said("j/outputs");
    export(&folder, "csv");
}
