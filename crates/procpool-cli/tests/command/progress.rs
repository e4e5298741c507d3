//! The progress display on a terminal, as a terminal emulator shows it: its content during the run, and that
//! it leaves nothing behind and garbles no output.

use rustix::process::Signal;

use crate::processes::kill;
use crate::terminal::{Picture, Terminal};
use crate::{Folder, Running, wait_for};

/// The first job waits until the file `go` exists.
const JOB: &str = "[ $1 != 1 ] || until [ -e go ]; do sleep 0.01; done";

/// A run that goes on until the file `go` exists, with its display on the terminal.
struct Shown {
    folder: Folder,
    terminal: Terminal,
    running: Running,
}

impl Shown {
    /// `job` is a script that runs after the waiting.
    fn new(options: &str, job: &str, values: &str) -> Shown {
        let (folder, terminal) = (Folder::new(), Terminal::new());
        folder.write("job", format!("{JOB}\n{job}\n"));
        let trial =
            terminal.run(&folder, &format!("{options} sh job {{}} ::: {values}")).env("TERM", "xterm");
        let running = trial.start();
        terminal.comes_to_show(" running");
        Shown { folder, terminal, running }
    }

    /// Lets the first job go on, and waits for the end of the run. Returns the terminal.
    #[track_caller]
    fn end(self, code: i32) -> Terminal {
        self.folder.write("go", "");
        self.running.end().exited(code);
        self.terminal.shows("procpool: ");
        self.terminal
    }
}

/// Waits until `last` is on the terminal, and checks that no display was ever drawn.
#[track_caller]
fn has_no_display(terminal: &Terminal, last: &str) {
    terminal.shows(last);
    let text = terminal.text();
    assert!(!text.contains('\x1b'), "{text:?}");
}

fn values(count: usize) -> String {
    (1..=count).map(|value| value.to_string()).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_figures_and_the_jobs_that_run_are_seen_and_then_nothing_of_it() {
    let shown = Shown::new("-j2", "echo out $1", "1 2 3 4");
    shown.terminal.comes_to_show("3/4 75%  1 running");
    shown.terminal.comes_to_show("s  1");
    let terminal = shown.end(0);
    let lines = terminal.picture().history();
    let output: Vec<&str> = lines.iter().map(String::as_str).take(4).collect();
    assert_eq!(output, ["out 2", "out 3", "out 4", "out 1"]);
    assert!(lines[4].starts_with("procpool: 4 jobs: 4 succeeded; "), "{lines:?}");
    assert!(lines[5..].iter().all(String::is_empty), "{lines:?}");
    assert!(terminal.picture().has_cursor());
}

#[test]
fn all_outputs_are_whole_and_there_once_and_nothing_else_is() {
    // One job waits, so that the display stays, while the others write, with and without a last newline, or
    // fail.
    let job = "case $1 in *5) printf '%s' \"<$1>\";; *7) exit 3;; *) echo \"<$1> one\"; echo \"<$1> two\" >&2;; esac";
    let shown = Shown::new("-j8", job, &values(300));
    shown.terminal.comes_to_show("299/300 99%  1 running  30 failed");
    let lines = shown.end(1).picture().history();
    let end = lines.iter().position(|line| line.starts_with("procpool: 300 jobs")).unwrap();
    let text = lines[..end].join("\n") + "\n";
    for value in 1..=300 {
        let times = |what: &str| text.matches(what).count();
        let expected = match value % 10 {
            5 => [1, 0, 0],
            7 => [0, 0, 0],
            _ => [2, 1, 1],
        };
        let tag = format!("<{value}>");
        let found = [times(&tag), times(&format!("{tag} one\n")), times(&format!("{tag} two\n"))];
        assert_eq!(found, expected, "{value}: {text}");
    }
    let known = |line: &String| {
        line.is_empty() || line.starts_with('<') || line.starts_with("FAIL ") || line.starts_with("and ")
    };
    assert!(lines[..end].iter().all(known), "{lines:#?}");
}

#[test]
fn a_failure_is_said_as_it_happens() {
    let shown =
        Shown::new("-j2", "[ $1 != 2 ] || { until [ -e fail ]; do sleep 0.01; done; exit 3; }", "1 2");
    assert!(!shown.terminal.picture().screen().contains("FAIL"));
    shown.folder.write("fail", "");
    shown.terminal.comes_to_show("FAIL 2: exit 3, ");
    shown.terminal.comes_to_show("1/2 50%  1 running  1 failed");
    shown.end(1);
}

#[test]
fn a_run_that_is_interrupted_leaves_nothing_of_it() {
    let mut shown = Shown::new("-j2", "", "1 2");
    shown.terminal.press("\x03");
    shown.running.end().died_of(Signal::INT);
    shown.terminal.shows("procpool: ");
    assert!(!shown.terminal.picture().screen().contains(" running"));
    assert!(shown.terminal.picture().has_cursor());
}

#[test]
fn whichever_of_the_two_processes_is_killed_leaves_nothing_of_it() {
    let shown = Shown::new("-j2", "", "1 2");
    kill(&shown.running.pool(), Signal::KILL);
    shown.running.end().died_of(Signal::KILL);
    wait_for("the display to go", || !shown.terminal.picture().screen().contains(" running"));

    let shown = Shown::new("-j2", "", "1 2");
    shown.running.signal(Signal::KILL);
    shown.running.end().died_of(Signal::KILL);
    wait_for("the display to go", || !shown.terminal.picture().screen().contains(" running"));
}

#[test]
fn a_terminal_that_becomes_smaller_is_never_overflown() {
    let shown = Shown::new("-j8", "sleep 600", &values(8));
    let before = shown.terminal.bytes().len();
    shown.terminal.resize(30, 5);
    let picture = || Picture::of(&shown.terminal.bytes()[before..], 30, 5);
    // A line for the output, one for the run, and three for jobs.
    wait_for("the display in the new size", || picture().screen().matches("s  ").count() >= 3);
    let lines = picture().history();
    assert_eq!(lines.len(), 5, "{lines:?}");
    assert!(lines[1].contains("0/8 0%"), "{lines:?}");
}

#[test]
fn a_key_can_not_garble_the_display() {
    let key = "a\x1b[2J\u{4e00}".repeat(60);
    let (folder, terminal) = (Folder::new(), Terminal::new());
    folder.write("job", JOB);
    let trial = terminal.run(&folder, "-j2 sh -c").args([". ./job", "sh", "{%}", ":::", &key, "2"]);
    let running = trial.env("TERM", "xterm").start();
    terminal.comes_to_show("a\\u{1b}[2J\u{4e00}");
    assert!(terminal.picture().history().len() <= 24);
    folder.write("go", "");
    running.end().exited(0);
}

#[test]
fn where_nobody_wants_a_display_there_is_none() {
    for (options, terminal_type) in [("", "dumb"), ("", ""), ("--progress none", "xterm")] {
        let (folder, terminal) = (Folder::new(), Terminal::new());
        let trial = terminal.run(&folder, &format!("--color never {options} sleep {{}} ::: 0.5"));
        trial.env("TERM", terminal_type).end().exited(0);
        has_no_display(&terminal, "procpool: ");
    }
}

#[test]
fn a_pager_has_the_terminal_for_itself() {
    let (folder, terminal) = (Folder::new(), Terminal::new());
    terminal.read_keys();
    let trial = terminal.run(&folder, "--color never sleep {} ::: 0.5").env("TERM", "xterm");
    trial.end().exited(0);
    has_no_display(&terminal, "procpool: ");
}

#[test]
fn who_types_values_is_not_disturbed_by_a_display() {
    let (folder, mut terminal) = (Folder::new(), Terminal::new());
    let running = terminal.run(&folder, "--color never sh -c").args(["sleep 0.5; echo got {}"]);
    let running = running.env("TERM", "xterm").start();
    terminal.press("a\n");
    terminal.shows("got a\n");
    terminal.press("\x04");
    running.end().exited(0);
    has_no_display(&terminal, "1 job: 1 succeeded");
}

#[test]
fn elsewhere_than_on_a_terminal_there_is_a_plain_line_now_and_then_for_who_asks() {
    // Standard error is a pipe, on which no bar can be drawn.
    let folder = Folder::new();
    folder.write("job", JOB);
    let running = folder.run("--progress none --eta -j2 sh job ::: 1 2").start();
    wait_for("a line", || running.stderr.heard().ends_with(b"\n"));
    folder.write("go", "");
    running.end().exited(0).said("procpool: 1/2 50%, 1 running, 1");
}

#[test]
fn off_a_terminal_nothing_is_shown_unless_asked_for() {
    for options in ["", "--progress auto", "--bar --progress none", "--progress plain"] {
        Folder::new().run(options).args(["sleep", "{}", ":::", "0.4"]).end().exited(0).silent();
    }
}

#[test]
fn the_environment_may_say_it_and_is_checked() {
    let (folder, terminal) = (Folder::new(), Terminal::new());
    let trial = terminal.run(&folder, "--color never sleep {} ::: 0.5").env("PROCPOOL_PROGRESS", "none");
    trial.env("TERM", "xterm").end().exited(0);
    has_no_display(&terminal, "procpool: ");
    let refused = folder.run("touch ran :::").arg("a").env("PROCPOOL_PROGRESS", "fast").end();
    refused.exited(2).said("fast").said("--progress");
    assert!(!folder.has("ran"));
}

#[test]
fn an_output_that_comes_as_it_is_written_is_whole_too_and_keeps_its_colour_to_itself() {
    let (folder, terminal) = (Folder::new(), Terminal::new());
    folder.write("job", "printf '\\033[31mone\\n'; until [ -e go ]; do sleep 0.01; done; printf 'two\\n'");
    let running = terminal.run(&folder, "-k --color never sh job :::").arg("a").env("TERM", "xterm").start();
    terminal.comes_to_show("0/1 0%  1 running");
    terminal.comes_to_show("one");
    folder.write("go", "");
    running.end().exited(0);
    terminal.shows("procpool: ");
    assert!(terminal.picture().screen().starts_with("one\ntwo\nprocpool: 1 job: 1 succeeded; "));
}

#[test]
fn where_jobs_write_to_the_terminal_themselves_there_is_no_display() {
    let (folder, terminal) = (Folder::new(), Terminal::new());
    let trial =
        terminal.run(&folder, "--output raw --bar --color never sleep {} ::: 0.5").env("TERM", "xterm");
    trial.end().exited(0);
    has_no_display(&terminal, "procpool: ");
}
