//! A single slice, run by hand and without a head: its records, and when and with which status it ends.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use rustix::process::Signal;
use serde_json::Value;
use sleeper::needs;
use sleeper::needs::Need;

use crate::cluster::SLURM;
use crate::{Folder, Trial, wait_for};

/// An sbatch that accepts a round and runs nothing of it.
const TAKE: &str = "#!/bin/sh\ncat > taken; echo 1\n";

impl Folder {
    /// Writes a round of one slice for this command line. `prefix` is put before procpool.
    fn round(&self, prefix: &str, line: &str) {
        self.write("slurm", SLURM);
        self.write_program("sbatch", TAKE);
        let hand_in = format!(
            ". ./slurm; cp sbatch bin; {prefix} procpool run --on slurm --detach --slices 1 --journal j {line}"
        );
        self.sh(&hand_in).end().exited(0);
    }

    fn slice(&self, prefix: &str) -> Trial {
        self.sh(&format!("exec {prefix} procpool slice j --round 1-1 --index 0"))
    }

    /// The attempts that the slice recorded when it was started for the nth time.
    fn recorded(&self, nth: u32) -> Vec<Value> {
        let text =
            fs::read_to_string(self.file(&format!("j/journal-1-1-0000-{nth}.jsonl"))).unwrap_or_default();
        let records = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        records.filter(|record| record["record"] == "attempt").collect()
    }

    fn stamps(&self) -> String {
        fs::read_to_string(self.file("starts")).unwrap_or_default()
    }
}

#[test]
fn a_job_that_ends_by_itself_as_its_slice_is_told_to_end_is_stopped_whatever_its_status() {
    for (how, status) in [("exit 0", 143), ("exit 1", 1), ("kill -KILL $$", 137), ("(exit 7) | cat", 143)] {
        let folder = Folder::new();
        // The job's parent is the pool, which may receive the signal before or after the job's end.
        let job = format!("[ -e again ] || {{ : > again; trap \"\" TERM; kill -TERM $PPID; {how}; }}");
        folder.round("", &format!("-j1 sh -c '{job}' ::: a b"));
        folder.slice("").end().died_of(Signal::TERM);
        let records = folder.recorded(1);
        // The second job may have started, and was stopped then.
        assert!(records.iter().all(|record| record["outcome"] == "stopped"), "{how}: {records:?}");
        let says = |name: &str| records[0][name].clone();
        assert_eq!(
            (says("outcome"), says("success"), says("status")),
            ("stopped".into(), false.into(), status.into()),
            "{how}: {records:?}"
        );
        // Started again, it does all of its part.
        folder.slice("").end().exited(0).silent();
        assert!(folder.recorded(2).iter().all(|record| record["success"] == true));
        assert_eq!(folder.recorded(2).len(), 2, "{how}");
    }
}

#[test]
fn what_has_ended_just_before_its_slice_is_killed_has_no_record_and_runs_again() {
    let folder = Folder::new();
    folder.round("", "-j1 sh -c 'echo {} >> starts; [ {} = a ] || [ -e again ] || { : > again; kill -KILL $PPID; sleep 1000; }' ::: a b");
    folder.slice("").end().died_of(Signal::KILL);
    assert_eq!(folder.recorded(1).len(), 0);
    folder.slice("").end().exited(0);
    assert_eq!(folder.stamps(), "a\nb\na\nb\n");
    assert_eq!(folder.recorded(2).len(), 2);
}

#[test]
fn a_slice_exits_with_zero_when_jobs_have_failed_unless_somebody_has_asked() {
    for (options, job, status) in
        [("", "false", 0), ("--slice-exit", "false", 1), ("--slice-exit", "true", 0)]
    {
        let folder = Folder::new();
        folder.round("", &format!("{options} sh -c 'echo {{}} >> starts; {job}' ::: a b"));
        folder.slice("").end().exited(status);
        // Started again, by a requeue for example, it has nothing to do, and exits with the same status.
        folder.slice("").end().exited(status);
        assert_eq!(folder.stamps().lines().count(), 2);
        let retried = Folder::new();
        retried
            .round("", &format!("{options} --retries 1 sh -c '[ $PROCPOOL_ATTEMPT = 2 ] || {job}' ::: a b"));
        retried.slice("").end().exited(0);
        retried.slice("").end().exited(0);
    }
}

#[test]
fn a_slice_whose_time_is_over_exits_with_one_for_what_it_leaves_where_somebody_has_asked() {
    for (options, values, status) in
        [("", "a b c", 0), ("--slice-exit", "a b c", 1), ("--slice-exit", "a", 0)]
    {
        let folder = Folder::new();
        folder.round("", &format!("{options} -j1 sh -c 'sleep 2' sh ::: {values}"));
        // 30 s of its time are reserved for its end, and another job would not end in the rest.
        let end = "env SLURM_JOB_ID=1 SLURM_JOB_END_TIME=$(($(date +%s) + 33))";
        let left = folder.sh(&format!("exec {end} procpool slice j --round 1-1 --index 0"));
        left.end().exited(status);
        assert_eq!(folder.recorded(1).len(), 1, "{options} {values}");
    }
}

#[test]
fn a_slice_whose_folder_can_not_be_entered_for_a_while_starts_nothing_and_loses_nothing() {
    needs!(Modes);
    let folder = Folder::new();
    let chmod = |mode| fs::set_permissions(folder.file("j"), Permissions::from_mode(mode)).unwrap();
    let prefix = Need::Modes.wrapper().join(" ");
    let job = r#"sh -c "echo {} >> starts; until [ -e go{} ]; do sleep 0.05; done; seq 1 2000" ::: 1 2 3 4"#;
    folder.round(&prefix, &format!("-j2 {job}"));
    let running = folder.slice(&prefix).start();
    wait_for("two starts", || folder.stamps().lines().count() == 2);
    chmod(0o000);
    folder.write("go1", "").write("go2", "");
    let says = |text: &str| String::from_utf8_lossy(&running.stderr.heard()).contains(text);
    wait_for("word of it", || says("can't be used now (Permission denied"));
    folder.write("go3", "").write("go4", "");
    chmod(0o700);
    running.end().exited(0);
    let records = folder.recorded(1);
    assert!(records.len() == 4 && records.iter().all(|record| record["success"] == true), "{records:?}");
    assert_eq!(folder.stamps().lines().count(), 4);
}

#[test]
fn a_slice_whose_list_or_records_can_not_be_read_or_written_for_a_while_loses_nothing() {
    needs!(Strace);
    // The first call of each thread passes: a slice that can't even begin is started again by the head.
    for (call, when) in [("pread64", "1..3"), ("pwrite64", "2..4"), ("write", "2..4")] {
        let folder = Folder::new();
        folder.round("", "-j2 sh -c 'seq 1 2000' ::: 1 2 3 4");
        let journal = folder.file("j");
        let own = ["journal-1-1-0000-1.jsonl", "outputs-1-1-0000-1", "running-1-1-0000-1"];
        let there = fs::read_dir(&journal).unwrap().map(|file| file.unwrap().path());
        let files = there.chain(own.map(|name| journal.join(name)));
        let paths = files.map(|file| format!("-P {}", file.display())).collect::<Vec<_>>().join(" ");
        let fails = format!("strace -f -o log {paths} --inject={call}:error=ESTALE:when={when}");
        folder.slice(&fails).end().exited(0);
        let records = folder.recorded(1);
        assert!(
            records.len() == 4 && records.iter().all(|record| record["success"] == true),
            "{call}: {records:?}"
        );
        assert!(folder.read("log").contains("INJECTED"), "{call}");
    }
}

#[test]
fn a_slice_ends_when_its_folder_is_gone() {
    let folder = Folder::new();
    folder.round("", "-j1 sh -c 'echo {} >> starts; sleep 1000' ::: a b");
    let running = folder.slice("").start();
    wait_for("a start", || folder.stamps() == "a\n");
    fs::remove_dir_all(folder.file("j")).unwrap();
    running.end().exited(3);
    assert_eq!(folder.stamps(), "a\n");
}
