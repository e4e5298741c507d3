//! The record of what was printed: if the list is gone, if a run that would print more was killed, if
//! somebody has changed the record.

use std::fs;

use crate::journal::killed;
use crate::journal::touched::reseal;
use crate::{Folder, wait_for};

#[test]
fn what_was_recorded_and_not_printed_is_printed_though_its_list_is_gone_or_that_is_refused() {
    let list = ["echo $1", "sh", ":::", "a", "b"];
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    for harm in ["rm J/list-*", "truncate -s 0 J/list-*", "truncate -s -100 J/list-*"] {
        let folder = Folder::new();
        folder.record("-j1 sh -c").args(list).stdout(full()).end().exited(3);
        folder.sh(harm).end().exited(0);
        let again = folder.record("--resume -j1 sh -c").args(list).end().exited(0);
        let mut lines: Vec<&str> = again.text().lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["a", "b"], "{harm}");
        // The outputs of a run before the last one: their places on the list are unknown.
        let folder = Folder::new();
        folder.record("-j1 sh -c").args(list).stdout(full()).end().exited(3);
        folder.record("--resume -j1 sh -c").args(list).stdout(full()).end().exited(3);
        folder.sh(harm).end().exited(0);
        let again = folder.record("--resume -j1 sh -c").args(list).end();
        if again.status.success() {
            // The second run had no effect.
            assert_eq!(again.text().len(), 4, "{harm}: {}", again.describe());
        } else {
            let says = " is gone or shorter than it was, and without it nobody knows what has been printed";
            again.exited(2).printed("").said(says);
        }
    }
}

#[test]
fn what_failed_and_was_printed_is_not_printed_again_where_a_resume_that_would_run_it_was_killed_before() {
    let folder = Folder::new();
    let list = ["echo $1; [ $1 != wait ] || [ ! -e again ] || { : > waits; sleep 1000; }; exit 1", "sh"];
    let jobs = |first: &str| [list[0], list[1], ":::", first, "b"].map(str::to_owned);
    folder.record("-j1 sh -c").args(jobs("wait")).end().exited(1).printed("wait\nb\n");
    folder.write("again", "");
    let running = folder.record("--resume -j1 sh -c").args(jobs("wait")).start();
    wait_for("the first job to run", || folder.has("waits"));
    killed(running);
    fs::remove_file(folder.file("again")).unwrap();
    // The interrupted job runs again, unless the kill came before its start was noted.
    let again = folder.resume("--unrun").end().exited(1);
    assert!(matches!(again.text(), "" | "wait\n"), "{}", again.describe());
    folder.resume("--unrun").end().exited(1).printed("");
    // The output of that attempt is printed.
    folder.resume("").end().exited(1).printed("wait\nb\n");
}

#[test]
fn an_account_that_is_gone_or_not_as_long_as_it_was_made_is_refused_for_what_it_told_would_come_twice() {
    for (harm, says) in [
        ("rm J/printed-1", "printed-1\" is gone, and without it nobody knows what has been printed"),
        (": > J/printed-1", "printed-1\" has 0 bytes, which no run gives it"),
        ("truncate -s -1 J/printed-1", "printed-1\" has 4095 bytes"),
        ("echo >> J/printed-1", "printed-1\" has 4097 bytes"),
        ("rm J/printed-1.rows", "printed-1.rows\" is gone, and without it nobody knows"),
        ("rm J/printed-1.shape", "printed-1.shape\" is gone, and without it nobody knows"),
        (": > J/printed-1.rows", "printed-1.rows\" has 0 bytes"),
        ("truncate -s 100 J/printed-1.shape", "printed-1.shape\" has 100 bytes"),
    ] {
        let folder = Folder::new();
        let list = ["echo $1; [ $1 = a ]", "sh", ":::", "a", "b"];
        folder.record("--output lines -j1 sh -c").args(list).end().exited(1).printed("a\nb\n");
        folder.sh(&format!("cp -rp J kept; {harm}")).end().exited(0);
        folder.resume("").end().exited(2).printed("").said(says);
        folder.record("--resume sh -c").args(list).end().exited(2).printed("").said(says);
        folder.sh("rm -r J; mv kept J").end().exited(0);
        folder.resume("").end().exited(1).printed("b\n");
    }
}

#[test]
fn after_another_start_of_the_machine_what_nobody_knows_any_more_is_printed_again() {
    // Data that had not reached the disk is lost in a power cut. That is nobody's fault, so the resume isn't
    // refused.
    for harm in ["rm J/printed-1", ": > J/printed-1", ": > J/printed-1.shape", "truncate -s 0 J/list-*"] {
        let folder = Folder::new();
        let list = ["echo $1; [ $1 = a ]", "sh", ":::", "a", "b"];
        folder.record("-j1 sh -c").args(list).end().exited(1).printed("a\nb\n");
        let journal = folder.read("J/journal.jsonl");
        let rebooted = journal.lines().map(|line| match line.split_once("\"boot\":\"") {
            Some((before, after)) => reseal(&format!("{before}\"boot\":\"another-{after}")),
            None => format!("{line}\n"),
        });
        fs::write(folder.file("J/journal.jsonl"), rebooted.collect::<String>()).unwrap();
        folder.sh(harm).end().exited(0);
        let again = folder.record("--resume -j1 sh -c").args(list).end().exited(1);
        assert!(again.text().ends_with("b\n"), "{harm}: {}", again.describe());
    }
}
