//! Job files: each format, each field, and the error message for each mistake.

use crate::{Ended, Folder};

/// Runs a job file of this name, in input order.
#[track_caller]
fn run(name: &str, text: &str) -> Ended {
    let folder = Folder::new();
    folder.write(name, text);
    folder.run("-k --file").arg(name).end()
}

/// Nothing of the file is run, and the error message contains these words.
#[track_caller]
fn refused(name: &str, text: impl AsRef<[u8]>, words: &[&str]) {
    let folder = Folder::new();
    folder.write(name, text);
    let mut ended = folder.run("--file").arg(name).end().exited(2).printed("");
    for word in words {
        ended = ended.said(word);
    }
    if name != "-" {
        ended.said(name);
    }
}

#[test]
fn the_plain_dictionary_runs_in_its_order() {
    let text = r#"{"z": ["echo", "1", "two words"], "a": ["echo", ""], "m": ["printf", "%s|", "x", "y"]}"#;
    run("jobs.json", text).exited(0).printed("1 two words\n\nx|y|").silent();
}

#[test]
fn an_empty_dictionary_is_no_jobs() {
    run("jobs.json", "{}").exited(0).printed("").silent();
    run("jobs.json", r#"{"jobs": {}}"#).exited(0).printed("").silent();
    run("jobs.toml", "[jobs]\n").exited(0).printed("").silent();
    run("jobs.jsonl", "\n  \n").exited(0).printed("").silent();
}

#[test]
fn a_plain_dictionary_may_have_a_job_called_jobs() {
    let text = r#"{"jobs": ["echo", "a"], "defaults": ["echo", "b"]}"#;
    run("jobs.json", text).exited(0).printed("a\nb\n").silent();
}

#[test]
fn a_plain_dictionary_may_hold_long_jobs_too() {
    run("jobs.json", r#"{"a": {"shell": "echo a | tr a b"}, "c": ["echo", "c"]}"#)
        .exited(0)
        .printed("b\nc\n");
}

#[test]
fn the_keys_are_the_files() {
    let text = r#"{"first": ["printenv", "PROCPOOL_KEY"], "2nd é\n": ["printenv", "PROCPOOL_KEY"]}"#;
    run("jobs.json", text).exited(0).printed("first\n2nd é\n\n").silent();
}

const FIELDS_JSON: &str = r#"{
    "defaults": {"env": {"A": "default", "B": "default"}, "stdin": "default text\n", "cwd": "sub"},
    "jobs": {
        "shell": {"shell": "echo $A $B | tr a-z A-Z"},
        "env": {"cmd": ["printenv", "A", "B"], "env": {"B": "own $A", "C": "c"}},
        "cwd": {"cmd": ["cat", "here"], "cwd": "other"},
        "default cwd": {"cmd": ["cat", "here"]},
        "text": {"cmd": ["cat"], "stdin": "own text\n"},
        "file": {"cmd": ["cat"], "stdin": {"file": "sub/here"}},
        "default text": ["cat"]
    }
}"#;

const FIELDS_TOML: &str = r#"
[defaults]
env = { A = "default", B = "default" }
stdin = "default text\n"
cwd = "sub"
[jobs.shell]
shell = "echo $A $B | tr a-z A-Z"
[jobs.env]
cmd = ["printenv", "A", "B"]
env.B = "own $A"
env.C = "c"
[jobs.cwd]
cmd = ["cat", "here"]
cwd = "other"
[jobs."default cwd"]
cmd = ["cat", "here"]
[jobs.text]
cmd = ["cat"]
stdin = "own text\n"
[jobs.file]
cmd = ["cat"]
stdin = { file = "sub/here" }
[jobs]
"default text" = ["cat"]
"#;

#[test]
fn every_field_has_its_effect_in_json_and_in_toml() {
    for (name, text) in [("jobs.json", FIELDS_JSON), ("jobs.toml", FIELDS_TOML)] {
        let folder = Folder::new();
        folder.sh("mkdir sub other && echo in sub > sub/here && echo in other > other/here").end().exited(0);
        folder.write(name, text);
        let expected = "DEFAULT DEFAULT\ndefault\nown $A\nin other\nin sub\nown text\nin sub\ndefault text\n";
        folder.run("-k --file").arg(name).end().exited(0).printed(expected).silent();
    }
}

#[test]
fn json_lines_have_their_key_in_them_and_blank_lines_between() {
    let text = "{\"key\": \"a\", \"cmd\": [\"echo\", \"1\"]}\n\n{\"key\": \"b\", \"shell\": \"cat; echo $X\", \"stdin\": \"2\\n\", \"env\": {\"X\": \"3\"}}";
    run("jobs.jsonl", text).exited(0).printed("1\n2\n3\n").silent();
    run("jobs.ndjson", text).exited(0).printed("1\n2\n3\n").silent();
    Folder::new().run("-k --file -").input(text).end().exited(0).printed("1\n2\n3\n").silent();
}

#[test]
fn json_lines_on_standard_input_are_run_as_they_come() {
    let mut running = Folder::new().run("--file -").open_input().start();
    running.write("{\"key\": \"a\", \"cmd\": [\"echo\", \"1\"]}\n");
    running.has_printed("1\n");
    running.write("{\"key\": \"b\", \"cmd\": [\"echo\", \"2\"]}");
    running.end().exited(0).printed("1\n2\n").silent();
}

#[test]
fn a_time_is_a_number_or_a_text() {
    for (name, text) in [
        ("text.json", r#"{"jobs": {"slow": {"cmd": ["sleep", "100"], "timeout": "100ms"}}}"#),
        ("number.json", r#"{"jobs": {"slow": {"cmd": ["sleep", "100"], "timeout": 0.1}}}"#),
        ("default.json", r#"{"jobs": {"slow": ["sleep", "100"]}, "defaults": {"timeout": 0.1}}"#),
        (
            "own.json",
            r#"{"jobs": {"slow": {"cmd": ["sleep", "100"], "timeout": 0.1}}, "defaults": {"timeout": 90}}"#,
        ),
        ("whole.jsonl", r#"{"key": "slow", "cmd": ["sleep", "100"], "timeout": 1}"#),
        ("number.toml", "[jobs.slow]\ncmd = ['sleep', '100']\ntimeout = 0.1\n"),
        ("text.toml", "[jobs.slow]\ncmd = ['sleep', '100']\ntimeout = '100ms'\n"),
    ] {
        run(name, text).exited(1).said("  slow: timed out (killed by SIGTERM)");
    }
}

#[test]
fn the_timeout_of_the_command_line_is_for_jobs_that_name_none() {
    let folder = Folder::new();
    folder.write(
        "jobs.json",
        r#"{"own": {"shell": "sleep 0.3; echo done", "timeout": 90}, "none": ["sleep", "100"]}"#,
    );
    let ended = folder.run("--timeout 0.1 --file jobs.json").end().exited(1).printed("done\n");
    ended.said("1 succeeded, 1 failed").said("  none: timed out");
}

#[test]
fn the_timeout_of_the_command_line_goes_before_the_files_default() {
    let jobs = r#"{"jobs": {"a": {"cmd": ["sleep", "1000"]}}, "defaults": {"timeout": "2h"}}"#;
    let folder = Folder::new();
    let trial = folder.write("jobs.json", jobs).run("--timeout 0.05 --file jobs.json");
    trial.end().exited(1).said("  a: timed out");
}

#[test]
fn words_of_a_job_file_are_literal() {
    let text = r#"{"k": ["printf", "<%s>", "{}", "{#}", "{key}", "$HOME", "*", "-n", ""]}"#;
    run("jobs.json", text).exited(0).printed("<{}><{#}><{key}><$HOME><*><-n><>").silent();
}

#[test]
fn a_double_key_is_refused_naming_both_places() {
    refused(
        "jobs.json",
        "{\"a\": [\"echo\"],\n\"b\": [\"echo\"],\n\"a\": [\"echo\"]}",
        &["\"a\"", "line 1", "line 3"],
    );
    let long = "{\"jobs\": {\n\"a\": [\"echo\"],\n\"b\": [\"echo\"],\n\"a\": [\"echo\"]}}";
    refused("jobs.json", long, &["\"a\"", "line 2", "line 4"]);
    let jsonl = "{\"key\": \"a\", \"cmd\": [\"echo\"]}\n\n{\"key\": \"a\", \"cmd\": [\"true\"]}\n";
    refused("jobs.jsonl", jsonl, &["\"a\"", "line 1", "line 3"]);
    refused(
        "jobs.toml",
        "[jobs.a]\ncmd = ['x']\n[jobs.b]\ncmd = ['x']\n[jobs.a]\ncmd = ['y']\n",
        &["line 1", "line 5"],
    );
    refused("jobs.toml", "[jobs]\na = ['x']\nb = ['x']\na = ['x']\n", &["line 2", "line 4"]);
    // Different text, but the same key.
    refused("jobs.json", "{\"a\": [\"echo\"],\n\"\\u0061\": [\"echo\"]}", &["\"a\"", "line 1", "line 2"]);
    refused("jobs.toml", "[jobs]\na = ['x']\n\"a\" = ['x']\n", &["duplicate key", "line 3"]);
    refused("jobs.toml", "[jobs.a]\ncmd = ['x']\n[jobs]\na = ['x']\n", &["line 4"]);
}

#[test]
fn a_double_field_is_refused() {
    refused("jobs.json", r#"{"a": {"cmd": ["echo"], "cmd": ["true"]}}"#, &["duplicate field `cmd`"]);
    refused("jobs.json", "{\"jobs\": {},\n\"jobs\": {}}", &["\"jobs\"", "line 1", "line 2"]);
}

#[test]
fn a_double_key_on_standard_input_ends_the_run_where_it_stands() {
    let text = "{\"key\": \"a\", \"cmd\": [\"echo\", \"1\"]}\n{\"key\": \"a\", \"cmd\": [\"echo\", \"2\"]}\n";
    let ended = Folder::new().run("--file -").input(text).end().exited(2).printed("1\n");
    ended.said("standard input, line 2").said("line 1 already");
}

#[test]
fn a_text_for_a_list_is_refused_with_advice() {
    let advice = "{\"shell\": \"TEXT\"}";
    refused("jobs.json", r#"{"a": "echo a | b"}"#, &[advice, "line 1"]);
    refused("jobs.json", "{\"jobs\": {\"a\":\n{\"cmd\": \"echo a | b\"}}}", &[advice, "line 2"]);
    refused("jobs.jsonl", r#"{"key": "a", "cmd": "echo a | b"}"#, &[advice, "line 1"]);
    refused("jobs.toml", "[jobs.a]\n\ncmd = 'echo a | b'\n", &[advice, "line 3"]);
}

#[test]
fn a_variable_that_stands_twice_is_refused() {
    let text = r#"{"a": {"cmd": ["echo"], "env": {"X": "1", "Y": "1", "X": "2"}}}"#;
    refused("jobs.json", text, &["job \"a\"", "the variable \"X\" stands twice"]);
}

#[test]
fn what_is_wrong_on_a_line_of_json_has_one_place() {
    let text = "{\"key\": \"a\", \"cmd\": [\"true\"]}\n{\"key\": \"b\", \"cmd\": 5}\n";
    let ended = run("jobs.jsonl", text).exited(2).said("line 2: ").said(", column 21");
    assert!(!ended.error_text().contains("line 1"), "{}", ended.describe());
}

#[test]
fn an_unknown_field_is_refused_with_the_known_ones() {
    for (name, text) in [
        ("jobs.json", "{\"jobs\": {\n\"a\": {\"cmd\": [\"echo\"],\n\"retires\": 2}}}"),
        ("jobs.jsonl", "\n\n{\"key\": \"a\", \"retires\": 2}"),
        ("jobs.toml", "[jobs.a]\ncmd = ['echo']\nretires = 2\n"),
    ] {
        refused(name, text, &["retires", "`timeout`", "line 3"]);
    }
    refused("jobs.json", r#"{"jobs": {}, "default": {}}"#, &["`default`", "`defaults`"]);
    refused("jobs.json", r#"{"jobs": {}, "defaults": {"cmd": ["echo"]}}"#, &["`cmd`", "`cwd`"]);
    refused("jobs.toml", "[job.a]\ncmd = ['echo']\n", &["`job`", "`jobs`"]);
    refused("jobs.json", r#"{"a": {"cmd": ["cat"], "stdin": {"path": "x"}}}"#, &["`path`", "`file`"]);
}

#[test]
fn a_wrong_type_is_refused_with_its_line() {
    for (name, text) in [
        ("jobs.json", "{\"a\": [\"echo\",\n1]}"),
        ("jobs.json", "{\"a\":\n7}"),
        ("jobs.json", "{\"a\": {\"cmd\": [\"echo\"],\n\"timeout\": true}}"),
        ("jobs.json", "{\"a\": {\"cmd\": [\"echo\"],\n\"env\": {\"X\": 1}}}"),
        ("jobs.json", "{\"a\": {\"cmd\": [\"cat\"],\n\"stdin\": 5}}"),
        ("jobs.json", "{\"jobs\":\n{\"a\": null}}"),
        ("jobs.json", "{\"a\": [\"echo\"],\n}"),
        ("jobs.jsonl", "{\"key\": \"a\", \"cmd\": [\"true\"]}\n[\"echo\"]"),
        ("jobs.jsonl", "{\"key\": \"a\", \"cmd\": [\"true\"]}\n{\"cmd\": [\"echo\"]}"),
        ("jobs.toml", "[jobs]\na = 7\n"),
        ("jobs.toml", "[jobs.a]\ncmd = ['echo', 1]\n"),
    ] {
        refused(name, text, &["line 2"]);
    }
    refused("jobs.json", "[[\"echo\"]]", &["expected a table"]);
    refused("jobs.json", "", &["EOF"]);
    refused("jobs.toml", "", &["`jobs`"]);
}

#[test]
fn a_time_that_is_none_is_refused() {
    for time in ["0", "-1", "\"\"", "\"abc\"", "\"-1s\"", "\"0s\""] {
        let text = format!("{{\"a\": {{\"cmd\": [\"echo\"], \"timeout\": {time}}}}}");
        refused("jobs.json", text, &["give a time above 0", "line 1"]);
    }
}

#[test]
fn a_job_with_nothing_to_run_is_refused_by_its_key() {
    for job in
        ["[]", "[\"\"]", "{}", "{\"cmd\": []}", "{\"cwd\": \"/\"}", "{\"cmd\": [\"x\"], \"shell\": \"y\"}"]
    {
        refused("jobs.json", format!("{{\"good\": [\"echo\"], \"bad\": {job}}}"), &["job \"bad\""]);
    }
    for field in [r#""cwd": "/\u0000""#, r#""stdin": {"file": "/\u0000"}"#] {
        let jobs = format!(r#"{{"jobs": {{"bad": {{"cmd": ["pwd"], {field}}}}}}}"#);
        refused("jobs.json", &jobs, &["job \"bad\"", "NUL"]);
    }
    refused("jobs.json", r#"{"bad": ["echo", "a\u0000b"]}"#, &["job \"bad\"", "NUL"]);
    refused("jobs.json", r#"{"bad": {"cmd": ["echo"], "env": {"A=B": "c"}}}"#, &["job \"bad\"", "A=B"]);
    refused("jobs.json", r#"{"bad": {"cmd": ["echo"], "env": {"": "c"}}}"#, &["job \"bad\""]);
}

#[test]
fn a_file_of_no_known_kind_is_refused() {
    for name in ["jobs", "jobs.yaml", "jobs.txt", ".json"] {
        refused(name, "{}", &[".json, .jsonl or .toml"]);
    }
}

#[test]
fn a_file_that_is_no_text_is_refused() {
    for name in ["jobs.json", "jobs.jsonl", "jobs.toml"] {
        refused(name, b"{\"\xff\": []}", &["UTF-8"]);
    }
    let ended = Folder::new().run("--file -").input(*b"{\"\xff\": []}").end().exited(2);
    ended.said("standard input, line 1").said("UTF-8");
}

#[test]
fn a_file_that_is_not_there_or_a_directory_is_refused() {
    let folder = Folder::new();
    folder.run("--file missing.json").end().exited(2).said("missing.json").said("No such file");
    folder.run("--file ./").end().exited(2).said("job file ./: Is a directory");
}

#[test]
fn a_job_file_needs_no_command_and_takes_none() {
    let folder = Folder::new();
    folder.write("jobs.json", r#"{"a": ["echo"]}"#);
    for words in ["--file jobs.json -- echo", "--file jobs.json echo ::: a", "--file jobs.json -0"] {
        folder.run(words).end().exited(2).printed("").said("--file");
    }
}

#[test]
fn a_file_is_checked_whole_before_the_first_job() {
    for (name, text) in [
        ("jobs.json", r#"{"a": ["touch", "ran"], "b": []}"#),
        ("jobs.jsonl", "{\"key\": \"a\", \"cmd\": [\"touch\", \"ran\"]}\n{\"key\": \"a\"}\n"),
        ("jobs.toml", "[jobs.a]\ncmd = ['touch', 'ran']\n[jobs.b]\n"),
    ] {
        let folder = Folder::new();
        folder.write(name, text);
        folder.run("--file").arg(name).end().exited(2);
        assert!(!folder.has("ran"), "{name}");
    }
}

#[test]
fn a_directory_or_an_input_that_is_missing_fails_that_job_alone() {
    let text = r#"{"a": {"cmd": ["echo"], "cwd": "no/dir"}, "b": {"cmd": ["cat"], "stdin": {"file": "no-file"}}, "c": ["echo", "c"]}"#;
    let ended = run("jobs.json", text).exited(1).printed("c\n").said("1 succeeded, 2 failed");
    ended.said("  a: not started: directory \"no/dir\"").said("  b: not started: standard input \"no-file\"");
}

#[test]
fn no_number_of_braces_makes_it_crash() {
    let deep = "[".repeat(100_000);
    for (name, text) in [("jobs.json", format!("{{\"a\": {deep}")), ("jobs.toml", format!("a = {deep}"))] {
        refused(name, text, &[]);
    }
}

#[test]
fn retries_are_the_jobs_then_those_that_were_typed_then_the_files() {
    let folder = Folder::new();
    let script = "echo >> $PROCPOOL_KEY; exit 1";
    let file = format!(
        r#"{{"defaults": {{"retries": 1}}, "jobs": {{"own": {{"shell": "{script}", "retries": 3}}, "default": {{"shell": "{script}"}}}}}}"#
    );
    folder.write("jobs.json", file);
    let attempts = |name: &str| {
        let attempts = folder.read(name).lines().count();
        std::fs::remove_file(folder.file(name)).unwrap();
        attempts
    };
    for (options, expected) in [("", [4, 2]), ("--retries 2", [4, 3])] {
        folder.run(&format!("{options} --retry-delay 1ms -f jobs.json")).end().exited(1);
        assert_eq!([attempts("own"), attempts("default")], expected, "{options}");
    }
    for retries in ["-1", "1.5", "\"1\""] {
        let file = format!(r#"{{"jobs": {{"a": {{"cmd": ["true"], "retries": {retries}}}}}}}"#);
        refused("jobs.json", file, &["line 1"]);
    }
}
