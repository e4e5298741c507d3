//! Each option of sleeper, for real. These tests also make cargo build the binary before the tests of other
//! crates look for it.

#![expect(clippy::unwrap_used, reason = "clippy does not take the helpers of tests for tests")]

mod behind;
mod heeding;
mod needs;

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use sleeper::bytes::{self, Stream};
use sleeper::{fate, stamp};
use std::fs;
use std::io::{BufRead, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use tempfile::tempdir;

fn sleeper(options: &str) -> Command {
    sleeper::heed_all_signals();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sleeper"));
    command.args(options.split(' ')).env_remove("PROCPOOL_KEY");
    command
}

fn run(options: &str) -> Output {
    sleeper(options).output().unwrap()
}

fn start(command: &mut Command) -> Child {
    command.stdout(Stdio::piped()).spawn().unwrap()
}

/// Waits until the child reports that all of its options are in effect.
fn start_until_ready(command: &mut Command) -> Child {
    let mut child = start(command);
    let mut line = [0; 6];
    child.stdout.as_mut().unwrap().read_exact(&mut line).unwrap();
    assert_eq!(&line, b"ready\n");
    child
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

#[test]
fn the_binary_that_other_crates_find_is_the_one_that_cargo_built() {
    let found = sleeper::binary().canonicalize();
    let built = Path::new(env!("CARGO_BIN_EXE_sleeper")).canonicalize();
    assert_eq!(found.unwrap(), built.unwrap());
}

#[test]
fn it_sleeps_and_prints_the_seconds_as_they_were_typed() {
    for typed in ["0", "0.25", "00", "1e-3"] {
        let folder = tempdir().unwrap();
        let file = folder.path().join("stamps");
        let output = sleeper(typed).arg("--stamp").arg(&file).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(output.stdout, format!("time slept:{typed}\n").as_bytes());
        assert_eq!(output.stderr, b"");
        let slept = stamp::wall(&stamp::read(&file).unwrap());
        assert!(slept.as_secs_f64() >= typed.parse().unwrap());
    }
}

#[test]
fn without_an_argument_it_sleeps_ten_seconds() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("stamps");
    let mut child = start_until_ready(sleeper("--ready --stamp").arg(&file));
    child.kill().unwrap();
    child.wait().unwrap();
    // Without `--key`, the duration is the key. The child is killed, so nobody waits 10 s.
    assert_eq!(stamp::read(&file).unwrap()[0].key, b"10");
}

#[test]
fn what_is_no_time_is_refused() {
    for typed in ["-1", "-0.5", "nan", "inf", "1e99", "five", "", "5s"] {
        let output = run(typed);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{typed}");
        assert_eq!(output.stdout, b"", "{typed}");
        assert!(message.contains("[SECONDS]"), "{message}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    for option in "--exit 256,--fail-rate 1.5,--stdout-bytes 5X,--kill-self 65,--pid-file f,--count 5,--deaf --ignore-term".split(',') {
        assert_eq!(run(option).status.code(), Some(2), "{option}");
    }
}

#[test]
fn it_exits_with_the_asked_status_after_its_work() {
    let output = run("0 --exit 255");
    assert_eq!(output.status.code(), Some(255));
    assert_eq!(output.stdout, b"time slept:0\n");
}

#[test]
fn quiet_prints_nothing() {
    assert_eq!(run("0 --quiet").stdout, b"");
}

#[test]
fn it_fails_for_the_keys_that_the_library_says() {
    for key in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let mut command = sleeper("0 --fail-rate 0.5 --seed 7");
        let by_variable = command.env("PROCPOOL_KEY", key).output().unwrap();
        command.env("PROCPOOL_KEY", "another").args(["--key", key]);
        let by_option = command.output().unwrap();
        let fails = fate::fails(7, key.as_bytes(), 0.5);
        assert_eq!(by_variable.status.code(), Some(fails.into()));
        assert_eq!(by_variable, by_option);
        assert_eq!(by_option.stderr.lines().count(), usize::from(fails));
        assert_eq!(by_option.stdout, b"time slept:0\n");
    }
}

#[test]
fn without_a_seed_a_rate_of_one_still_fails_and_says_so() {
    let output = run("0 --fail-rate 1");
    let message = b"sleeper: 0 was told to fail, at a rate of 1\n";
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stderr, message);
}

#[test]
fn both_streams_carry_the_bytes_that_the_library_says() {
    let output = run("0 --quiet --stdout-bytes 1M --stderr-bytes 300001 --byte-seed 3");
    assert!(output.stdout == bytes::all(3, Stream::Stdout, 1 << 20));
    assert!(output.stderr == bytes::all(3, Stream::Stderr, 300_001));
}

#[test]
fn both_streams_are_written_in_turn_and_unread_output_ends_it_without_a_panic() {
    let (unread, stderr) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    drop(unread);
    let mut command = sleeper("0 --stdout-bytes 1M --stderr-bytes 1M");
    let output = command.stderr(stderr).output().unwrap();
    assert_eq!(output.status.code(), Some(141));
    // It met the closed stderr long before it had written all of stdout.
    assert!((1..1 << 16).contains(&output.stdout.len()));
}

#[test]
fn it_ignores_term_once_it_is_ready() {
    let mut command = sleeper("0 --ignore-term --cat");
    let child = start_until_ready(command.stdin(Stdio::piped()));
    signal(&child, Signal::TERM);
    // Its stdin ends only here, so the signal arrived while it worked.
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stdout, b"time slept:0\n");
}

#[test]
fn it_exits_as_told_at_once_on_term() {
    let child = start_until_ready(&mut sleeper("86400 --exit-on-term 0"));
    signal(&child, Signal::TERM);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stdout, b"");
}

#[test]
fn ready_alone_does_not_catch_term() {
    let mut child = start_until_ready(&mut sleeper("86400 --ready"));
    signal(&child, Signal::TERM);
    assert_eq!(child.wait().unwrap().signal(), Some(15));
}

#[test]
fn it_dies_by_any_deadly_signal_after_its_work() {
    for signal in [1, 6, 9, 11, 13, 15, 34] {
        let output = run(&format!("0 --kill-self {signal}"));
        assert_eq!(output.status.signal(), Some(signal));
        assert!(!output.status.core_dumped());
        assert_eq!(output.stdout, b"time slept:0\n");
    }
}

#[test]
fn it_stops_itself_and_goes_on_when_continued() {
    let child = start(&mut sleeper("0 --stop-self"));
    let changed = waitpid(Some(Pid::from_child(&child)), WaitOptions::UNTRACED);
    assert!(changed.unwrap().unwrap().1.stopped());
    signal(&child, Signal::CONT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.stdout, b"time slept:0\n");
}

#[test]
fn it_copies_its_input_and_shows_its_environment_and_folder() {
    let folder = tempdir().unwrap();
    let mut command = sleeper("0 --cat --print-env SET --print-env NOT_SET --print-dir");
    command.env("SET", "a b").env_remove("NOT_SET");
    command.current_dir(&folder).stdin(Stdio::piped());
    let mut child = start(&mut command);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"in\xff\0\n").unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let rest = format!("a b\n{}\ntime slept:0\n", folder.display());
    assert_eq!(output.stdout, [b"in\xff\0\n", rest.as_bytes()].concat());
}

#[test]
fn all_options_can_stand_in_one_word() {
    let mut command = sleeper("--words");
    let output = command.arg("0 --exit 7 --stdout-bytes 5 --byte-seed 3").output().unwrap();
    assert_eq!(output, run("0 --exit 7 --stdout-bytes 5 --byte-seed 3"));
    assert_eq!(output.status.code(), Some(7));
}

#[test]
fn the_end_is_stamped_when_it_fails_but_not_when_it_is_killed() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("stamps");
    let stamped = |options: &str| {
        let mut command = sleeper(options);
        command.arg("--stamp").arg(&file);
        command
    };
    let failed = stamped("0 --exit 7 --key it%failed").output().unwrap();
    assert_eq!(failed.status.code(), Some(7));
    let mut killed = start_until_ready(&mut stamped("86400 --ready"));
    killed.kill().unwrap();
    killed.wait().unwrap();

    let stamps = stamp::read(&file).unwrap();
    let ends = stamps.iter().map(|ran| (&ran.key[..], ran.end.is_some()));
    let expected = [(&b"it%failed"[..], true), (&b"86400"[..], false)];
    assert!(ends.eq(expected), "{stamps:?}");
    let raw = fs::read_to_string(&file).unwrap();
    assert!(raw.starts_with("start it%25failed "), "{raw}");
}

#[test]
fn those_that_wait_for_each_other_ran_at_once() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("stamps");
    let mut command = sleeper("0 --ready --cat --stamp");
    command.arg(&file).stdin(Stdio::piped());
    let children = [(); 3].map(|()| start_until_ready(&mut command));
    for child in children {
        child.wait_with_output().unwrap();
    }
    assert_eq!(stamp::peak(&stamp::read(&file).unwrap()), 3);
}
