//! README's table for users of xargs and GNU parallel: both sides of each row do the same. The rows are read
//! from the README. `coming_from/recorded` holds the outputs of the other tools, for machines that don't have
//! them.

use std::collections::BTreeMap;
use std::thread;

use crate::Folder;

const README: &str = include_str!("../../../../README.md");
const RECORDED: &str = include_str!("coming_from/recorded");
/// Number of rows that are tested at a time: GNU parallel alone takes a quarter of a second to start.
const THREADS: usize = 4;

struct Row {
    there: String,
    here: String,
}

/// The rows whose right side is a command line.
fn rows() -> Vec<Row> {
    let cells = |line: &str| {
        let (there, here) = line.strip_prefix("| `")?.strip_suffix("` |")?.split_once("` | `")?;
        Some(Row {
            there: there.replace("\\|", "|"),
            here: here.replace("\\|", "|"),
        })
    };
    README.lines().filter_map(cells).filter(|row| row.here.contains("procpool run ")).collect()
}

/// A folder with the files that the rows mention.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.sh("mkdir src && touch src/a.c").end().exited(0);
    for (name, text) in [
        ("a.txt", "one\ntwo\n"),
        ("b c.txt", "three\n"),
        ("d.txt", ""),
        ("list", "a.txt\nb c.txt\nd.txt\n"),
        ("commands", "wc -l a.txt\nsort a.txt | tail -n1 > last; cat last\n"),
        ("table.csv", "name,size\na,1\nb,2\n"),
        ("a.log", "log\n"),
        ("b.log", "log\n"),
        ("a.in", "y\nx\ny\n"),
        ("a.gif", "picture\n"),
    ] {
        folder.write(name, text);
    }
    // Replaces ImageMagick's convert.
    folder.write_program("convert", "#!/bin/sh\ncp \"$1\" \"$2\"\n");
    folder.write_program("test.sh", "#!/bin/sh\necho \"test $1\"\necho passed\n");
    folder.write_program("fail.sh", "#!/bin/sh\necho \"test $1\"\nexit 1\n");
    folder.write_program(
        "flaky.sh",
        "#!/bin/sh\necho \"try $1\"\nmkdir \"tried $1\" 2> /dev/null && exit 1\nexit 0\n",
    );
    folder
}

/// The output of a command line, then the files that it makes. The content of compressed files depends on the
/// time.
fn outcome(line: &str) -> String {
    let (folder, home) = (folder(), Folder::new());
    let files = "find . -type f | LC_ALL=C sort";
    let new = format!("{{ {files} | grep -vxF \"$before\"; cat *.bak *.png; }} 2> /dev/null");
    let script = format!("PATH=$PWD:$PATH; before=$({files}); {{ {line}\n}} 2> /dev/null; {new}; true");
    let trial = folder.sh(&script).env("SHELL", "/bin/sh").env("HOME", home.file("").to_str().unwrap());
    trial.end().exited(0).text().to_owned()
}

/// The recorded output of each line. A line begins with `$ `, and its output follows.
fn recorded() -> BTreeMap<String, String> {
    let record = |text: &str| {
        let (line, printed) = text.split_once('\n').unwrap();
        (line.to_owned(), printed.to_owned())
    };
    RECORDED.split("$ ").skip(1).map(record).collect()
}

/// What is wrong with a row, if anything.
fn fault(row: &Row, recorded: &BTreeMap<String, String>) -> Option<String> {
    let Row { there, here } = row;
    let tool = if there.contains("parallel") { "parallel" } else { "xargs" };
    let is_installed = Folder::new().sh(&format!("{tool} --version")).end().text().contains("GNU");
    let original = if is_installed { Some(outcome(there)) } else { recorded.get(there).cloned() };
    let Some(original) = original else {
        return Some(format!("no {tool} here, and nothing recorded of\n$ {there}\n"));
    };
    if recorded.get(there) != Some(&original) {
        return Some(format!("to be recorded:\n$ {there}\n{original}"));
    }
    let ours = outcome(here);
    (ours != original).then(|| format!("$ {there}\n{original}\n$ {here}\n{ours}"))
}

#[test]
fn each_line_of_xargs_or_gnu_parallel_has_one_here_that_prints_the_same() {
    let (rows, recorded) = (rows(), recorded());
    assert!(rows.len() >= 30, "{}", rows.len());
    let faults: Vec<String> = thread::scope(|scope| {
        let (rows, recorded) = (&rows, &recorded);
        let threads: Vec<_> = (0..THREADS)
            .map(|first| {
                let mine = rows.iter().skip(first).step_by(THREADS);
                scope.spawn(move || mine.filter_map(|row| fault(row, recorded)).collect::<Vec<_>>())
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn nothing_is_recorded_that_no_row_has() {
    let rows = rows();
    for line in recorded().keys() {
        assert!(rows.iter().any(|row| row.there == *line), "{line}");
    }
}
