//! Outputs that were cut off while they were printed, and how a resume continues them, in every mode and to
//! every kind of destination. Both parts together must be the whole.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};

use crate::journal::killed;
use crate::processes::state;
use crate::terminal::Terminal;
use crate::{Folder, Running, Trial, wait_for};

/// More lines than any pipe holds.
const NUMBERS: &str = "seq 60000";
const LAST: usize = 60_000;

/// Runs this until so many bytes have been read from its pipe and the next ones wait, then kills it. Returns
/// all of its output.
#[track_caller]
fn cut(trial: Trial, bytes: u64) -> String {
    cut_into(|pipe| trial.stdout(pipe), bytes)
}

#[track_caller]
fn cut_into(run: impl FnOnce(OwnedFd) -> Trial, bytes: u64) -> String {
    let mut tap = Tap::new(run);
    tap.read(bytes);
    tap.is_full();
    tap.kill()
}

/// A run whose output goes to a pipe that is read only as far as a case wants.
pub(super) struct Tap {
    running: Running,
    reader: File,
    writer: OwnedFd,
    text: String,
}

impl Tap {
    /// A pipe that holds no more than one unread page.
    pub(super) fn of_a_page(run: impl FnOnce(OwnedFd) -> Trial) -> Tap {
        Tap::new(|pipe| {
            fcntl_setpipe_size(&pipe, 4096).unwrap();
            run(pipe)
        })
    }

    fn new(run: impl FnOnce(OwnedFd) -> Trial) -> Tap {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let running = run(writer.try_clone().unwrap()).start();
        Tap { running, reader: reader.into(), writer, text: String::new() }
    }

    pub(super) fn read(&mut self, bytes: u64) {
        let read = Read::by_ref(&mut self.reader).take(bytes).read_to_string(&mut self.text).unwrap();
        assert_eq!(read as u64, bytes);
    }

    /// Waits until the run is blocked on the full pipe. If it were killed between a write to the pipe and the
    /// note of it, a piece would be printed twice.
    #[track_caller]
    pub(super) fn is_full(&self) {
        let pool = self.running.pool();
        let is_full = || {
            let mut writer = [PollFd::new(&self.writer, PollFlags::OUT)];
            poll(&mut writer, Some(&Timespec::default())).unwrap() == 0
        };
        wait_for("the pipe to be full", || (0..3).all(|_| sleeps(&pool) && is_full()));
    }

    /// Kills the run, and returns all of its output.
    #[track_caller]
    pub(super) fn kill(mut self) -> String {
        killed(self.running);
        drop(self.writer);
        self.reader.read_to_string(&mut self.text).unwrap();
        self.text
    }
}

/// Whether all threads sleep.
pub(super) fn sleeps(process: &str) -> bool {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    tasks.flatten().all(|task| state(&task.file_name().to_string_lossy()) == Some('S'))
}

/// Both streams go to the pipe.
fn together(trial: Trial, pipe: OwnedFd) -> Trial {
    trial.stdout(pipe.try_clone().unwrap()).stderr(pipe)
}

/// The numbers on the lines, without their labels.
fn numbers(text: &str) -> Vec<usize> {
    let number = |line: &str| line.rsplit('\t').next().and_then(|number| number.parse().ok());
    text.lines().map(|line| number(line).unwrap_or_else(|| panic!("torn or mixed: {line:?}"))).collect()
}

#[track_caller]
fn has_all(text: &str, what: &str) {
    let numbers = numbers(text);
    assert!(numbers.iter().copied().eq(1..=LAST), "{what}: {} lines", numbers.len());
}

#[test]
fn with_another_label_or_none_no_line_is_missing_and_none_comes_twice() {
    let options =
        [("--tag", ""), ("", "--tag"), ("--tag-with a", "--tag-with bbbbb"), ("--tag-with bbbbb", "--tag")];
    for (first, then) in options {
        for order in ["", "-k"] {
            let folder = Folder::new();
            let trial = folder.record(&format!("{first} {order} sh -c")).args([NUMBERS, "sh", ":::", "x"]);
            let part = cut(trial, 100_001);
            let again =
                folder.record(&format!("--resume {then} {order} sh -c")).args([NUMBERS, "sh", ":::", "x"]);
            let rest = again.end().exited(0).text().to_owned();
            has_all(&(part.clone() + &rest), &format!("{first:?}, then {then:?} {order}"));
            // An output has the same form from beginning to end.
            let label = |line: &str| line.rsplit_once('\t').map(|(label, _)| label.to_owned());
            assert_eq!(label(rest.lines().last().unwrap()), label(part.lines().next().unwrap()));
        }
    }
}

#[test]
fn the_jobs_after_it_have_the_label_that_was_asked_for_last() {
    let folder = Folder::new();
    let script = "[ $1 = 1 ] && seq 60000 || echo 7";
    let words = |first: &str| format!("{first} -k sh -c");
    let part = cut(folder.record(&words("--tag-with old")).args([script, "sh", ":::", "1", "2"]), 100_001);
    let again = folder.record(&words("--resume --tag-with new")).args([script, "sh", ":::", "1", "2"]);
    let all = part + again.end().exited(0).text();
    let old = all.lines().filter(|line| line.starts_with("old\t")).count();
    assert_eq!((old, all.lines().last()), (LAST, Some("new\t7")));
}

#[test]
fn what_went_to_a_pipe_goes_on_on_a_terminal_without_a_line_missing() {
    let folder = Folder::new();
    let script = r"seq 20000 | sed 's/.*/\x1b[2K\x1b[31m&\x1b[0m/'";
    let part = cut(folder.record("sh -c").args([script, "sh", ":::", "x"]), 100_001);
    let terminal = Terminal::new();
    let again = folder.resume("--summary never").stdout(terminal.device());
    again.end().exited(0);
    terminal.shows("20000");
    let all = (part + &terminal.text()).replace("\x1b[2K", "").replace('\r', "");
    let plain = all.replace("\x1b[31m", "").replace("\x1b[0m", "");
    let numbers: Vec<usize> = plain.lines().map(|line| line.parse().unwrap()).collect();
    assert!(numbers.iter().copied().eq(1..=20_000), "{} lines", numbers.len());
}

#[test]
fn in_order_it_is_finished_before_a_job_that_stands_before_it_and_runs_again() {
    let folder = Folder::new();
    let script = "[ $1 = 2 ] && exec seq 60000; echo 0; [ -e ok ]";
    let list = [script, "sh", ":::", "1", "2"];
    let part = cut(folder.record("-k sh -c").args(list), 100_001);
    folder.write("ok", "");
    let all = part + folder.record("--resume -k sh -c").args(list).end().exited(0).text();
    let all = all.strip_prefix("0\n").unwrap().strip_suffix("0\n").unwrap();
    has_all(all, "2");
}

#[test]
fn what_a_job_wrote_that_failed_is_finished_before_it_runs_again() {
    for order in ["", "-k"] {
        for (resume, status) in [("--resume", 0), ("--resume=unrun", 1)] {
            let folder = Folder::new();
            let list = ["[ -e ok ] && exec echo 0; seq 60000; exit 3", "sh", ":::", "x"];
            let part = cut(folder.record(&format!("{order} sh -c")).args(list), 100_001);
            folder.write("ok", "");
            let rest = folder
                .record(&format!("{resume} {order} sh -c"))
                .args(list)
                .end()
                .exited(status)
                .text()
                .to_owned();
            let all = part + &rest;
            has_all(if status == 0 { all.strip_suffix("0\n").unwrap() } else { &all }, resume);
        }
    }
}

/// A list whose first job waits if the file `again` exists. The second one prints and fails.
const WAITS_FIRST: &str =
    "[ $1 = b ] && { seq 60000; exit 1; }; [ ! -e again ] || { : > waits; sleep 1000; }";

#[test]
fn what_was_finished_before_its_job_should_run_again_comes_no_more_where_that_run_was_killed_before() {
    for options in ["", "-k"] {
        let folder = Folder::new();
        let list = [WAITS_FIRST, "sh", ":::", "a", "b"];
        let part = cut(folder.record(&format!("-j1 {options} sh -c")).args(list), 100_001);
        // The first job of the old list has succeeded, so only another list has a first job that waits.
        let list = [WAITS_FIRST, "sh", ":::", "c", "b"];
        folder.write("again", "");
        let running = folder.record(&format!("--resume -j1 {options} sh -c")).args(list).start();
        wait_for("the first job to run", || folder.has("waits"));
        let rest = killed(running).text().to_owned();
        has_all(&(part + &rest), options);
        fs::remove_file(folder.file("again")).unwrap();
        folder.resume("--unrun").end().exited(1).printed("");
        let again = folder.resume("").end().exited(1);
        has_all(again.text(), options);
        folder.resume("--unrun").end().exited(1).printed("");
    }
}

#[test]
fn lines_of_a_failed_job_come_no_more_where_a_run_that_would_run_it_again_was_killed_before() {
    let folder = Folder::new();
    let fails = "echo b1; until [ -e full ]; do sleep 0.01; done; echo b2; exit 1";
    let script = format!(
        "case $1 in b) {fails};; c) until [ -e go ]; do sleep 0.01; done; seq 60000;; *) {WAITS_FIRST};; esac"
    );
    let record = |words: &str, first: &str| {
        folder.record(&format!("{words} --output lines sh -c")).args([&script, "sh", ":::", first, "b", "c"])
    };
    let of_b = |text: &str| text.lines().filter(|line| line.starts_with('b')).collect::<Vec<_>>().concat();
    let mut tap = Tap::new(|pipe| record("-j3", "a").stdout(pipe));
    tap.read(3);
    folder.write("go", "");
    tap.is_full();
    folder.write("full", "");
    let attempts = || folder.read("J/journal.jsonl").matches("\"record\":\"attempt\"").count();
    wait_for("the second to be recorded", || attempts() == 2);
    assert_eq!(of_b(&tap.kill()), "b1");
    folder.write("again", "");
    let running = record("--resume -j1", "d").start();
    wait_for("the first job to run", || folder.has("waits"));
    assert_eq!(of_b(killed(running).text()), "");
    fs::remove_file(folder.file("again")).unwrap();
    // The third job runs again as well, because it had not ended.
    for (words, text) in [("--unrun", "b2"), ("--unrun", ""), ("", "b1b2"), ("--unrun", "")] {
        assert_eq!(of_b(folder.resume(words).end().exited(1).text()), text, "{words}");
    }
}

#[test]
fn what_a_job_wrote_that_is_on_the_list_no_more_is_finished_too() {
    let folder = Folder::new();
    let part = cut(folder.record("sh -c").args([NUMBERS, "sh", ":::", "x"]), 100_001);
    let rest =
        folder.record("--resume sh -c").args(["echo 0", "sh", ":::", "y"]).end().exited(0).text().to_owned();
    has_all((part + &rest).strip_suffix("0\n").unwrap(), "x");
}

#[test]
fn what_is_on_the_list_no_more_is_finished_though_the_resume_that_would_was_killed_too() {
    for (tag, again) in [("", "resume"), ("--tag", "resume"), ("", "--resume"), ("--tag", "--resume")] {
        let folder = Folder::new();
        let first = cut(folder.record("sh -c").args([NUMBERS, "sh", ":::", "x"]), 60_001);
        let other = || folder.record(&format!("--resume {tag} sh -c")).args(["true", "sh", ":::", "y"]);
        let second = cut(other(), 60_001);
        let third = if again == "resume" { folder.resume("") } else { other() };
        has_all(&(first + &second + third.end().exited(0).text()), &format!("{tag} {again}"));
        folder.resume("").end().exited(0).printed("");
    }
}

#[test]
fn a_resumes_own_words_stand_in_no_line_where_both_streams_go_to_one_place() {
    let folder = Folder::new();
    let list = [NUMBERS, "sh", ":::", "x"];
    let part = cut_into(|pipe| together(folder.record("sh -c").args(list), pipe), 100_001);
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let again = together(folder.record("--resume --summary always sh -c").args(list), writer).start();
    let mut all = part;
    File::from(reader).read_to_string(&mut all).unwrap();
    again.end().exited(0);
    let (own, outputs): (Vec<&str>, Vec<&str>) =
        all.lines().partition(|line| line.starts_with("procpool: ") || line.contains("succeeded"));
    has_all(&outputs.join("\n"), "both");
    assert!(own.len() >= 2, "{own:?}");
}

#[test]
fn where_lines_are_printed_as_they_come_the_rest_of_a_job_that_has_ended_comes_once() {
    for (first, then) in [("", ""), ("--tag", ""), ("", "--tag"), ("--tag", "--tag")] {
        for mode in ["--output lines", "", "-k"] {
            let folder = Folder::new();
            // An incomplete line is printed when the job has ended and is recorded.
            let list = ["echo first; head -c 300000 /dev/zero | tr '\\0' x", "sh", ":::", "1"];
            let part = cut(folder.record(&format!("--output lines {first} sh -c")).args(list), 100_001);
            let again = folder.record(&format!("--resume {mode} {then} sh -c")).args(list).end().exited(0);
            let tag = if first.is_empty() { "" } else { "1\t" };
            let all = part + again.text();
            let line = all.strip_prefix(&format!("{tag}first\n{tag}")).unwrap().trim_end_matches('\n');
            assert!(line.bytes().all(|byte| byte == b'x'), "{first:?}, then {mode} {then}");
            assert_eq!(line.len(), 300_000, "{first:?}, then {mode} {then}");
        }
    }
}

#[test]
fn a_line_that_was_cut_and_whose_rest_nobody_has_is_ended_before_another_begins() {
    let folder = Folder::new();
    let script = "[ -e ok ] && exec echo again; for n in $(seq 30); do head -c 9000 /dev/zero | tr '\\0' x; echo; done; sleep 1000";
    let list = [script, "sh", ":::", "1"];
    let part = cut(folder.record("--output lines sh -c").args(list), 100_001);
    assert!(!part.ends_with('\n'), "nothing was cut");
    folder.write("ok", "");
    let rest = folder.record("--resume --output lines sh -c").args(list).end().exited(0);
    rest.printed("\nagain\n");
}

#[test]
fn what_an_attempt_wrote_that_nobody_recorded_is_not_finished_by_what_an_earlier_one_wrote() {
    let numbers = (1..=LAST).map(|number| number.to_string().len() as u64 + 1).sum::<u64>();
    // The attempt before it belonged to the run before, or to the same run.
    for (retries, before) in [("", 0), ("--retries 1", numbers)] {
        let folder = Folder::new();
        let script = "[ -e last ] && exec echo last; [ -e again$PROCPOOL_ATTEMPT ] || { seq 60000; : > again2; exit 1; }
            seq 60000; sleep 1000";
        let words = |first: &str| format!("{first} --output lines {retries} --retry-delay 0 sh -c");
        let list = [script, "sh", ":::", "x"];
        if before == 0 {
            folder.record(&words("")).args(list).end().exited(1);
            folder.write("again1", "");
        }
        cut(folder.record(&words("--resume")).args(list), before + 100_001);
        folder.write("last", "");
        let rest = folder.record(&words("--resume")).args(list).end().exited(0).text().to_owned();
        assert_eq!(rest.trim_start_matches('\n'), "last\n", "{retries:?}");
    }
}
