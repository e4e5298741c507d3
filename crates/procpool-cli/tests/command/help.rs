//! Help texts: what they contain, and that their examples work exactly as printed.

use crate::terminal::Terminal;
use crate::{Folder, PROCPOOL};

/// The examples in a help text.
fn examples(text: &str) -> Vec<String> {
    let after = text.split_once("Examples:\n").unwrap().1;
    let lines = after.lines().take_while(|line| line.starts_with("  "));
    lines.map(|line| line.trim().to_owned()).collect()
}

#[test]
fn procpool_alone_shows_three_examples_that_work() {
    let folder = Folder::new();
    let alone = folder.command(PROCPOOL).end().exited(0).silent();
    let examples = examples(alone.text());
    assert_eq!(examples.len(), 3);
    for example in examples {
        assert!(example.contains("procpool run"), "{example}");
        let folder = Folder::new();
        folder.write("one", "1\n").write("with space", "2\n");
        folder.sh(&example).end().exited(0).silent();
    }
}

#[test]
fn procpool_alone_on_a_terminal_fits_it_and_does_not_wait() {
    let terminal = Terminal::new();
    let folder = Folder::new();
    let trial = folder.command(PROCPOOL).stdin(terminal.device()).stdout(terminal.device());
    trial.end().exited(0).silent();
    terminal.shows("procpool run --tag");
    assert!(terminal.text().lines().count() <= 24);
}

#[test]
fn the_first_help_needs_no_reader() {
    Folder::new().sh("procpool | true").end().exited(0).silent();
    Folder::new().sh("procpool run --help | true").end().exited(0).silent();
}

#[test]
fn every_help_goes_to_standard_output() {
    let folder = Folder::new();
    for option in ["-h", "--help"] {
        let ended = folder.command(PROCPOOL).arg(option).end().exited(0).silent();
        assert!(ended.text().contains("Usage: procpool"));
        let ended = folder.run(option).end().exited(0).silent();
        for name in
            ["--limit", "--keep-order", "--tag", "--timeout", "--null", "--file", "{//}", ":::", "--shell"]
        {
            assert!(ended.text().contains(name), "{option} says nothing of {name}");
        }
    }
}

#[test]
fn the_short_help_fits_a_terminal_of_24_by_80() {
    let ended = Folder::new().run("-h").env("COLUMNS", "80").end().exited(0);
    assert!(ended.text().lines().count() <= 24);
    assert!(ended.text().lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn the_long_help_tells_all_exit_statuses() {
    let ended = Folder::new().run("--help").end().exited(0);
    for status in ["\n  0  ", "\n  1  ", "\n  2  ", "\n  3  "] {
        assert!(ended.text().contains(status), "{status}");
    }
}

#[test]
fn the_version_is_the_packages() {
    for option in ["--version", "-V"] {
        let expected = format!("procpool {}\n", env!("CARGO_PKG_VERSION"));
        Folder::new().command(PROCPOOL).arg(option).end().exited(0).printed(expected).silent();
    }
}
