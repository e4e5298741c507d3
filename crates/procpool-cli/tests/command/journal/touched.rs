//! Journals that somebody changes while their run goes on: a removed lock lets nobody in, and a change is
//! noticed before anything more counts as recorded.

use std::fs;

use crate::{Folder, Running, wait_for};

/// A job that runs until the file `go` exists.
const WAITS: &str = "echo $1 >> runs; until [ -e go ]; do sleep 0.01; done; echo $1";

fn started(folder: &Folder, list: &[&str]) -> Running {
    let running = folder.record("-j1 sh -c").args([WAITS, "sh", ":::"]).args(list).start();
    wait_for("the first job to run", || folder.has("runs"));
    running
}

#[test]
fn whoever_takes_the_lock_away_is_not_let_in() {
    for taken in ["rm J/running", "rm J/running; cp J/journal.jsonl x; mv x J/journal.jsonl"] {
        let folder = Folder::new();
        let running = started(&folder, &["a"]);
        let pid = running.pool();
        folder.sh(taken).end().exited(0);
        let refused = |ended: crate::Ended| {
            ended.exited(2).printed("").said(&format!("in use by another procpool, process {pid} on "))
        };
        refused(folder.resume("").end());
        refused(folder.record("--resume sh -c").args([WAITS, "sh", ":::", "a"]).end());
        folder.sh("procpool ls J").end().exited(0);
        assert_eq!(folder.read("runs"), "a\n", "{taken}");
        folder.write("go", "");
        drop(running);
    }
}

#[test]
fn a_run_whose_lock_was_taken_away_starts_nothing_more_and_says_so() {
    let folder = Folder::new();
    let running = started(&folder, &["a", "b", "c"]);
    folder.sh("rm J/running").end().exited(0);
    folder.write("go", "");
    running.end().exited(3).said("somebody has taken its file `running` away");
    assert!(!folder.read("runs").contains('c'), "{}", folder.read("runs"));
    folder.resume("").end().exited(0);
}

#[test]
fn a_journal_that_is_cut_or_added_to_ends_its_run_before_anything_more_is_shown() {
    for (touch, says) in [
        (": > J/journal.jsonl", "it has "),
        ("truncate -s -1 J/journal.jsonl", "it has "),
        ("truncate -s +1 J/journal.jsonl", "it has "),
        ("echo more >> J/journal.jsonl", "it has "),
        ("cp J/journal.jsonl x; cat x > J/journal.jsonl; truncate -s 100 J/journal.jsonl", "it has "),
    ] {
        let folder = Folder::new();
        let running = started(&folder, &["a", "b"]);
        folder.sh(touch).end().exited(0);
        folder.write("go", "");
        let ended = running.end().exited(3).printed("");
        ended.said("journal.jsonl\" was changed by somebody else while the run went on").said(says);
        assert_eq!(folder.read("runs"), "a\n", "{touch}");
    }
}

#[test]
fn an_emptied_file_of_outputs_ends_its_run() {
    let folder = Folder::new();
    let script = "[ $1 = a ] || until [ -e go ]; do sleep 0.01; done; head -c 9000 /dev/zero | tr '\\0' $1; : > done.$1";
    let running = folder.record("-j1 sh -c").args([script, "sh", ":::", "a", "b", "c"]).start();
    running.has_printed(&"a".repeat(9000));
    folder.sh("mv J/outputs x; : > J/outputs").end().exited(0);
    folder.write("go", "");
    running.end().exited(3).printed("a".repeat(9000)).said("outputs\" was taken away while the run went on");
    assert!(!folder.has("done.c"));
}

#[test]
fn an_emptied_account_of_what_was_printed_ends_its_run() {
    let folder = Folder::new();
    let running = started(&folder, &["a", "b"]);
    folder.sh(": > J/printed-1").end().exited(0);
    folder.write("go", "");
    running.end().exited(3).said("printed-1\" was changed by somebody else while the run went on");
    folder.resume("").end().exited(2).said("which no run gives it");
}

#[test]
fn a_job_that_empties_all_files_of_the_journal_kills_nobody() {
    let script = "for file in J/*; do : > $file; done; echo $1";
    for options in ["-j1", "-j2 --tag", "-j2 --output lines"] {
        let folder = Folder::new();
        let ended = folder.record(options).args(["sh", "-c", script, "sh", ":::", "a", "b", "c", "d"]).end();
        ended.exited(3).said("was changed by somebody else while the run went on");
    }
}

#[test]
fn an_emptied_account_of_lines_ends_its_run() {
    let folder = Folder::new();
    let script = "echo $1; until [ -e go ]; do sleep 0.01; done; echo $1";
    let running = folder.record("--output lines sh -c").args([script, "sh", ":::", "a"]).start();
    running.has_printed("a\n");
    folder.sh(": > J/printed-1.rows").end().exited(0);
    folder.write("go", "");
    running.end().exited(3).said("printed-1.rows\" was changed by somebody else while the run went on");
    folder.resume("").end().exited(2).said("which no run gives it");
}

#[test]
fn a_list_that_is_cut_short_while_its_run_goes_on_ends_it() {
    for touch in [": > J/list-1.jsonl", "rm J/list-1.jsonl"] {
        let folder = Folder::new();
        let running = started(&folder, &["a"]);
        folder.sh(touch).end().exited(0);
        folder.write("go", "");
        running.end().exited(3).said("list-1.jsonl\" was ");
    }
}

#[test]
fn a_job_that_was_rewritten_on_the_list_is_not_run_though_its_line_is_whole() {
    let folder = Folder::new();
    folder.record("-j1 sh -c").args(["[ -e go ] && echo $1", "sh", ":::", "first", "second"]).end().exited(1);
    folder.write("go", "");
    let list = folder.read("J/list-1.jsonl");
    let forged: String = list.lines().map(|line| reseal(&line.replace("second", "pwned!"))).collect();
    fs::write(folder.file("J/list-1.jsonl"), forged).unwrap();
    let ended = folder.resume("").end().exited(3).printed("first\n");
    ended.said("job \"pwned!\" is not the one that was written down");
    fs::write(folder.file("J/list-1.jsonl"), list).unwrap();
    folder.resume("").end().exited(0).printed("second\n");
}

/// Corrects the length and checksum of a line.
pub(crate) fn reseal(line: &str) -> String {
    let fields = &line[28..];
    format!("{{\"check\":\"{:08x}{:08x}\",{fields}\n", line.len(), crc32fast::hash(fields.as_bytes()))
}
