//! Conflicts between files: no file is used twice for records, inputs or outputs. The contents of the records
//! are tested elsewhere.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::{Ended, Folder, words};

/// Runs this in a shell. It has to be refused before any job starts, with these files left unchanged.
#[track_caller]
fn refused(folder: &Folder, script: &str, whole: &[(&str, &str)]) -> Ended {
    let ended = folder.sh(script).end().exited(2).printed("");
    for (name, text) in whole {
        assert_eq!(folder.read(name), *text, "{name} after {script}");
    }
    assert!(!folder.has("ran"), "{script}");
    ended
}

#[test]
fn two_records_in_one_file_are_refused_and_nothing_is_changed() {
    let folder = Folder::new();
    folder.write("log", "old");
    fs::hard_link(folder.file("log"), folder.file("hard")).unwrap();
    symlink("log", folder.file("soft")).unwrap();
    for other in ["--events ./log", "--junit log", "--events hard", "--junit hard", "--events soft"] {
        let script = format!("procpool run --joblog log {other} touch ran ::: a");
        refused(&folder, &script, &[("log", "old")]).said("--joblog \"log\"").said("are one file");
    }
    let script = "procpool run --events fd:3 --joblog log touch ran ::: a 3>> log";
    refused(&folder, script, &[("log", "old")]).said("--events fd:3 and --joblog \"log\" are one file");
}

#[test]
fn two_records_that_would_make_one_file_are_refused_and_it_is_not_left() {
    let folder = Folder::new();
    symlink("new", folder.file("link")).unwrap();
    for (joblog, other) in [("new", "--events new"), ("link", "--events new"), ("link", "--junit new")] {
        let script = format!("procpool run --joblog {joblog} {other} touch ran ::: a");
        refused(&folder, &script, &[]).said("are one file");
        assert!(folder.file("link").is_symlink() && !folder.has("new"), "{script}");
    }
}

#[test]
fn a_record_in_the_file_that_outputs_go_to_is_refused() {
    let folder = Folder::new();
    for (record, redirection, stream) in [
        ("--joblog f", "> f", "standard output"),
        ("--joblog f", ">> f", "standard output"),
        ("--joblog f", "2> f", "standard error"),
        ("--joblog /dev/stdout", "> f", "standard output"),
        ("--joblog /dev/stderr", "2> f", "standard error"),
        ("--events /dev/stdout", "> f", "standard output"),
        ("--events fd:3", "> f 3>> f", "standard output"),
        ("--events - --joblog f", "> f", "standard output"),
        ("--junit f", "> f", "standard output"),
        ("--junit f", "2>> f", "standard error"),
    ] {
        let script = format!("procpool run {record} -k touch ran ::: a {redirection}");
        let ended = folder.sh(&script).end().exited(2);
        let said = ended.error_text() + &folder.read("f");
        assert!(said.contains(&format!("{stream} are one file")), "{script}: {said}");
        assert!(!folder.has("ran"), "{script}");
    }
}

#[test]
fn what_is_no_file_may_have_several_writers() {
    let folder = Folder::new();
    folder.run("--joblog /dev/null --events /dev/null true ::: a").end().exited(0).silent();
    let ended = folder.run("--joblog /dev/stdout --events - true ::: a").end().exited(0).silent();
    assert!(ended.text().contains("Seq\tHost") && ended.text().contains("run-finished"), "{}", ended.text());
    // With `--events -`, standard output may be a file: nothing else is written to it.
    folder.sh("procpool run --events - -- echo ::: a > f").end().exited(0).silent();
    assert!(folder.read("f").contains("run-finished"));
}

#[test]
fn a_record_in_the_file_that_jobs_come_from_is_refused() {
    let folder = Folder::new();
    let jobs = r#"{"a": ["touch", "ran"]}"#;
    folder.write("in", "1\n2\n").write("in.json", jobs);
    fs::hard_link(folder.file("in"), folder.file("hard")).unwrap();
    for (words, input) in [
        ("--joblog in -a in touch", "the input \"in\""),
        ("--joblog in -a hard touch", "the input \"hard\""),
        ("--joblog hard touch {} ::: a :::: in", "the input \"in\""),
        ("--joblog in touch ::: a b ::::+ in", "the input \"in\""),
        ("--events in touch < in", "standard input"),
        ("--events in touch :::: - < in", "standard input"),
        ("--junit in touch < in", "standard input"),
        ("--joblog in -a in", "the input \"in\""),
        ("--junit in.json -f in.json", "the input \"in.json\""),
        ("--joblog in.json -f in.json", "the input \"in.json\""),
    ] {
        let script = format!("procpool run {words}");
        let ended = refused(&folder, &script, &[("in", "1\n2\n"), ("in.json", jobs)]);
        ended.said(&format!("{input} are one file"));
    }
}

#[test]
fn a_record_in_the_place_of_a_result_is_refused() {
    let folder = Folder::new();
    folder.run("--results o echo ::: a").end().exited(0);
    for record in ["--joblog o/a/stdout", "--events o/a/meta.json", "--junit ./o/a/stderr"] {
        let script = format!("procpool run --results o {record} touch ran ::: a");
        refused(&folder, &script, &[("o/a/stdout", "a\n")]).said("has the place of a result");
    }
    refused(&folder, "procpool run --results o touch ran ::: a >> o/a/stdout", &[("o/a/stdout", "a\n")])
        .said("standard output has the place of a result");
    // Next to the folders of jobs it doesn't conflict.
    folder.run("--results o --joblog o/log echo ::: a").end().exited(0).printed("a\n");
    folder.run("--results . --junit report.xml --joblog log echo ::: a").end().exited(0).printed("a\n");
    assert!(folder.read("o/log").contains("echo a") && folder.read("log").contains("echo a"));
}

#[test]
fn a_run_that_is_refused_empties_no_record_and_makes_none() {
    let folder = Folder::new();
    folder.write("keep", "old").write("bad.json", "{");
    for words in [
        "--joblog keep --events missing/events touch ran ::: a",
        "--events keep --joblog missing/log touch ran ::: a",
        "--joblog keep --junit missing/report touch ran ::: a",
        "--joblog keep --events fd:9 touch ran ::: a",
        "--joblog keep --results keep/below touch ran ::: a",
        "--joblog keep -f bad.json",
        "--joblog keep touch ran :::: missing",
        "--joblog new --junit missing/report touch ran ::: a",
    ] {
        refused(&folder, &format!("procpool run {words}"), &[("keep", "old")]);
        assert_eq!(folder.files("").len(), 2, "{words}");
    }
}

#[test]
fn a_minus_is_no_file_of_a_record() {
    let folder = Folder::new();
    for (option, advice) in [("--joblog", "/dev/stdout"), ("--junit", "name one")] {
        let ended = folder.run(option).args(words(&["-", "touch", "ran", ":::", "a"])).end();
        ended.exited(2).said(option).said(advice);
        assert_eq!(folder.files("").len(), 0);
    }
    folder.run("--joblog ./- true ::: a").end().exited(0);
    assert!(folder.has("-"));
}

#[test]
fn who_may_read_a_record_is_up_to_the_umask() {
    for (umask, expected) in [("022", 0o644), ("077", 0o600), ("002", 0o664)] {
        let folder = Folder::new();
        let script =
            format!("umask {umask}; procpool run --joblog log --events events --junit report -- true ::: a");
        folder.sh(&script).end().exited(0);
        let mode = |name: &str| folder.file(name).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(["log", "events", "report"].map(mode), [expected; 3], "{umask}");
    }
}
