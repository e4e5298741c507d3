//! The command lines of the README work: each one that runs `procpool` is run in a folder with the files it
//! mentions. Only the output of the example at the top is compared. The table of translations is tested in
//! `coming_from.rs`.

use super::{Ended, Folder};

const README: &str = include_str!("../../../../README.md");

/// The command lines in the README's blocks for a shell.
fn command_lines() -> Vec<String> {
    let mut language = "";
    let mut lines = Vec::new();
    for line in README.lines() {
        if let Some(begun) = line.strip_prefix("```") {
            language = begun;
        } else if language == "sh" {
            lines.push(line.to_owned());
        }
    }
    lines.retain(|line| line.split([' ', '|']).any(|word| word == "procpool"));
    lines
}

/// Runs a line in a folder of its own, with values on standard input for the lines that read them.
fn run(line: &str) -> Ended {
    let folder = Folder::new();
    for file in ["a.log", "b c.log", "a.txt", "b.txt", "a.gif", "a.in", "LICENSE-MIT", "README.md"] {
        folder.write(file, "one\ntwo\n");
    }
    folder.write_program("test.sh", "#!/bin/sh\nexit 0\n");
    // Replaces ImageMagick's convert.
    folder.write_program("convert", "#!/bin/sh\ncp \"$1\" \"$2\"\n");
    let setup =
        "mkdir examples; cat > examples/checks.toml; PATH=$PWD:$PATH; printf 'a.log\\nb c.log\\n' | { ";
    folder.sh(&format!("{setup}{line}\n}}")).input(include_str!("../../../../examples/checks.toml")).end()
}

#[test]
fn each_command_line_of_the_readme_works() {
    let lines = command_lines();
    assert!(lines.len() >= 4, "{lines:#?}");
    for line in lines {
        let ended = run(&line);
        assert!(ended.status.success(), "{line}\n{}", ended.describe());
    }
}

#[test]
fn the_example_at_the_top_is_what_one_sees() {
    let (_, rest) = README.split_once("```console\n$ ").unwrap();
    let (line, rest) = rest.split_once('\n').unwrap();
    let (shown, _) = rest.split_once("$ echo $?\n1\n```").unwrap();
    let folder = Folder::new();
    folder
        .write("LICENSE-MIT", include_str!("../../../../LICENSE-MIT"))
        .write("LICENSE-APACHE", include_str!("../../../../LICENSE-APACHE"));
    let ended = folder.sh(&format!("{line} 2>&1")).end().exited(1);
    // Jobs end in any order, and their durations differ.
    let sorted = |text: &str| {
        let without_times =
            |line: &str| line.rsplit_once([';', ',']).map_or(line, |(before, _)| before).to_owned();
        let mut lines: Vec<String> = text.lines().map(without_times).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(ended.text()), sorted(shown));
}
