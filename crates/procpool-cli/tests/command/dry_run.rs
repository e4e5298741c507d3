//! `--dry-run` prints the commands as they would be run, quoted so that a shell reads them back, and runs
//! none.

use crate::Folder;

#[test]
fn commands_are_printed_in_the_order_of_the_input_and_none_is_run() {
    let folder = Folder::new();
    let run = folder.run("--dry-run -j8 touch {#}.{%}").args(["{.}", ":::", "a.b", "it's", "", "-x"]);
    run.end().exited(0).printed("touch 1.1 a\ntouch 2.1 'it'\\''s'\ntouch 3.1 ''\ntouch 4.1 -x\n").silent();
    assert!(folder.files("").is_empty());
}

#[test]
fn a_shell_that_reads_what_is_printed_runs_the_same() {
    let folder = Folder::new();
    let odd = ["a b", "$HOME", "`id`", "two\nlines", "\\", "*", "~", "#", "é", "\x1b[1m"];
    let values = odd.map(|value| format!("{value}\0")).concat();
    let printed = folder.run("--dry-run -0 printf <%s>").input(values.as_str()).end().exited(0);
    let direct = folder.run("-k -0 printf <%s>").input(values.as_str()).end().exited(0);
    folder.sh(printed.text()).end().exited(0).printed(direct.text());
}

#[test]
fn a_job_file_is_printed_too_and_its_faults_are_refused() {
    let folder = Folder::new();
    folder.write("jobs.json", r#"{"a": ["echo", "x y"], "b": ["false"]}"#).write("bad.json", "{");
    folder.run("--dry-run -f jobs.json").end().exited(0).printed("echo 'x y'\nfalse\n").silent();
    folder.run("--dry-run -f bad.json").end().exited(2).printed("").said("bad.json");
}

#[test]
fn what_can_not_be_printed_is_said() {
    let folder = Folder::new();
    let full = std::fs::File::create("/dev/full").unwrap();
    folder.run("--dry-run echo ::: a").stdout(full).end().exited(3).said("can't write to standard output");
    folder.sh("procpool run --dry-run echo ::: a >&-").end().exited(3).said("can't write to standard output");
}

#[test]
fn what_a_job_of_a_file_reads_is_printed_with_it() {
    let folder = Folder::new();
    let file = r#"{"jobs": {"text": {"cmd": ["cat"], "stdin": "it's\n$HOME %s\n"}, "file": {"cmd": ["cat"], "cwd": "sub", "stdin": {"file": "a b"}}, "none": ["echo", "x"]}}"#;
    folder.write("jobs.json", file).write("a b", "of a file\n");
    std::fs::create_dir(folder.file("sub")).unwrap();
    let printed = folder.run("--dry-run -f jobs.json").end().exited(0);
    let expected = "it's\n$HOME %s\nof a file\nx\n";
    folder.sh(printed.text()).end().exited(0).printed(expected);
    folder.run("-k -f jobs.json").end().exited(0).printed(expected);
}
