//! Journals of version 1, written by older procpools, must stay readable. The tests copy them first, because
//! a checkout may belong to anybody and have other modes, and a journal can only be resumed by its owner.
//!
//! `plain` has failures, a retry, long outputs, and bytes that are not UTF-8. `cut-off` was killed during job
//! 4, and its last record is torn. `slices` ran on a cluster, in two slices.

#![expect(clippy::unwrap_used, reason = "clippy does not take the helpers of tests for tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use procpool_core::{Key, Source};
use procpool_journal::{JobProgress, Journal, JournalJob, OutcomeKind, RecordedAttempt, Resume};
use tempfile::TempDir;

#[expect(dead_code, reason = "an example, whose main function nobody calls here")]
#[path = "../examples/slowest.rs"]
mod slowest;

/// A journal of `tests/recorded`, copied.
struct Recorded(TempDir);

impl Recorded {
    fn copy(name: &str) -> Recorded {
        let copy = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o700)).tempdir().unwrap();
        let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded").join(name);
        for file in fs::read_dir(recorded).unwrap().map(Result::unwrap) {
            let to = copy.path().join(file.file_name());
            fs::write(&to, fs::read(file.path()).unwrap()).unwrap();
            fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
        }
        Recorded(copy)
    }

    fn open(&self) -> Journal {
        Journal::open(self.0.path()).unwrap()
    }
}

fn jobs(journal: &Journal) -> Vec<JournalJob<'_>> {
    journal.jobs().unwrap().map(Result::unwrap).collect()
}

fn states(journal: &Journal) -> Vec<JobProgress> {
    jobs(journal).iter().map(JournalJob::progress).collect()
}

fn to_run(journal: &Journal, which: Resume) -> Vec<u64> {
    journal.next_run(which, None).unwrap().positions().collect()
}

fn last(journal: &Journal, key: impl Into<Key>) -> RecordedAttempt {
    journal.job(&key.into()).unwrap().unwrap().last_attempt().unwrap().unwrap()
}

/// The numbers from 1 to `last`, one on each line.
fn numbers(last: u32) -> Vec<u8> {
    (1..=last).flat_map(|number| format!("{number}\n").into_bytes()).collect()
}

#[test]
fn a_plain_run_is_read_with_all_its_attempts_and_outputs() {
    use JobProgress::{Failed, Succeeded};
    let recorded = Recorded::copy("plain");
    let journal = recorded.open();
    assert_eq!(states(&journal), [Succeeded, Failed, Succeeded, Succeeded, Succeeded, Failed, Failed]);
    let keys: Vec<Key> = jobs(&journal).iter().map(JournalJob::key).collect();
    let expected: [&[u8]; 7] = [b"ok", b"fail", b"long", b"\xffbytes", b"flaky", b"signal", b"missing"];
    assert_eq!(keys, expected.map(Key::from));
    assert!(journal.remarks().is_empty());
    assert_eq!((journal.generation(), journal.directory()), (1, "/tmp/list".into()));

    let failed = last(&journal, "fail");
    assert_eq!(
        (failed.outcome(), failed.exit_code(), failed.is_success()),
        (OutcomeKind::Exited, Some(3), false)
    );
    assert_eq!(failed.output(Source::Stderr).unwrap(), b"no\n");
    let killed = last(&journal, "signal");
    assert_eq!(
        (killed.outcome(), killed.signal(), killed.status()),
        (OutcomeKind::Signalled, Some(10), Some(138))
    );
    assert_eq!(last(&journal, "missing").status(), Some(127));
    let bytes = last(&journal, &b"\xffbytes"[..]);
    assert_eq!(bytes.output(Source::Stdout).unwrap(), b"\xff\xfe and \0\n");
    let long = last(&journal, "long");
    assert_eq!(long.output(Source::Stdout).unwrap(), numbers(3000));
    assert_eq!(long.output(Source::Stderr).unwrap(), numbers(2000));
    assert!(long.started().unwrap() <= long.ended().unwrap() && long.elapsed().as_secs() < 60);

    let flaky = journal.job(&"flaky".into()).unwrap().unwrap();
    let attempts: Vec<RecordedAttempt> = flaky.attempts().map(Result::unwrap).collect();
    assert_eq!(attempts.iter().map(RecordedAttempt::number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(attempts[0].exit_code(), Some(75));
    assert_eq!(attempts[0].output(Source::Stdout).unwrap(), b"first\n");
    assert_eq!(attempts[1].output(Source::Stdout).unwrap(), b"second\n");

    assert_eq!(to_run(&journal, Resume::NotSucceeded), [2, 6, 7]);
    assert!(to_run(&journal, Resume::Unrun).is_empty());
}

#[test]
fn a_run_that_was_killed_is_read_up_to_its_torn_record() {
    use JobProgress::{Interrupted, NotRun, Succeeded};
    let recorded = Recorded::copy("cut-off");
    let journal = recorded.open();
    assert_eq!(states(&journal), [Succeeded, Succeeded, Succeeded, Interrupted, NotRun, NotRun]);
    assert!(journal.remarks()[0].contains("torn off"), "{:?}", journal.remarks());
    assert_eq!(last(&journal, "3").output(Source::Stdout).unwrap(), b"job 3\n");
    for which in [Resume::NotSucceeded, Resume::Unrun] {
        assert_eq!(to_run(&journal, which), [4, 5, 6]);
    }
}

#[test]
fn a_run_on_a_cluster_is_read_with_the_nodes_of_its_slices() {
    let recorded = Recorded::copy("slices");
    let journal = recorded.open();
    for job in jobs(&journal) {
        // The procpool that wrote it recorded only the host name of each slice.
        assert_eq!(job.last_attempt().unwrap().unwrap().node(), Some("host"));
    }
    assert_eq!(last(&journal, "3").exit_code(), Some(7));
    let long = [&b"job 5 on n1\n"[..], &numbers(2000)].concat();
    assert_eq!(last(&journal, "5").output(Source::Stdout).unwrap(), long);
    assert_eq!(to_run(&journal, Resume::NotSucceeded), [3]);
}

#[test]
fn an_output_that_was_changed_is_refused() {
    let recorded = Recorded::copy("plain");
    let outputs = recorded.0.path().join("outputs");
    let mut bytes = fs::read(&outputs).unwrap();
    bytes[17] ^= 1;
    fs::write(&outputs, bytes).unwrap();
    let error = last(&recorded.open(), "long").output(Source::Stdout).unwrap_err().to_string();
    assert!(error.contains("standard output of attempt 1 of run 1 of \"long\""), "{error}");
    assert!(error.contains("damaged"), "{error}");
}

#[test]
fn the_example_prints_the_slowest_jobs_and_where_they_ran() {
    let print = |name: &str| {
        let mut out = Vec::new();
        slowest::print_slowest(Recorded::copy(name).0.path(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let plain = print("plain");
    let seconds: Vec<f64> =
        plain.lines().map(|line| line.split('\t').nth(1).unwrap().parse().unwrap()).collect();
    assert_eq!(seconds.len(), 7);
    assert!(seconds.is_sorted_by(|one, other| one >= other), "{plain}");
    assert!(plain.contains("\\xffbytes\t") || plain.contains('\u{fffd}'), "{plain}");
    assert!(print("slices").lines().all(|line| line.ends_with("\thost")));
    // A job that was interrupted has no time yet.
    assert_eq!(print("cut-off").lines().count(), 3);
    let nothing = tempfile::tempdir().unwrap();
    let error = slowest::print_slowest(nothing.path(), &mut Vec::new()).unwrap_err().to_string();
    assert!(error.ends_with("no run is recorded there"), "{error}");
}
