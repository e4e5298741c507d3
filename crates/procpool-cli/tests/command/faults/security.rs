//! Values, keys, files and folders made by an attacker.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

use sleeper::needs;

use crate::faults::tracing::strace;
use crate::values::NASTY;
use crate::{Folder, Running, wait_for};

/// Every form of word with a placeholder, each to be printed with a NUL byte after it.
const WORDS: [&str; 10] =
    ["{}", "{key}", "a{}b", "--x={}", "{.}", "{/}", "{//}", "{/.}", "{}{key}", "'{}' \"{}\" $({}) `{}`"];

#[test]
fn in_no_place_is_a_value_read_by_a_shell() {
    let folder = Folder::new();
    let values: Vec<&[u8]> = [
        &NASTY[..],
        &[b"", b"a\nb; touch pwned\n", b"\n; touch pwned", b"-rf", b"/", b"../../$(touch pwned)/x.y"],
    ]
    .concat();
    let trial = folder.run("-0 -k --tag printf %s\\0").args(WORDS).input(values.join(&0));
    let untagged = folder.run("-0 -k printf %s\\0").args(WORDS).input(values.join(&0));
    trial.end().exited(0).silent();
    let ended = untagged.end().exited(0).silent();
    let printed: Vec<&[u8]> = ended.stdout.split(|byte| *byte == 0).collect();
    assert_eq!(printed.len(), values.len() * WORDS.len() + 1, "each word is one argument");
    for (value, words) in values.iter().zip(printed.chunks(WORDS.len())) {
        let expected =
            [value.to_vec(), value.to_vec(), [b"a", *value, b"b"].concat(), [b"--x=", *value].concat()];
        assert_eq!(words[..4], expected, "{}", value.escape_ascii());
        assert_eq!(words[8], [*value, *value].concat());
    }
    assert_eq!(fs::read_dir(folder.file("")).unwrap().count(), 0, "something was made");
}

#[test]
fn a_program_that_a_value_names_is_looked_up_and_never_given_to_a_shell() {
    let folder = Folder::new();
    for command in ["{}", "./{}", "/bin/{}"] {
        let ended = folder.run("-0").arg(command).input(NASTY.join(&0)).end().exited(1);
        ended.printed("").said(&format!("{} jobs: {} failed; ", NASTY.len(), NASTY.len()));
    }
    assert_eq!(fs::read_dir(folder.file("")).unwrap().count(), 0, "something was made");
}

#[test]
fn what_a_job_file_holds_is_literal_and_its_keys_are_only_names() {
    let nasty = [
        "; touch pwned",
        "$(touch pwned)",
        "`touch pwned`",
        "a\\nb; touch pwned",
        "-n",
        "",
        "{}",
        "../../x",
        "é",
    ];
    let jobs: Vec<String> = nasty
        .iter()
        .map(|text| format!("\"{text}\": {{\"cmd\": [\"printf\", \"%s\\\\0\", \"{text}\"], \"env\": {{\"A\": \"{text}\"}}, \"stdin\": \"{text}\"}}"))
        .collect();
    let folder = Folder::new();
    folder.write("jobs.json", format!("{{{}}}", jobs.join(",")));
    let ended = folder.run("-k --file jobs.json").end().exited(0).silent();
    let expected: String = nasty.iter().map(|text| text.replace("\\n", "\n") + "\0").collect();
    ended.printed(expected);
    // If a shell is requested, the key is in its environment and not in its script.
    let jobs: Vec<String> = nasty
        .iter()
        .map(|text| format!("\"{text}\": {{\"shell\": \"printf '%s\\\\0' \\\"$PROCPOOL_KEY\\\"\"}}"))
        .collect();
    folder.write("shell.json", format!("{{{}}}", jobs.join(",")));
    let expected: String = nasty.iter().map(|text| text.replace("\\n", "\n") + "\0").collect();
    folder.run("-k --file shell.json").end().exited(0).printed(expected).silent();
    assert!(!folder.has("pwned"));
}

/// A run with this umask whose output is in a temporary file by now.
fn spooling(folder: &Folder, mask: &str) -> Running {
    let job = "head -c 200000 /dev/zero; : > written; until [ -e go ]; do sleep 0.01; done";
    folder.write_program("job", &format!("#!/bin/sh\n{job}\n"));
    folder.sh("mkdir real && ln -s real temporary").end().exited(0);
    let script = format!("umask {mask}; exec procpool run ./job ::: a");
    let running = folder.sh(&script).env("TMPDIR", folder.file("temporary").to_str().unwrap()).start();
    wait_for("the output", || folder.has("written"));
    running
}

#[test]
fn nobody_else_can_read_a_captured_output_whatever_the_umask() {
    for mask in ["022", "000"] {
        let folder = Folder::new();
        let running = spooling(&folder, mask);
        let descriptors = format!("/proc/{}/fd", running.pool());
        let directory = folder.file("real").canonicalize().unwrap();
        let mut modes = Vec::new();
        wait_for("the spool file", || {
            let entries = fs::read_dir(&descriptors).unwrap().map(|entry| entry.unwrap().path());
            let spools = entries
                .filter(|entry| fs::read_link(entry).is_ok_and(|target| target.starts_with(&directory)));
            modes = spools.filter_map(|entry| Some(fs::metadata(entry).ok()?.permissions().mode())).collect();
            !modes.is_empty()
        });
        assert!(modes.iter().all(|mode| mode & 0o7777 == 0o600), "umask {mask}: {modes:?}");
        // The file has no name, so nobody can find it, and nothing would be left if procpool were killed now.
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
        folder.write("go", "");
        running.end().exited(0).printed(vec![0; 200_000]).silent();
    }
}

#[test]
fn a_planted_link_in_the_temporary_directory_is_never_followed() {
    needs!(Strace);
    let folder = Folder::new();
    folder.sh("mkdir temporary").end().exited(0);
    folder.write("victim", "untouched");
    for name in ["procpool", ".procpool", "spool", "procpool-spool", "procpool.tmp"] {
        symlink(folder.file("victim"), folder.file("temporary").join(name)).unwrap();
    }
    let directory = folder.file("temporary");
    let directory = directory.to_str().unwrap();
    let words = ["-e", "trace=open,openat", "procpool", "run", "head", "-c200000", ":::", "/dev/zero"];
    let ended = strace(&folder, &words).env("TMPDIR", directory).end().exited(0);
    ended.printed(vec![0; 200_000]);
    assert_eq!(folder.read("victim"), "untouched");
    // No file can have been prepared by an attacker: each is opened without a name, or only if it doesn't
    // exist.
    let log = folder.read("log");
    let opened: Vec<&str> = log.lines().filter(|line| line.contains("/temporary")).collect();
    let exclusive = |line: &&str| line.contains("O_TMPFILE") || line.contains("O_CREAT|O_EXCL");
    assert!(!opened.is_empty() && opened.iter().all(exclusive), "{opened:?}");
    // The file that procpool made there is gone.
    assert_eq!(fs::read_dir(directory).unwrap().count(), 5);
}

#[test]
fn a_job_file_with_absurd_numbers_or_nul_bytes_is_refused_or_works() {
    let times =
        ["1e400", "1e18", "99999999999999999999999", "-1", "1e-400", "\"1e18\"", "\"\\u0000\"", "NaN", "-0"];
    let times =
        times.map(|time| format!("{{\"jobs\":{{\"a\":{{\"cmd\":[\"echo\",\"ran\"],\"timeout\":{time}}}}}}}"));
    let others = [
        "{\"a\\u0000b\":[\"echo\",\"ran\"]}",
        "{\"a\":[\"echo\",\"a\\u0000b\"]}",
        "{\"a\":{\"cmd\":[\"env\"],\"env\":{\"A\\u0000\":\"b\"}}}",
        "{\"a\":{\"cmd\":[\"env\"],\"env\":{\"A=B\":\"b\"}}}",
        "{\"a\":[\"\\ud800\"]}",
        "{\"a\":[\"echo\"]}\0",
        "\0",
        "\"a\"",
        "1e999999999",
    ];
    for text in times.iter().map(String::as_str).chain(others) {
        let folder = Folder::new();
        let ended = folder.write("jobs.json", text).run("--file jobs.json").end();
        assert!(!ended.error_text().contains("panicked"), "{text}: {}", ended.describe());
        match ended.status.code() {
            Some(0) => drop(ended.printed("ran\n").silent()),
            _ => drop(ended.exited(2).printed("").said("jobs.json")),
        }
    }
}

#[test]
fn a_job_file_of_any_depth_in_any_format_is_refused() {
    let deep = |open: &str| open.repeat(100_000);
    let files = [
        ("jobs.json", deep("{\"a\":")),
        ("jobs.json", deep("[")),
        ("jobs.jsonl", deep("{\"key\":")),
        ("jobs.toml", format!("a = {}", deep("["))),
        ("jobs.toml", format!("a = {}", deep("{a = "))),
        ("jobs.toml", format!("[{}a]", deep("a."))),
        ("jobs.toml", format!("a{} = 1", deep(".a"))),
    ];
    for (name, text) in files {
        let folder = Folder::new();
        let ended = folder.write(name, text).run("--file").arg(name).end().exited(2).printed("").said(name);
        assert!(!ended.error_text().contains("panicked"));
    }
}

#[test]
fn a_job_file_with_a_million_keys_is_read_whole_in_little_memory() {
    let folder = Folder::new();
    // The last one is not a valid job, so that all are read and none is run.
    let jobs =
        (0..1_000_000).fold(String::from("{"), |jobs, n| jobs + "\"" + &n.to_string() + "\":[\"true\"],");
    folder.write("jobs.json", jobs + "\"last\":1}");
    let ended =
        folder.sh("ulimit -v 1500000; exec procpool run --file jobs.json").end().exited(2).printed("");
    ended.said("jobs.json");
}

#[test]
fn a_key_that_is_no_text_arrives_and_is_shown_harmlessly() {
    let key = OsStr::from_bytes(b"\xff\x1b[2J; touch pwned");
    let folder = Folder::new();
    let ended = folder.run("sh -c").args(["printf %s \"$PROCPOOL_KEY\"; exit 1", ":::"]).arg(key).end();
    let ended = ended.exited(1).printed(key.as_bytes());
    assert!(!ended.stderr.contains(&0x1b), "{}", ended.describe());
    assert!(!folder.has("pwned"));
}
