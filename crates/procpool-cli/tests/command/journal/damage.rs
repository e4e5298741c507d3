//! Journals that were truncated, changed, removed or replaced, and disks that are full: no damaged record is
//! believed, and nothing is started that can't be recorded.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use sleeper::needs;

use crate::faults::tracing::strace;
use crate::{Ended, Folder, PROCPOOL, mounts, wait_for};

/// A run of jobs one after the other, the second of which fails. Each records its start in a file.
const LIST: [&str; 7] =
    ["echo $1 >> starts; echo $1; [ $1 != b ] || [ -e go ]", "sh", ":::", "a", "b", "c", "d"];

fn recorded() -> Folder {
    let folder = Folder::new();
    folder.record("-j1 -k sh -c").args(LIST).end().exited(1).printed("a\nb\nc\nd\n");
    fs::remove_file(folder.file("starts")).unwrap();
    folder
}

fn journal(folder: &Folder) -> PathBuf {
    folder.file("J/journal.jsonl")
}

/// The offsets at which lines of the journal end, newline included.
fn line_ends(bytes: &[u8]) -> Vec<usize> {
    memchr::memchr_iter(b'\n', bytes).map(|at| at + 1).collect()
}

/// A resume is refused, with the list and without; nothing is started.
#[track_caller]
fn refused(folder: &Folder, says: &[&str]) {
    let refused = |ended: Ended| {
        let ended = ended.exited(2).printed("");
        says.iter().fold(ended, |ended, text| ended.said(text));
        assert!(!folder.has("starts"));
    };
    refused(folder.resume("").end());
    refused(folder.record("--resume sh -c").args(LIST).end());
}

#[test]
fn a_torn_end_is_dropped_and_said_and_what_it_was_about_is_run_again() {
    let folder = recorded();
    folder.write("go", "");
    let whole = fs::read(journal(&folder)).unwrap();
    let ends = line_ends(&whole);
    // Header, run, four attempts, end.
    assert_eq!(ends.len(), 7);
    for (attempt, runs) in [(5, "b\nd\n"), (4, "b\nc\nd\n"), (2, "a\nb\nc\nd\n")] {
        for cut in [ends[attempt] - 1, ends[attempt] - 100, ends[attempt - 1] + 1] {
            fs::write(journal(&folder), &whole[..cut]).unwrap();
            fs::write(folder.file("starts"), "").unwrap();
            let ended = folder.resume("").end().exited(0);
            assert_eq!(folder.read("starts"), runs, "cut at {cut}: {}", ended.describe());
            let torn = cut - ends[attempt - 1];
            ended.said(&format!(
                "the journal's last {torn} bytes were torn off while they were written, and are dropped"
            ));
            // From now on the journal is whole.
            let ended = folder.resume("").end().exited(0).printed("").said("4 jobs: 4 succeeded, ");
            assert!(!ended.error_text().contains("torn"), "{}", ended.describe());
        }
    }
}

#[test]
fn damage_before_the_end_is_refused_with_its_place_and_the_file_is_left_as_it_is() {
    let folder = recorded();
    let whole = fs::read(journal(&folder)).unwrap();
    let ends = line_ends(&whole);
    for line in 1..5 {
        let mut damaged = whole.clone();
        damaged[ends[line] - 3] ^= 4;
        fs::write(journal(&folder), &damaged).unwrap();
        let says = format!(
            "journal.jsonl\" is damaged at byte {}, and whole records follow; nothing was changed",
            ends[line - 1]
        );
        refused(&folder, &[&says, &format!("head -c {}", ends[line - 1])]);
        assert!(fs::read(journal(&folder)).unwrap() == damaged);
    }
    // The advice in the message works.
    folder
        .sh(&format!("head -c {} J/journal.jsonl > kept && mv kept J/journal.jsonl", ends[3]))
        .end()
        .exited(0);
    folder
        .write("go", "")
        .resume("")
        .end()
        .exited(0)
        .said("4 jobs: 1 succeeded, 1 failed, 1 interrupted, 1 not run, ");
}

#[test]
fn a_list_that_is_damaged_or_gone_is_refused_by_who_has_no_other() {
    let folder = recorded();
    let list = folder.file("J/list-1.jsonl");
    let mut damaged = fs::read(&list).unwrap();
    damaged[50] ^= 1;
    fs::write(&list, damaged).unwrap();
    folder.resume("").end().exited(2).printed("").said("the journal's list of jobs is damaged at byte 0");
    fs::remove_file(&list).unwrap();
    folder.resume("").end().exited(2).printed("").said("list-1.jsonl\", is gone");
    assert!(!folder.has("starts"));
    folder.write("go", "").record("--resume sh -c").args(LIST).end().exited(0).printed("b\n");
}

#[test]
fn an_output_that_is_damaged_is_named_and_all_others_are_printed_and_run() {
    let folder = Folder::new();
    // The third job is started when the second has ended. Nothing is printed before the first one has ended.
    let script = "case $1 in a) until [ -e started ]; do sleep 0.01; done;; c) : > started;; esac
        head -c 9000 /dev/zero | tr '\\0' $1; [ $1 != c ] || [ -e go ]";
    // The output can't be written, so nothing of it counts as printed.
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let trial = folder.record("-j2 -k sh -c").args([script, "sh", ":::", "a", "b", "c"]).stdout(full);
    trial.end().exited(3).said("can't write to standard output");
    folder.write("go", "");
    let whole = fs::read(folder.file("J/outputs")).unwrap();
    let mut damaged = whole.clone();
    let first = whole.iter().position(|byte| *byte == b'a').unwrap();
    damaged[first + 8000] = b'-';
    fs::write(folder.file("J/outputs"), &damaged).unwrap();
    let says = "what the journal has of job \"a\" can't be printed; --resume prints it once it is whole again: the \
                output in the journal is damaged";
    let b = "b".repeat(9000);
    let c = "c".repeat(9000);
    folder.resume("--results R").end().exited(3).printed(b + &c).said(says);
    let whole = [whole, fs::read(folder.file("J/outputs")).unwrap().split_off(damaged.len())].concat();
    assert!(!folder.has("R/a") && folder.has("R/b") && folder.has("R/c"));
    folder.resume("").end().exited(3).printed("").said(says);
    fs::write(folder.file("J/outputs"), &whole[..first + 8999]).unwrap();
    folder.resume("").end().exited(3).printed("").said(says);
    fs::remove_file(folder.file("J/outputs")).unwrap();
    folder.resume("").end().exited(3).printed("").said("can't be printed");
    fs::write(folder.file("J/outputs"), &whole).unwrap();
    folder.resume("").end().exited(0).printed("a".repeat(9000));
    folder.resume("").end().exited(0).printed("");
}

#[test]
fn what_is_no_journal_is_refused_and_left_as_it_is() {
    let later = "{\"check\":\"0000003200000000\",\"record\":\"journal\",\"version\":2}\n";
    let another = "{\"record\":\"journal\",\"version\":7,\"more\":true}\nx\n";
    for (contents, says) in [
        ("notes of somebody\n", "journal.jsonl\" is no journal of procpool; name another folder"),
        ("\n\n\n", "is no journal of procpool"),
        ("\0\0\0\0", "is no journal of procpool"),
        (later, "in version 2 of the format; this procpool reads version 1"),
        (another, "in version 7 of the format; this procpool reads version 1"),
    ] {
        let folder = recorded();
        fs::write(journal(&folder), contents).unwrap();
        refused(&folder, &[says]);
        assert_eq!(folder.read("J/journal.jsonl"), contents);
    }
}

#[test]
fn a_journal_that_is_empty_gone_or_no_file_is_refused() {
    let folder = recorded();
    fs::write(journal(&folder), "").unwrap();
    folder
        .resume("")
        .end()
        .exited(2)
        .said("journal.jsonl\" is empty, so that it is not known what has been run");
    let gone =
        "its journal.jsonl is gone or empty, though outputs are there; put it back, or name another folder";
    let again = || folder.record("--resume sh -c").args(LIST).end().exited(2).printed("");
    again().said(gone);
    fs::remove_file(journal(&folder)).unwrap();
    folder.resume("").end().exited(2).said("no run is recorded there");
    again().said(gone);
    fs::create_dir(journal(&folder)).unwrap();
    refused(&folder, &["journal.jsonl\": it is no file"]);
    fs::remove_dir(journal(&folder)).unwrap();
    symlink("/dev/zero", journal(&folder)).unwrap();
    refused(&folder, &["journal.jsonl\": it is a link"]);
    fs::remove_file(journal(&folder)).unwrap();
    folder.sh("mkfifo J/journal.jsonl").end().exited(0);
    refused(&folder, &["journal.jsonl\": it is no file"]);
}

#[test]
fn nothing_is_written_through_a_link() {
    let folder = recorded();
    folder.sh("mv J/journal.jsonl elsewhere && ln -s ../elsewhere J/journal.jsonl").end().exited(0);
    let before = folder.read("elsewhere");
    let ended = folder.resume("").end();
    assert!(!ended.status.success(), "{}", ended.describe());
    assert!(folder.read("elsewhere") == before && !folder.has("starts"));
}

#[test]
fn a_line_that_is_as_long_as_no_record_takes_no_time_and_is_torn_off() {
    let folder = recorded();
    folder.sh("head -c 200000000 /dev/zero | tr '\\0' x >> J/journal.jsonl").end().exited(0);
    let ended =
        folder.write("go", "").sh("ulimit -v 2000000; exec procpool resume J").end().exited(0).printed("b\n");
    ended.said("the journal's last 200000000 bytes were torn off");
}

#[test]
fn a_folder_with_something_else_in_it_is_refused_and_left_as_it_is() {
    let folder = Folder::new();
    fs::create_dir(folder.file("J")).unwrap();
    folder.write("J/notes.txt", "mine\n");
    let ended = folder.record("echo ::: a").end().exited(2).printed("");
    ended.said("--journal \"J\": something else is in it; name a new or an empty folder");
    assert_eq!(fs::read_dir(folder.file("J")).unwrap().count(), 1);
    folder.write("K", "").run("--journal K echo ::: a").end().exited(2).said("--journal \"K\": ");
}

#[test]
fn a_journal_that_is_taken_away_while_the_run_goes_on_ends_it() {
    for taken in [
        "rm -r J",
        "rm J/journal.jsonl",
        "mv J K",
        "cp J/journal.jsonl x; mv x J/journal.jsonl",
        "rm J/outputs",
    ] {
        let folder = Folder::new();
        let script = ": > runs; until [ -e go ]; do sleep 0.01; done; echo $1";
        let running = folder.record("-j1 sh -c").args([script, "sh", ":::", "a", "b"]).start();
        wait_for("the first job to run", || folder.has("runs"));
        folder.sh(taken).end().exited(0);
        folder.write("go", "");
        let ended = running.end().exited(3);
        assert!(
            ended.error_text().contains("was taken away while the run went on"),
            "{taken}: {}",
            ended.describe()
        );
    }
}

/// Jobs with outputs of 20,000 bytes, which record their start in a file outside of the small disk.
const LARGE: &str = "procpool run --journal small/J --resume -j1 -- sh -c 'echo $1 >> starts; seq -f \"$1 %05.0f\" 2000' sh ::: \
                     $(seq 100 160)";

#[test]
fn on_a_full_disk_nothing_more_is_started_and_with_room_again_all_comes_to_its_end() {
    needs!(Mounts);
    let folder = Folder::new();
    let script = format!(
        "mkdir small && mount -t tmpfs -o size=1m none small
        {LARGE} > out; echo $? > first; cp starts started; : > starts
        {LARGE} > none; echo $? > second
        mount -t tmpfs -o remount,size=9m none small
        procpool resume small/J >> out"
    );
    let ended = mounts::sh(&folder, &script).end().exited(0);
    assert_eq!((&*folder.read("first"), &*folder.read("second")), ("3\n", "3\n"), "{}", ended.describe());
    ended.said("can't write to the journal in ").said("nothing more is started: No space left on device");
    // All jobs that were started are recorded, except one.
    let out = folder.read("out");
    let started = folder.read("started").lines().count();
    assert!((20..61).contains(&started), "{started} were started");
    assert_eq!(folder.read("starts").lines().count(), 61 - (started - 1));
    assert_eq!(folder.read("none"), "");
    let expected: String = (100..=160)
        .flat_map(|job| (1..=2000).map(move |line| format!("{job} {line:05}\n")))
        .collect::<Vec<_>>()
        .concat();
    assert!(out == expected, "{} bytes", out.len());
}

#[test]
fn on_a_file_system_that_reserves_nothing_a_run_is_recorded_and_gone_on_with() {
    needs!(Mounts);
    let folder = Folder::new();
    let script = "mkdir small && mount -t ramfs none small
        procpool run -k --journal small/J -- sh -c 'echo {}; [ -e ok ]' ::: 1 2 3; echo $? > first
        : > ok; procpool resume -k small/J";
    mounts::sh(&folder, script).end().exited(0).printed("1\n2\n3\n1\n2\n3\n");
    assert_eq!(folder.read("first"), "1\n");
}

#[test]
fn where_there_is_no_room_for_what_was_printed_nothing_is_run() {
    needs!(Mounts);
    let folder = Folder::new();
    let script = "mkdir small && mount -t tmpfs -o size=64k none small && mkdir small/J
        head -c 1M /dev/zero > small/fill 2> /dev/null; truncate -s -4k small/fill
        exec procpool run --journal small/J echo ::: ran";
    mounts::sh(&folder, script).end().exited(3).said("No space left on device").printed("");
}

#[test]
fn where_there_is_no_room_to_begin_nothing_is_begun_or_left_and_the_disk_is_blamed() {
    needs!(Mounts);
    let folder = Folder::new();
    // Each time with a little more room, until there is enough.
    let script = "mkdir small && mount -t tmpfs -o size=1m none small
        head -c 2M /dev/zero > small/fill 2> /dev/null
        until procpool run --journal small/J echo ::: ran; do
            echo $? $(find small/J -name '*.new' 2> /dev/null); rm -rf small/J
            truncate -s -4k small/fill || exit 9
        done";
    let ended = mounts::sh(&folder, script).end().exited(0).said("No space left on device");
    let mut lines: Vec<&str> = ended.text().lines().collect();
    assert_eq!(lines.pop(), Some("ran"));
    assert!(lines.len() >= 3 && lines.iter().all(|line| *line == "3"), "{}", ended.describe());
}

#[test]
fn a_folder_that_can_not_be_written_to_is_refused() {
    needs!(Mounts);
    let folder = Folder::new();
    let script = "mkdir small && mount -t tmpfs none small && cd small
        procpool run --journal J false ::: a 2> /dev/null; mount -t tmpfs -o remount,ro none .
        procpool run --journal K touch ::: ../ran; echo $?
        procpool run --journal J --resume touch ::: ../ran; echo $?
        procpool resume J; echo $?";
    let ended = mounts::sh(&folder, script).end().exited(0).printed("2\n2\n2\n");
    assert_eq!(ended.error_text().matches("Read-only file system").count(), 3, "{}", ended.describe());
    assert!(!folder.has("ran"));
}

#[test]
fn with_durable_the_disk_has_an_output_before_the_record_that_refers_to_it_is_written() {
    needs!(Strace);
    let folder = Folder::new();
    let words = ["run", "--journal", "J", "--durable", "-j1", "seq", ":::", "2001", "2002", "2003"];
    let options = ["-y", "-e", "trace=pwrite64,write,fdatasync", "-e", "signal=none"];
    strace(&folder, &options).arg(PROCPOOL).args(words).end().exited(0);
    let log = folder.read("log");
    let of = |line: &&str| line.contains("/J/outputs>") || line.contains("/J/journal.jsonl>");
    // The purpose of each call that is complete on its line: only one job runs at a time.
    let calls = log.lines().filter(of).map(|line| (line.contains("write"), line.contains("/J/outputs>")));
    let calls: Vec<&str> = calls
        .map(|call| match call {
            (true, true) => "write output",
            (false, true) => "wait for output",
            (true, false) => "write record",
            (false, false) => "wait for record",
        })
        .collect();
    let each = ["write output", "wait for output", "write record", "wait for record"];
    let first = calls.iter().position(|call| *call == each[0]).unwrap();
    assert_eq!(calls[first..first + 12], each.repeat(3), "{log}");
}

#[test]
fn a_journal_takes_few_addresses() {
    let folder = Folder::new();
    folder.sh("ulimit -v 100000; exec procpool run -j2 --journal J echo ::: a b").end().exited(0);
    assert_eq!(folder.read("J/journal.jsonl").matches("\"outcome\"").count(), 2);
}
