//! docs/journal.md names every field that exists, and its command lines work. Both are read from the page.

use serde_json::Value;
use sleeper::needs;

use crate::Folder;

const PAGE: &str = include_str!("../../../../docs/journal.md");

/// The command lines of the page that contain this word.
fn lines_with(word: &str) -> Vec<&'static str> {
    let mut blocks = PAGE.split("```sh\n").skip(1);
    let lines = blocks.by_ref().flat_map(|block| block.split("```").next().unwrap_or_default().lines());
    lines.filter(|line| line.split([' ', '|']).any(|other| other == word)).collect()
}

/// A journal called `nightly`.
fn nightly() -> Folder {
    let folder = Folder::new();
    folder.write("test", "echo out; echo err $1 >&2; seq 2000; [ $1 != b.case ]");
    folder.write(
        "jobs.json",
        r#"{"jobs": {"big.case": {"cmd": ["sh", "test", "a"], "cwd": ".", "timeout": "1h", "retries": 1,
        "env": {"A": "1"}, "stdin": "x"}, "b.case": {"cmd": ["sh", "test", "b.case"]}}}"#,
    );
    let options = "--journal nightly --durable --output none --file jobs.json --delay 10ms --tag-with {key}";
    folder.run(options).end().exited(1);
    folder
}

#[test]
fn every_field_of_every_record_is_described() {
    let folder = nightly();
    folder
        .run("--journal other -0 sh -c")
        .args(["printf '\\377'; printf '\\377' >&2"])
        .input(b"\xff\0".to_vec())
        .end();
    folder.run("--journal unstarted ./missing ::: a").end().exited(1);
    assert!(folder.read("unstarted/journal.jsonl").contains(r#""subject":{"program":"#));
    let mut seen = 0;
    for file in [
        "nightly/journal.jsonl",
        "nightly/list-1.jsonl",
        "other/journal.jsonl",
        "other/list-1.jsonl",
        "unstarted/journal.jsonl",
    ] {
        for line in folder.read(file).lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            for name in record
                .as_object()
                .unwrap()
                .keys()
                .filter(|name| !["check", "record"].contains(&name.as_str()))
            {
                assert!(PAGE.contains(&format!("`{name}`")), "{file}: {name}");
                seen += 1;
            }
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn the_lines_for_procpool_itself_work() {
    let lines = lines_with("procpool");
    assert!(lines.len() >= 4, "{lines:#?}");
    for line in lines.iter().filter(|line| !line.contains(" run ") && !line.contains("sqlite3")) {
        nightly().sh(line).end().exited(0).silent();
    }
    let exports: Vec<&str> = lines.iter().filter_map(|line| Some(line.split_once(" | sqlite3")?.0)).collect();
    assert_eq!(exports.len(), 2);
    for export in exports {
        nightly().sh(export).end().exited(0).silent();
    }
}

#[test]
fn the_lines_for_sqlite_work() {
    needs!(Sqlite);
    let lines = lines_with("sqlite3");
    assert_eq!(lines.len(), 3);
    let folder = nightly();
    let said: Vec<String> =
        lines.iter().map(|line| folder.sh(line).end().exited(0).silent().text().to_owned()).collect();
    assert_eq!(said[0].lines().count(), 2, "{said:?}");
    assert!(said[0].contains("b.case|exited|"), "{said:?}");
    assert_eq!(said[1].trim_end(), "b.case|err b.case", "{said:?}");
    assert_eq!(said[2], "exited|2\n", "{said:?}");
}
