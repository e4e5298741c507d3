//! Processes of jobs that have outlived procpool: a resume kills them before it starts anything, and kills no
//! other process.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use rustix::process::Signal;
use sleeper::needs;
use sleeper::needs::Need;

use crate::processes::{children, is_gone, kill, lives, pids, state};
use crate::{Ended, Folder, PROCPOOL, Running, wait_for};

/// Kills all of procpool's processes at the same moment, so that none of them can kill the jobs.
fn all_killed(running: &Running) {
    let all = [running.pool(), running.keeper(), running.pid().to_string()];
    for pid in &all {
        kill(pid, Signal::STOP);
    }
    wait_for("all to be stopped", || all.iter().all(|pid| state(pid) == Some('T')));
    // In this order, because the kernel continues a stopped group when it becomes orphaned.
    for pid in &all {
        kill(pid, Signal::KILL);
    }
    // Descendants hold procpool's outputs open, so end of file can't be waited for.
    wait_for("all to be gone", || all.iter().all(|pid| is_gone(pid)));
}

/// Leaves a process behind when it is first run; then says whether the processes that were left are still
/// there.
const LEAVES: &str = r#"if [ -e "pid.$1" ]; then
    for left in pid.*; do
        read -r pid name state rest < "/proc/$(cat $left)/stat" 2> /dev/null || continue
        [ "$state" = Z ] || echo "$left is still there"
    done
    echo "again $1"
    exit
fi
stay="echo \$\$ > new.$1; mv new.$1 pid.$1; exec sleep 86400"
case $1 in
    session) setsid -f sh -c "$stay" ;;
    cleared) env -i /bin/sh -c "$stay" & ;;
    *) sh -c "$stay" & ;;
esac
wait
exec sleep 86400"#;

/// Waits until the processes of these jobs are recorded.
fn noted(folder: &Folder, jobs: usize) {
    wait_for("all of them to be noted", || {
        let table = fs::read_to_string(folder.file("J/running")).unwrap_or_default();
        (1..=jobs).all(|seq| table.contains(&format!(" {seq} 1 ")))
    });
}

#[test]
fn jobs_that_have_outlived_procpool_are_named_and_ended_before_any_is_started() {
    let folder = Folder::new();
    let list = ["plain", "session", "group"];
    let running = folder.record("-j3 -k sh -c").args([LEAVES, "sh", ":::"]).args(list).start();
    let left = pids(&folder, "pid.", list.len());
    noted(&folder, 3);
    all_killed(&running);
    assert!(left.iter().all(|pid| lives(pid)), "they outlive it");
    let ended = folder.resume("").end().exited(0).printed("again plain\nagain session\nagain group\n");
    let said = ended.error_text();
    assert!(left.iter().all(|pid| is_gone(pid)), "{said}");
    for (name, seq) in list.iter().zip(1..) {
        let pid = folder.read(&format!("pid.{name}"));
        let named = format!("process {} of job {seq} still ran since run ", pid.trim());
        assert!(said.contains(&named), "{name}: {said}");
    }
    assert!(said.contains("3 jobs: 0 succeeded, 0 failed, 3 interrupted, "), "{said}");
    // The message is printed once, since the processes are gone.
    assert!(!folder.resume("").end().exited(0).error_text().contains("still ran"));
}

#[test]
fn who_has_cleared_the_mark_in_a_jobs_session_is_named_and_left_alone() {
    let folder = Folder::new();
    let running = folder.record("sh -c").args([LEAVES, "sh", ":::", "cleared"]).start();
    let left = pids(&folder, "pid.", 1);
    noted(&folder, 1);
    let leader = children(&running.pool());
    all_killed(&running);
    // The remains of the job's own process carry the mark in their environment.
    let ended = folder.resume("").end().exited(0).printed("pid.cleared is still there\nagain cleared\n");
    ended.said(&format!("process {} (sleep) is in the session of job 1 of run ", left[0])).said("left alone");
    assert!(leader.iter().all(|pid| is_gone(pid)), "{leader:?}");
    assert!(lives(&left[0]));
    kill(&left[0], Signal::KILL);
}

#[test]
fn a_machine_that_has_another_name_by_now_has_the_same_processes() {
    let folder = Folder::new();
    let running = folder.record("-j2 -k sh -c").args([LEAVES, "sh", ":::", "plain", "session"]).start();
    let left = pids(&folder, "pid.", 2);
    noted(&folder, 2);
    all_killed(&running);
    assert!(left.iter().all(|pid| lives(pid)), "they outlive it");
    // Of the same length, so that what follows keeps its place.
    let mut said = fs::read(folder.file("J/running")).unwrap();
    let begin = 8 + said.windows(8).position(|text| text == b"\"host\":\"").unwrap();
    said[begin..].iter_mut().take_while(|byte| **byte != b'"').for_each(|byte| *byte = b'x');
    folder.write("J/running", said);
    let ended = folder.resume("").end().exited(0).printed("again plain\nagain session\n");
    assert!(left.iter().all(|pid| is_gone(pid)), "{}", ended.describe());
    ended.said(" of job 1 still ran since run ").said(" of job 2 still ran since run ");
}

#[test]
fn whoever_is_refused_ends_nothing() {
    let folder = Folder::new();
    let running = folder.record("sh -c").args([LEAVES, "sh", ":::", "plain"]).start();
    let left = pids(&folder, "pid.", 1);
    noted(&folder, 1);
    all_killed(&running);
    assert!(lives(&left[0]), "it outlives it");
    folder.record("--resume=failed true").end().exited(2);
    folder.record("true ::: plain").end().exited(2).said("add --resume to go on with it");
    folder.record("--resume --file").arg("missing.toml").end().exited(2);
    assert!(lives(&left[0]));
    folder.resume("").end().exited(0).printed("again plain\n").said("still ran since run ");
    assert!(is_gone(&left[0]));
}

/// A process that has nothing to do with procpool, killed on drop.
struct Bystander(Child);

impl Bystander {
    fn new() -> Bystander {
        Bystander(Command::new("sleep").arg("86400").process_group(0).spawn().unwrap())
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }

    fn lives(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Overwrites the recorded pid of the job's process with this one.
fn forge(folder: &Folder, pid: &str) {
    let file = File::options().write(true).open(folder.file("J/running")).unwrap();
    file.write_all_at(format!("{:<63}\n", format!("{pid} 18446744073709551615 1 1")).as_bytes(), 1024)
        .unwrap();
}

/// A run that was killed together with its only job. Returns a bystander.
fn killed_run(folder: &Folder) -> Bystander {
    let running = folder
        .record("sh -c")
        .args(["[ -e ok ] || { : > began; exec sleep 86400; }", "sh", ":::", "1"])
        .start();
    wait_for("the job to begin", || folder.has("began"));
    noted(folder, 1);
    // Started during the run, like its job.
    let bystander = Bystander::new();
    all_killed(&running);
    folder.write("ok", "");
    bystander
}

#[test]
fn a_bystander_that_has_a_recorded_number_and_a_fitting_start_is_named_left_alone_and_not_run_beside() {
    let folder = Folder::new();
    let mut bystander = killed_run(&folder);
    forge(&folder, &bystander.pid());
    let pid = bystander.pid();
    let said = |ended: Ended| {
        ended
            .said(&format!("process {pid} (sleep) has the number and the start of job 1 of run "))
            .said(&format!("`kill {pid}`"))
    };
    said(folder.resume("").end().exited(3).printed(""));
    assert!(bystander.lives());
    drop(bystander);
    folder.resume("").end().exited(0);
}

#[test]
fn a_bystander_that_was_there_before_the_run_is_nobody_of_its_jobs_whatever_is_recorded() {
    let folder = Folder::new();
    let mut before = Bystander::new();
    // A clock tick later, so that its start time differs from the run's.
    let uptime = || fs::read_to_string("/proc/uptime").unwrap();
    let first = uptime();
    wait_for("the clock to go on", || uptime() != first);
    let _during = killed_run(&folder);
    forge(&folder, &before.pid());
    let ended = folder.resume("").end().exited(0);
    assert!(!ended.error_text().contains(&before.pid()), "{}", ended.error_text());
    assert!(before.lives());
}

#[test]
fn a_process_of_another_user_that_has_a_recorded_number_is_named_and_left_alone() {
    needs!(Root);
    let folder = Folder::new();
    let mut bystander = killed_run(&folder);
    forge(&folder, &bystander.pid());
    folder.sh("chown -R 65534:65534 . && chmod 755 .").end().exited(0);
    let other = ["--reuid=65534", "--regid=65534", "--clear-groups", PROCPOOL, "resume", "J"];
    let ended = folder.command("setpriv").args(other).end();
    // If the programs are built in a folder of root's, other users can't run them.
    if !matches!(ended.status.code(), Some(126 | 127)) {
        ended.exited(3).said(&format!("process {} (sleep) has the number ", bystander.pid()));
    }
    assert!(bystander.lives());
}

/// Forty bystanders take the first pids. A run in a pid namespace of its own is looked at while it runs, then
/// killed, and then resumed by `$1`.
const ACROSS: &str = r#"for n in $(seq 40); do sleep 86400 & bystanders="$bystanders $!"; done
    unshare --pid --fork --kill-child --mount-proc procpool run --journal J -j3 -- \
        sh -c '[ -e ok ] || sleep 86400; echo "$1"' sh ::: a b c &
    run=$!
    until grep -qs ' 1 1 ' J/running && grep -qs ' 2 1 ' J/running && grep -qs ' 3 1 ' J/running; do
        sleep 0.01
    done
    tail -c +1025 J/running > table
    procpool ls J > listed 2> held
    procpool resume J 2> refused; echo $? >> refused
    kill -KILL $run; wait $run
    : > ok
    eval "$1"; echo "status $?"
    for pid in $bystanders; do
        read -r pid name state rest < /proc/$pid/stat && [ $state = S ] || echo "dead: $pid"
    done
    kill -KILL $bystanders"#;

fn across(resume: &str) {
    let folder = Folder::new();
    let trial = folder.command("unshare").args(Need::Pids.unshare()).args(["sh", "-c", ACROSS, "sh", resume]);
    let ended = trial.end();
    assert!(folder.read("held").contains("held by process "), "{}", folder.read("held"));
    assert!(folder.read("held").contains(" in another PID namespace of "), "{}", folder.read("held"));
    assert_eq!(folder.read("listed").matches("running").count(), 3, "{}", folder.read("listed"));
    let refused = folder.read("refused");
    assert!(refused.contains(" in another PID namespace of ") && refused.ends_with("\n2\n"), "{refused}");
    let numbers: Vec<u32> =
        folder.read("table").lines().map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
    assert!(numbers.len() == 3 && numbers.iter().all(|pid| *pid < 40), "bystanders have these: {numbers:?}");
    let mut lines: Vec<&str> = ended.text().lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["a", "b", "c", "status 0"], "{}", ended.describe());
    let ended = ended.said(" ended without the outcomes of 3 jobs; what is left of them may still run ");
    assert!(!ended.error_text().contains("still ran since"), "{}", ended.error_text());
}

#[test]
fn a_run_of_another_pid_namespace_is_held_there_and_its_numbers_mean_nobody_here() {
    needs!(Pids);
    across("procpool resume J");
}

#[test]
fn with_a_proc_of_another_namespace_nobody_is_looked_for() {
    needs!(Pids);
    across("unshare --pid --fork procpool resume --no-guard J");
}
