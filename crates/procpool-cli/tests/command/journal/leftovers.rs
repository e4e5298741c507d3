//! Jobs that have outlived all of procpool's processes: whoever goes on ends them before it starts anything.
//! Does not know how they are found.

use std::fs;

use rustix::process::Signal;

use crate::processes::{is_gone, kill, lives, pids, state};
use crate::{Folder, Running, wait_for};

/// Kills all processes at the same instant, so that none can end what runs.
fn all_killed(running: &Running) {
    let all = [running.pool(), running.keeper(), running.pid().to_string()];
    for pid in &all {
        kill(pid, Signal::STOP);
    }
    wait_for("all to be stopped", || all.iter().all(|pid| state(pid) == Some('T')));
    // In this order: a stopped group whose parent ends is made to go on.
    for pid in &all {
        kill(pid, Signal::KILL);
    }
    // What it has started holds its outputs open, so that they don't end.
    wait_for("all to be gone", || all.iter().all(|pid| is_gone(pid)));
}

/// Stays where it is run for the first time; then says whether those are still there who stayed.
const STAYS: &str = r#"if [ -e "pid.$1" ]; then
    for left in pid.*; do
        read -r pid name state rest < "/proc/$(cat $left)/stat" 2> /dev/null || continue
        [ "$state" = Z ] || echo "$left is still there"
    done
    echo "again $1"
    exit
fi
stay() { echo $$ > "new.$1"; mv "new.$1" "pid.$1"; }
case $1 in
    cleared) stay cleared; exec env -i /bin/sleep 86400 ;;
    session) setsid -f sh -c 'echo $$ > new.other; mv new.other pid.other; exec sleep 86400'; stay session; exec sleep 86400 ;;
    group) sh -c 'exec sleep 86400' & stay group; wait ;;
    *) stay "$1"; exec sleep 86400 ;;
esac"#;

#[test]
fn jobs_that_have_outlived_procpool_are_named_and_ended_before_any_is_started() {
    let folder = Folder::new();
    let list = ["plain", "cleared", "session", "group"];
    let running = folder.record("-j4 -k sh -c").args([STAYS, "sh", ":::"]).args(list).start();
    let left = pids(&folder, "pid.", list.len() + 1);
    // It is known of a job when it is known which process it is.
    wait_for("all of them to be noted", || {
        let table = fs::read_to_string(folder.file("J/running")).unwrap_or_default();
        (1..=4).all(|seq| table.contains(&format!(" {seq} 1 ")))
    });
    all_killed(&running);
    assert!(left.iter().all(|pid| lives(pid)), "they outlive it");
    let ended =
        folder.resume("").end().exited(0).printed("again plain\nagain cleared\nagain session\nagain group\n");
    let said = ended.error_text();
    assert!(left.iter().all(|pid| is_gone(pid)), "{said}");
    let named =
        |pid: &String, seq: usize| said.contains(&format!("process {pid} of job {seq} still ran since run "));
    for (name, seq) in list.iter().zip(1..) {
        assert!(named(&folder.read(&format!("pid.{name}")).trim().to_owned(), seq), "{name}: {said}");
    }
    assert!(named(&folder.read("pid.other").trim().to_owned(), 3), "{said}");
    assert!(said.contains("4 jobs: 0 succeeded, 0 failed, 4 interrupted, "), "{said}");
    // Said once: they are no more.
    assert!(!folder.resume("").end().exited(0).error_text().contains("still ran"));
}

#[test]
fn whoever_is_refused_ends_nothing() {
    let folder = Folder::new();
    let running = folder.record("sh -c").args([STAYS, "sh", ":::", "plain"]).start();
    let left = pids(&folder, "pid.", 1);
    wait_for("it to be noted", || folder.read("J/running").contains(" 1 1 "));
    all_killed(&running);
    assert!(lives(&left[0]), "it outlives it");
    folder.record("--resume=failed true").end().exited(2);
    folder.record("true ::: plain").end().exited(2).said("add --resume to go on with it");
    folder.record("--resume --file").arg("missing.toml").end().exited(2);
    assert!(lives(&left[0]));
    folder.resume("").end().exited(0).printed("again plain\n").said("still ran since run ");
    assert!(is_gone(&left[0]));
}
