//! `--joblog`: the log in the format of GNU parallel.

use std::fs::File;

use rustix::process::Signal;

use crate::{Folder, wait_for, words};

const HEADER: &str = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand";

/// The rows without their start times and durations, whose format is checked.
#[track_caller]
fn rows(folder: &Folder) -> Vec<String> {
    let log = folder.read("log");
    let mut lines = log.strip_suffix('\n').unwrap().split('\n');
    assert_eq!(lines.next(), Some(HEADER));
    lines.map(without_times).collect()
}

#[track_caller]
fn without_times(row: &str) -> String {
    let columns: Vec<&str> = row.split('\t').collect();
    let [seq, host, started, seconds, rest @ ..] = &columns[..] else { panic!("{row:?}") };
    let decimals = |text: &str| text.split_once('.').map(|(_, decimals)| decimals.len());
    assert!(started.parse::<f64>().unwrap() > 1e9 && decimals(started) == Some(3), "{row:?}");
    assert!(seconds.trim_start().parse::<f64>().is_ok(), "{row:?}");
    assert!(seconds.len() == 10 && decimals(seconds) == Some(3), "{row:?}");
    [&[*seq, *host], rest].concat().join(" ")
}

#[test]
fn each_job_that_ended_has_a_row_in_the_order_of_the_ends() {
    let folder = Folder::new();
    let script = "[ $1 = 2 ] || until grep -q '^2.:' log; do sleep 0.01; done; echo $1";
    folder.write("job", script);
    folder.run("--joblog log -j2 sh job ::: 1 2").end().exited(0).printed("2\n1\n").silent();
    assert_eq!(rows(&folder), ["2 : 0 2 0 0 sh job 2", "1 : 0 2 0 0 sh job 1"]);
}

#[test]
fn exitval_and_signal_say_how_a_job_ended() {
    let folder = Folder::new();
    folder.write("plain", "");
    folder.write(
        "jobs.json",
        r#"{"jobs": {"three": {"shell": "exit 3"}, "killed": {"shell": "kill -9 $$"},
            "slow": {"cmd": ["sleep", "1000"], "timeout": "10ms"},
            "missing": {"cmd": ["./missing", "a b"]}, "plain": {"cmd": ["./plain"]}}}"#,
    );
    folder.run("--joblog log -j1 --file jobs.json").end().exited(1);
    let expected = [
        "1 : 0 0 3 0 sh -c 'exit 3'",
        "2 : 0 0 137 9 sh -c 'kill -9 $$'",
        "3 : 0 0 -1 15 sleep 1000",
        "4 : 0 0 127 0 ./missing 'a b'",
        "5 : 0 0 126 0 ./plain",
    ];
    assert_eq!(rows(&folder), expected);
}

#[test]
fn a_command_stays_on_its_row_whatever_its_bytes() {
    let folder = Folder::new();
    folder.run("--joblog log -0 -j1 true").input("a\nb\0c\td\0e\\'\0\0\u{1b}[m\0").end().exited(0);
    let commands: Vec<String> =
        rows(&folder).iter().map(|row| row.rsplit_once(" 0 0 ").unwrap().1.to_owned()).collect();
    let expected = [r"true $'a\nb'", r"true $'c\td'", r"true 'e\'\'''", "true ''", r"true $'\033[m'"];
    assert_eq!(commands, expected);
}

#[test]
fn the_file_is_emptied() {
    let folder = Folder::new();
    folder.run("--joblog log true ::: a").end().exited(0);
    folder.run("--joblog log true :::").end().exited(0);
    assert!(rows(&folder).is_empty());
}

#[test]
fn a_job_that_was_stopped_has_a_row_and_one_that_was_never_reached_has_none() {
    let folder = Folder::new();
    let script = "trap 'exit 0' INT; : > started; while :; do sleep 0.01; done";
    let running = folder.run("--joblog log -j1 sh -c").args([script, ":::", "a", "b"]).start();
    wait_for("the job has started", || folder.has("started"));
    running.signal(Signal::INT);
    running.end().died_of(Signal::INT);
    let rows = rows(&folder);
    assert_eq!(rows.len(), 1);
    assert!(rows[0].starts_with("1 : 0 0 143 0 sh -c "), "{rows:?}");
}

#[test]
fn where_nobody_reads_the_outputs_what_was_stopped_is_recorded_all_the_same() {
    let folder = Folder::new();
    let script = "{ procpool run --joblog log -j2 -- sh -c \
                  'if [ {} = 1 ]; then seq 100000; else sleep 1000; fi' ::: 1 2; echo $? > status; } | head -n1";
    folder.sh(script).end().exited(0).printed("1\n");
    assert_eq!(folder.read("status"), "141\n");
    assert_eq!(rows(&folder).len(), 2);
}

#[test]
fn a_log_that_can_not_be_opened_is_an_error_before_any_job() {
    for log in ["missing/log", ".", ""] {
        let folder = Folder::new();
        let ended = folder.run("--joblog").arg(log).args(words(&["touch", "ran", ":::", "a"])).end();
        ended.exited(2).said("--joblog");
        assert!(!folder.has("ran"), "{log:?}");
    }
}

#[test]
fn a_log_on_a_full_disk_is_no_success_and_nothing_is_started() {
    let folder = Folder::new();
    let ended = folder.run("--joblog /dev/full touch ran ::: a").end().exited(3);
    ended.said("can't write to \"/dev/full\": No space left on device");
    assert!(!folder.has("ran"));
}

#[test]
fn a_log_whose_disk_fills_up_ends_the_run_and_nothing_is_shown_that_is_not_in_it() {
    let folder = Folder::new();
    // There is room for the header and a few rows.
    let script = "ulimit -f 1; yes | head -n 1000 | procpool run --joblog log -j1 echo";
    let ended = folder.sh(script).end().exited(3).said("can't write to \"log\": File too large");
    let shown = ended.text().lines().count();
    let log = folder.read("log");
    assert!((1..100).contains(&shown) && log.lines().count() > shown, "{shown} shown of {log}");
}

#[test]
fn a_log_may_be_a_pipe_and_a_reader_that_goes_is_a_failure() {
    let folder = Folder::new();
    folder
        .sh("mkfifo pipe; head -n1 pipe > log & yes | procpool run --joblog pipe -j1 true; echo $? > status")
        .end();
    assert_eq!(folder.read("status"), "3\n");
    let full = File::options().write(true).open("/dev/full").unwrap();
    folder.run("--joblog /dev/stdout true ::: a").stdout(full).end().exited(3);
}
