//! The summary at the end of a run: when it is printed. Also the colours of procpool's own texts.

use crate::terminal::Terminal;
use crate::{Folder, PROCPOOL};

const RED: &str = "\x1b[31m";

#[test]
fn a_failure_is_red_where_colour_is_wanted() {
    let folder = Folder::new();
    let failing = |options: &str| folder.run(&format!("{options} false ::: a"));
    let is_red = |trial: crate::Trial| trial.end().exited(1).error_text().contains(RED);
    assert!(!is_red(failing("")));
    assert!(is_red(failing("--color always")));
    assert!(is_red(failing("").env("CLICOLOR_FORCE", "1")));
    assert!(is_red(failing("").env("FORCE_COLOR", "1")));
    assert!(!is_red(failing("").env("FORCE_COLOR", "1").env("NO_COLOR", "1")));
    assert!(is_red(failing("--color=always").env("NO_COLOR", "1")));
    assert!(!is_red(failing("--color never").env("CLICOLOR_FORCE", "1")));
}

#[test]
fn on_a_terminal_the_environment_decides() {
    for (name, value, is_red) in [("TERM", "xterm", true), ("NO_COLOR", "1", false), ("CLICOLOR", "0", false)]
    {
        let terminal = Terminal::new();
        let trial = terminal.run(&Folder::new(), "false ::: a").env("TERM", "xterm").env(name, value);
        trial.end().exited(1);
        terminal.shows("again: ");
        assert_eq!(terminal.text().contains(RED), is_red, "{name}={value}");
    }
}

#[test]
fn outputs_of_jobs_stay_as_they_are() {
    let folder = Folder::new();
    folder.write("colour", "\x1b[35mx\x1b[0m\n");
    let ended = folder.run("--color never cat {} ::: colour").end().exited(0);
    ended.printed("\x1b[35mx\x1b[0m\n").silent();
    folder.run("--color always echo ::: a").end().exited(0).printed("a\n").silent();
}

#[test]
fn help_is_coloured_as_everything_else() {
    let folder = Folder::new();
    let help = |words: &[&str]| folder.command(PROCPOOL).arg("run").args(words).end().exited(0);
    assert!(!help(&["-h"]).text().contains('\x1b'));
    assert!(help(&["--color", "always", "-h"]).text().contains('\x1b'));
    let forced = folder.run("-h").env("FORCE_COLOR", "1").end().exited(0);
    assert!(forced.text().contains('\x1b'));
    let forced = folder.run("-h").env("PROCPOOL_COLOR", "always").end().exited(0);
    assert!(forced.text().contains('\x1b'));
}

#[test]
fn a_summary_comes_always_or_never_where_it_is_said_so() {
    let folder = Folder::new();
    folder.run("--summary always echo ::: a").end().exited(0).said("procpool: 1 job: 1 succeeded; ");
    folder.run("--summary always echo :::").end().exited(0).said("procpool: 0 jobs; ");
    folder.run("--summary never false ::: a").end().exited(1).silent();
    let terminal = Terminal::new();
    terminal.run(&folder, "--summary never echo ::: a").end().exited(0);
    terminal.shows("a\n");
    assert_eq!(terminal.text(), "a\n");
    // Errors of procpool itself are printed nevertheless.
    let ended = folder.sh("procpool run --summary never echo ::: a > /dev/full").end().exited(3);
    assert!(ended.error_text().contains("standard output"), "{}", ended.error_text());
}

#[test]
fn a_longer_run_says_how_busy_its_slots_were() {
    let ended = Folder::new().run("-j1 --summary always sleep {} ::: 1.1").end().exited(0);
    ended.said("s, slots ").said("% busy\n");
}

#[test]
fn an_unknown_wish_is_refused_with_those_there_are() {
    let folder = Folder::new();
    for option in ["--color", "--summary", "--progress"] {
        let ended = folder.run(option).args(["sometimes", "touch", "ran", ":::", "a"]).end().exited(2);
        assert!(ended.error_text().contains("never") || ended.error_text().contains("none"));
    }
    assert!(!folder.has("ran"));
}
