//! `procpool ls` and `show`: what they print of a journal's jobs, during the run and afterwards.

use std::fs::{self, File};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::terminal::Terminal;
use crate::{Ended, Folder, PROCPOOL, Trial, wait_for};

/// A folder with a journal `j`, whose jobs end in different ways.
pub(crate) fn recorded() -> Folder {
    let folder = Folder::new();
    let script = "echo out $1; echo err $1 >&2; case $1 in b) exit 3;; c) kill -9 $$;; esac";
    folder.write("job", script);
    let trial = folder.run("--journal j -j1 --retries 1 --env A=1 sh job");
    trial.args([":::", "a", "b", "c", "d e"]).end().exited(1);
    folder
}

impl Ended {
    /// Standard output contains this.
    #[track_caller]
    fn contains(self, text: &str) -> Ended {
        assert!(self.text().contains(text), "expected: {text:?}\n{}", self.describe());
        self
    }
}

impl Folder {
    pub(crate) fn procpool(&self, words: &[&str]) -> Trial {
        self.command(PROCPOOL).args(words)
    }
}

/// The first columns of each row after the key, without those that depend on the time.
fn rows(text: &str) -> Vec<String> {
    let fields = |line: &str| {
        let fields: Vec<&str> = line.split("  ").map(str::trim).filter(|field| !field.is_empty()).collect();
        let [key, outcome, _seconds, tries, _peak] = fields[..] else { panic!("{line:?}") };
        format!("{key}|{outcome}|{tries}")
    };
    text.lines().map(fields).collect()
}

const HEAD: &str = "KEY|OUTCOME|TRIES";

/// Columns and records of memory show only figures that are the job's own.
#[test]
fn the_peak_of_a_job_smaller_than_procpool_is_no_more_than_a_bound() {
    let folder = Folder::new();
    // In a shell variable; more memory than procpool ever uses.
    let script =
        "case {} in small) exec true ;; esac; much=$(head -c 200000000 /dev/zero | tr '\\0' x); : ${#much}";
    folder
        .run("--journal j --events log --results r sh -c")
        .args([script, ":::", "small", "large"])
        .end()
        .exited(0);
    let listed = folder.procpool(&["ls", "j"]).end().exited(0);
    let peak = |line| str::split_whitespace(line).last().unwrap_or_default();
    let [_, small, large] = listed.text().lines().map(peak).collect::<Vec<_>>()[..] else { panic!() };
    assert!(small.starts_with('<') && small.ends_with('M'), "{small}");
    assert!(large.ends_with('M') && large[..3].parse::<u32>().unwrap() >= 190, "{large}");
    let shown = folder.procpool(&["show", "j", "small"]).end().exited(0);
    assert!(shown.text().contains(&format!("{small} at its peak")), "{}", shown.text());
    let csv = folder.procpool(&["export", "--format", "csv", "j"]).end().exited(0);
    assert!(csv.text().contains(",peak_memory,peak_memory_below,"), "{}", csv.text());
    let events = folder.read("log");
    let event = |key: &str| {
        let is_it =
            |line: &&str| line.contains("job-finished") && line.contains(&format!("\"key\":\"{key}\""));
        serde_json::from_str::<Value>(events.lines().find(is_it).unwrap()).unwrap()
    };
    let meta = |key: &str| serde_json::from_str(&folder.read(&format!("r/{key}/meta.json"))).unwrap();
    for small in [event("small"), meta("small")] {
        assert!(small["peak_memory"].is_null() && small["peak_memory_below"].as_u64() > Some(0), "{small}");
    }
    for large in [event("large"), meta("large")] {
        assert!(large["peak_memory"].as_u64() > Some(200_000_000), "{large}");
        assert!(large["peak_memory_below"].is_null(), "{large}");
    }
}

#[test]
fn the_jobs_of_a_journal_are_listed_in_their_order() {
    let folder = recorded();
    let all = folder.procpool(&["ls", "j"]).end().exited(0).silent();
    assert_eq!(rows(all.text()), [HEAD, "a|succeeded|1", "b|exit 3|2", "c|SIGKILL|2", "d e|succeeded|1"]);
    let failed = folder.procpool(&["ls", "j", "--failed"]).end().exited(0).silent();
    assert_eq!(rows(failed.text()), [HEAD, "b|exit 3|2", "c|SIGKILL|2"]);
    let some = folder.procpool(&["ls", "j", "[ab]"]).end().exited(0).silent();
    assert_eq!(rows(some.text()), [HEAD, "a|succeeded|1", "b|exit 3|2"]);
    let none = folder.procpool(&["ls", "j", "x*"]).end().exited(0).said("\"x*\"");
    assert_eq!(rows(none.text()), [HEAD]);
    folder.procpool(&["ls", "j", "[a"]).end().exited(2).said("GLOB \"[a\"").printed("");
}

#[test]
fn the_slowest_come_first() {
    let folder = Folder::new();
    folder.run("--journal j -j1 true ::: 1 2 3 4 5 6 7 8").end().exited(0);
    let csv = folder.procpool(&["export", "j", "--format", "csv"]).end().exited(0);
    let mut rows: Vec<(f64, &str)> = csv
        .text()
        .lines()
        .skip(1)
        .map(|line| (line.split(',').nth(15).unwrap().parse().unwrap(), line.split(',').next().unwrap()))
        .collect();
    rows.sort_by(|one, other| other.0.total_cmp(&one.0));
    let expected: Vec<String> = rows.iter().map(|(_, key)| format!("{key}|succeeded|1")).collect();
    for count in [0, 1, 3, 8, 9] {
        let count_word = count.to_string();
        let slowest = folder.procpool(&["ls", "j", "--slowest", &count_word]).end().exited(0).silent();
        let table = self::rows(slowest.text());
        assert_eq!(table[0], HEAD);
        assert_eq!(table[1..], expected[..count.min(8)]);
    }
}

#[test]
fn what_runs_and_what_has_not_run_is_listed_and_what_a_kill_has_interrupted() {
    let folder = Folder::new();
    folder.write("job", "[ $1 = 1 ] || { : > started; exec sleep 1000; }");
    let running = folder.run("--journal j -j1 sh job ::: 1 2 3").start();
    wait_for("the second job has started", || folder.has("started"));
    let ls = || folder.procpool(&["ls", "j"]).end().exited(0).silent();
    wait_for("it is known to run", || ls().text().contains("running"));
    assert_eq!(rows(ls().text()), [HEAD, "1|succeeded|1", "2|running|1", "3|not run|0"]);
    folder.procpool(&["show", "j", "2"]).end().exited(0).silent().contains("runs now");
    // Reading the journal doesn't interfere with the run.
    let pool = running.pool().parse().ok().and_then(Pid::from_raw).unwrap();
    kill_process(pool, Signal::KILL).unwrap();
    running.end().died_of(Signal::KILL);
    wait_for("nobody runs it any more", || !ls().text().contains("running"));
    assert_eq!(rows(ls().text()), [HEAD, "1|succeeded|1", "2|interrupted|1", "3|not run|0"]);
    folder.procpool(&["show", "j", "2"]).end().exited(0).silent().contains("was interrupted");
}

#[test]
fn a_table_is_as_straight_on_a_terminal_and_coloured_there() {
    let folder = Folder::new();
    folder.run("--journal j -0 -j1 true").input("\u{1b}[31m\0\u{4e00}\u{4e8c}\0\0\0a\nb").end().exited(0);
    let terminal = Terminal::new();
    let trial = folder.procpool(&["ls", "j"]).env("TERM", "xterm").stdout(terminal.device());
    trial.end().exited(0).silent();
    terminal.shows("a\\nb");
    assert!(terminal.text().contains("\u{1b}[32msucceeded"));
    let screen = terminal.picture().screen();
    assert!(screen.contains("\\u{1b}[31m  succeeded") && screen.contains("\"\"  "), "{screen}");
    let column = screen.lines().next().and_then(|line| line.find("OUTCOME")).unwrap();
    let straight =
        screen.lines().filter(|line| line.get(column..).is_some_and(|rest| rest.starts_with("succeeded")));
    // The columns are aligned even with characters that are two columns wide.
    assert_eq!(straight.count(), 4, "{screen}");
    assert!(screen.contains("\u{4e00}\u{4e8c}        succeeded"), "{screen}");
    let plain = folder.procpool(&["ls", "j"]).end().exited(0);
    assert!(!plain.text().contains('\u{1b}'));
    let coloured = folder.procpool(&["ls", "j", "--color", "always"]).end().exited(0);
    assert!(coloured.text().contains('\u{1b}'));
}

#[test]
fn all_that_is_known_of_a_job_is_shown() {
    let folder = recorded();
    let ended = folder.procpool(&["show", "j", "b"]).end().exited(0).silent();
    for text in [
        "key          b\n",
        "command      env A=1 sh job b\n",
        "variables    A=\"1\"\n",
        "attempt 1 of run 1: exit 3\n",
        "attempt 2 of run 1, which counts: exit 3\n",
        "waited for retry\n",
        "--- standard output, 6 bytes\nout b\n--- standard error, 6 bytes\nerr b\n",
    ] {
        assert!(ended.text().contains(text), "{text:?}\n{}", ended.describe());
    }
    folder.procpool(&["show", "j", "d  e"]).end().exited(2).printed("").said("there is \"d e\"");
    folder.procpool(&["show", "j", "zzzzzz"]).end().exited(2).printed("").said("`procpool ls` lists all");
}

#[test]
fn just_an_output_is_all_its_bytes_and_nothing_else() {
    let folder = Folder::new();
    let script = "printf '\\377\\033[2J\\000'; head -c 1000000 /dev/zero; printf err >&2";
    folder.run("--journal j --output none sh -c").args([script, ":::", "a"]).end().exited(0);
    let expected = [b"\xff\x1b[2J\0".to_vec(), vec![0; 1_000_000]].concat();
    folder.procpool(&["show", "j", "a", "--stdout"]).end().exited(0).silent().printed(expected);
    folder.procpool(&["show", "j", "a", "--stderr"]).end().exited(0).silent().printed("err");
    folder.procpool(&["show", "j", "a", "--stdout", "--stderr"]).end().exited(2).said("leave one out");
    let terminal = Terminal::new();
    folder.procpool(&["show", "j", "a"]).stdout(terminal.device()).end().exited(0).silent();
    terminal.shows("err");
    assert!(!String::from_utf8_lossy(&terminal.bytes()).contains("\u{1b}[2J"));
}

#[test]
fn an_output_that_was_damaged_is_not_taken_for_whole() {
    let folder = Folder::new();
    folder.run("--journal k --output none sh -c").args(["seq 10000", ":::", "a"]).end().exited(0);
    let mut outputs = fs::read(folder.file("k/outputs")).unwrap();
    outputs[20_000] ^= 1;
    folder.write("k/outputs", &outputs);
    let ended = folder.procpool(&["show", "k", "a", "--stdout"]).end().exited(2);
    ended.said("damaged").said("k/outputs");
}

#[test]
fn a_key_is_found_by_its_bytes_or_as_it_is_shown() {
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new();
    folder.run("--journal j -0 -j1 echo").input(b"\xff\0a\tb\0".to_vec()).end().exited(0);
    let bytes = std::ffi::OsStr::from_bytes(b"\xff");
    let output = |trial: Trial| trial.arg("--stdout").end().exited(0).silent();
    output(folder.procpool(&["show", "j"]).arg(bytes)).printed(b"\xff\n");
    output(folder.procpool(&["show", "j", "\u{fffd}"])).printed(b"\xff\n");
    output(folder.procpool(&["show", "j", "a\\tb"])).printed("a\tb\n");
    let some = folder.procpool(&["ls", "j", "?"]).end().exited(0).silent();
    assert_eq!(rows(some.text()), [HEAD, "\u{fffd}|succeeded|1"]);
}

#[test]
fn a_journal_that_is_none_or_damaged_is_refused_and_a_torn_one_told_of() {
    let folder = recorded();
    let all: [&[&str]; 2] = [&["ls", "j"], &["show", "j", "a"]];
    for words in [&["ls", "."][..], &["ls", "missing"], &["show", "job", "a"]] {
        folder.procpool(words).end().exited(2).printed("").said("no run is recorded there");
    }
    let whole = fs::read(folder.file("j/journal.jsonl")).unwrap();
    folder.write("j/journal.jsonl", &whole[..whole.len() - 3]);
    for words in all {
        folder.procpool(words).end().exited(0).said("torn off");
    }
    let mut damaged = whole.clone();
    damaged[1000] ^= 1;
    folder.write("j/journal.jsonl", &damaged);
    for words in all {
        folder.procpool(words).end().exited(2).printed("").said("damaged at byte");
    }
    folder.write("j/journal.jsonl", "{\"record\":\"journal\",\"version\":99}\n");
    for words in all {
        folder.procpool(words).end().exited(2).printed("").said("version 99");
    }
    folder.write("j/journal.jsonl", "what else\n");
    for words in all {
        folder.procpool(words).end().exited(2).printed("").said("no journal of procpool");
    }
}

#[test]
fn jobs_that_left_the_list_are_named_and_can_be_shown() {
    let folder = Folder::new();
    folder.run("--journal j echo ::: a b").end().exited(0);
    folder.run("--journal j --resume echo ::: b").end().exited(0);
    let ended = folder.procpool(&["ls", "j"]).end().exited(0);
    let ended = ended.said("1 more job is recorded that is no longer on the list");
    assert_eq!(rows(ended.text()), [HEAD, "b|succeeded|1"]);
    folder.procpool(&["show", "j", "a"]).end().exited(0).silent().contains("output, 2 bytes\na\n");
}

#[test]
fn of_several_writers_a_success_counts_and_its_own_output_is_shown() {
    let folder = Folder::new();
    folder.write("job", "[ -e flag ] || exit 3; seq 2000");
    folder.run("--journal j sh job ::: a").end().exited(1);
    folder.write("flag", "").run("--journal k --output none sh job ::: a").end().exited(0);
    for (from, to) in [("k/journal.jsonl", "j/journal-other.jsonl"), ("k/outputs", "j/outputs-other")] {
        fs::copy(folder.file(from), folder.file(to)).unwrap();
    }
    let ended = folder.procpool(&["ls", "j"]).end().exited(0).silent();
    assert_eq!(rows(ended.text()), [HEAD, "a|succeeded|2"]);
    let ended = folder.procpool(&["show", "j", "a", "--stdout"]).end().exited(0).silent();
    assert_eq!(ended.text().lines().count(), 2000);
}

#[test]
fn what_is_told_needs_a_reader_and_no_more() {
    let folder = recorded();
    for words in [&["ls", "j"][..], &["show", "j", "a"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        folder.procpool(words).stdout(full).end().exited(3).said("can't write to standard output");
        let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        drop(reader);
        folder.procpool(words).stdout(writer).end().died_of(Signal::PIPE).silent();
        let closed = format!("procpool {} >&-", words.join(" "));
        folder.sh(&closed).end().exited(3).said("can't write to standard output");
    }
}
