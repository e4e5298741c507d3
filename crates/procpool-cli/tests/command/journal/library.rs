//! A journal that a program has written with the library is as good as one of procpool's own to each command.

use procpool_core::{Command, Job, Limit, Pool};
use procpool_journal::NewJournal;

use crate::{Folder, PROCPOOL};

#[test]
fn a_journal_that_a_program_has_written_is_listed_shown_exported_and_resumed() {
    let folder = Folder::new();
    let script = r#"[ "$0" != b ] || [ -e ready ] || exit 7; echo "$0""#;
    let command = |key| Command::new("sh").args(["-c", script, key]).directory(folder.file("."));
    let jobs = ["a", "b", "c"].map(|key| Job::new(key, command(key)));
    let limit = Limit::new(1).unwrap();
    let journal = NewJournal::create(folder.file("J"), &jobs, limit).unwrap();
    // The program ends before it reaches the third job.
    for done in Pool::new(limit).run(jobs[..2].to_vec()).unwrap() {
        journal.completed(&done).unwrap();
    }
    drop(journal);
    let query = |words: &[&str]| folder.command(PROCPOOL).args(words).end().exited(0);
    query(&["show", "J", "a", "--stdout"]).printed("a\n");
    let listed = query(&["ls", "J", "--failed"]).text().to_owned();
    assert!(listed.contains('b') && listed.contains("exit 7"), "{listed}");
    let exported = query(&["export", "J", "--format", "jsonl"]).text().to_owned();
    let outcomes = [r#""outcome":"exited""#, r#""outcome":"exited""#, r#""outcome":"never_reached""#];
    assert_eq!(exported.lines().count(), 3);
    for (line, outcome) in exported.lines().zip(outcomes) {
        assert!(line.contains(outcome), "{line}");
    }
    folder.write("ready", "");
    let resumed = folder.resume("").end().exited(0);
    assert!(resumed.error_text().contains("3 jobs: 1 succeeded, 1 failed, 0 interrupted, 1 not run"));
    resumed.printed("b\nc\n");
    folder.resume("").end().exited(0).printed("");
}

#[test]
fn a_program_begins_no_journal_where_something_is_or_two_jobs_have_one_key() {
    let folder = Folder::new();
    let limit = Limit::new(1).unwrap();
    let job = |key| Job::new(key, Command::new("true"));
    let says = |path: &str, jobs: &[Job<Command>]| {
        NewJournal::create(folder.file(path), jobs, limit)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    assert!(says("J", &[job("a"), job("a")]).contains("two jobs have the key \"a\""));
    assert!(!folder.has("J"));
    assert_eq!(says("J", &[job("a")]), "");
    assert!(says("J", &[job("a")]).contains("something is in it already"));
    folder.command(PROCPOOL).args(["ls", "J"]).end().exited(0);
}
