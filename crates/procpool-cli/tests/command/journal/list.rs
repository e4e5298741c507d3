//! The list of jobs in a journal: wherever the jobs came from and whatever they contain, a resume runs the
//! same ones.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;

use crate::journal::killed;
use crate::{Folder, wait_for};

/// Records a run whose jobs all fail silently at first, and succeed when they are resumed.
#[track_caller]
fn again(folder: &Folder, words: &str, more: &[&str], input: &[u8], expected: &[u8]) {
    let ended = folder.record(words).args(more).input(input).end();
    assert_eq!(ended.status.code(), Some(1), "{words}: {}", ended.describe());
    folder.write("go", "");
    let ended = folder.resume("").end();
    assert!(ended.status.success() && ended.stdout == expected, "{words}: {}", ended.describe());
}

#[test]
fn each_source_of_jobs_is_kept() {
    let go = "[ -e go ] && printf '<%s>' \"$@\"";
    let script = ["sh", "-c", go, "sh"];
    for (words, more, input, expected) in [
        ("-k", &[":::", "a", "b", ":::+", "1", "2"][..], "", "<a><1><b><2>"),
        ("-k -a values", &[], "", "<x y><><z>"),
        ("-k", &[":::", "a", ":::", "1", "2"], "", "<a><1><a><2>"),
        ("-k", &[], "a\nb\r\n\n", "<a><b\r><>"),
        ("-k -0", &[], "a\nb\0\0c", "<a\nb><><c>"),
        ("-k -n2", &[], "1\n2\n3\n", "<1><2><3>"),
        ("-k -X", &[], "1\n2\n3\n", "<1><2><3>"),
        ("-k --csv", &["{size}", "{1.}"], "name,size\na.c,1\n\"b, \"\"\",2\n", "<1><a><2><b, \">"),
        ("-k --tsv --key {2}", &["{key}"], "name\tsize\na\t1\n", "<1>"),
        ("-k -I%%", &["%%-{}"], "a\n", "<a-{}>"),
    ] {
        let folder = Folder::new();
        folder.write("values", "x y\n\nz");
        let script: Vec<&str> = script.iter().chain(more).copied().collect();
        again(&folder, words, &script, input.as_bytes(), expected.as_bytes());
    }
}

#[test]
fn lines_that_are_commands_are_kept_with_a_shell_and_without() {
    let line = "sh -c '[ -e go ] && echo \"$1 $PROCPOOL_KEY\"' sh 'a  b'\n";
    let expected = format!("a  b {line}");
    again(&Folder::new(), "-k", &[], line.as_bytes(), expected.as_bytes());
    let line = "[ -e go ] && echo 'a  b' | tr a-z A-Z";
    again(&Folder::new(), "-k --shell", &[], line.as_bytes(), b"A  B\n");
    let text = "[ -e go ] && echo {} '{}' | tr a-z A-Z";
    again(&Folder::new(), "-k --shell", &[text], b"a 'b'  $HOME\n", b"A 'B'  $HOME A 'B'  $HOME\n");
}

#[test]
fn blocks_of_standard_input_are_kept_small_and_large() {
    let script = ["sh", "-c", "[ -e go ] && cat"];
    let mut lines: String =
        (1..=60_000).fold(String::new(), |text, number| text + &number.to_string() + "\n");
    lines += "without an end";
    for words in ["-k --pipe --block 100k", "-k --pipe --block 1k -j8"] {
        let short = &lines[..if words.ends_with("j8") { 9_000 } else { lines.len() }];
        again(&Folder::new(), words, &script, short.as_bytes(), short.as_bytes());
    }
    let odd = b"\xff\xfe\0\n\xc3\n";
    again(&Folder::new(), "-k --pipe --block 3", &script, odd, odd);
}

#[test]
fn job_files_are_kept_with_directory_variables_input_and_limits() {
    let folder = Folder::new();
    folder.sh("mkdir sub && echo from a file > sub/input").end().exited(0);
    let toml = r#"
        [defaults]
        env = { A = "default" }
        [jobs.env]
        shell = "[ -e go ] && echo $A $B"
        env.B = " b"
        [jobs.cwd]
        shell = "[ -e ../go ] && echo ${PWD##*/}"
        cwd = "sub"
        [jobs.text]
        shell = "[ -e go ] && cat"
        stdin = "own text\n"
        [jobs.file]
        shell = "[ -e go ] && cat"
        stdin = { file = "sub/input" }
        [jobs.slow]
        shell = "[ -e go ] && echo quick || sleep 1000"
        timeout = "50ms"
        [jobs.retried]
        shell = "[ -e go ] && [ $PROCPOOL_ATTEMPT = 3 ] && echo third"
        retries = 2
    "#;
    folder.write("jobs.toml", toml);
    folder.record("-k --retry-delay 1ms --file jobs.toml").end().exited(1).said("slow: timed out");
    // The file isn't needed any more.
    fs::remove_file(folder.file("jobs.toml")).unwrap();
    folder.write("go", "");
    let expected = "default b\nsub\nown text\nfrom a file\nquick\nthird\n";
    folder.resume("").end().exited(0).printed(expected).said("6 jobs: 0 succeeded, 6 failed, ");
    folder.resume("").end().exited(0).printed("");
}

#[test]
fn a_timeout_of_all_jobs_that_is_typed_now_holds() {
    let folder = Folder::new();
    folder.record("--timeout 50ms sh -c").args(["[ -e go ] || sleep 1000", "sh", ":::", "a"]).end().exited(1);
    folder.write("go", "");
    folder.resume("--timeout 1000s").end().exited(0);
}

#[test]
fn the_environment_of_a_job_is_todays_but_for_what_was_changed_for_it() {
    let folder = Folder::new();
    let script = "[ -e go ] && echo $A $B";
    folder.record("--env A=1 sh -c").args([script, "sh", ":::", "a"]).env("B", "then").end().exited(1);
    folder.write("go", "");
    folder.resume("").env("A", "now").env("B", "now").end().exited(0).printed("1 now\n");
}

#[test]
fn a_list_that_came_through_a_pipe_is_safe_from_the_first_job_on() {
    let folder = Folder::new();
    let script = "echo $1 >> starts; [ -e go ] || { : > runs; sleep 1000; }; echo $1";
    let numbers: String = crate::lines(5000);
    let mut running = folder.record("-j1 sh -c").args([script, "sh"]).open_input().start();
    running.write(&numbers);
    drop(running.stdin.take());
    wait_for("the first job to run", || folder.has("runs"));
    wait_for("the list to be whole", || {
        fs::read(folder.file("J/list-1.jsonl")).unwrap().ends_with(b"\"record\":\"end\",\"jobs\":5000}\n")
    });
    killed(running);
    folder.write("go", "");
    let ended = folder.resume("-k").end().exited(0).printed(&numbers);
    ended.said("5000 jobs: 0 succeeded, 0 failed, 1 interrupted, 4999 not run, 0 new, 0 changed\n");
    assert_eq!(folder.read("starts").lines().count(), 5001);
}

#[test]
fn a_list_whose_end_had_not_come_is_gone_on_with_as_far_as_it_is_known() {
    let folder = Folder::new();
    let script = "echo $1; [ $1 != 2 ] || [ -e go ] || { : > runs; sleep 1000; }";
    let mut running = folder.record("-j1 sh -c").args([script, "sh"]).open_input().start();
    running.write("1\n2\n");
    wait_for("the second job to run", || folder.has("runs"));
    killed(running).printed("1\n");
    folder.write("go", "");
    let ended = folder.resume("").end().exited(3).printed("2\n");
    ended.said("the first run ended before its input was read to the end").said("--resume");
    let ended = folder.record("--resume -j1 sh -c").args([script, "sh"]).input("1\n2\n3\n").end();
    ended.exited(0).printed("3\n").said("3 jobs: 2 succeeded, 0 failed, 0 interrupted, 1 new, 0 changed\n");
    folder.resume("").end().exited(0).printed("");
}

#[test]
fn bytes_that_are_no_text_pass_through_unchanged_in_keys_arguments_variables_and_outputs() {
    let folder = Folder::new();
    let values = b"\xff\xfe\0a\nb\0\"\\\0\0\xc3\xa4\xc3\0\x1b[31m\0";
    let expected = b"<\xff\xfe><a\nb><\"\\><><\xc3\xa4\xc3><\x1b[31m>";
    let script = OsStr::from_bytes(b"[ -e go ] && printf '<%s>' \"$1\" #\xff");
    let variable = OsStr::from_bytes(b"ODD=\xff");
    let record = |words: &str| {
        let trial = folder.record(words).arg("--env").arg(variable).args(["-0", "sh", "-c"]);
        trial.arg(script).arg("sh").input(values)
    };
    record("-k").end().exited(1);
    folder.write("go", "");
    record("-k --resume").end().exited(0).printed(expected).said("6 jobs: 0 succeeded, 6 failed, ");
    record("--resume").end().exited(0).printed("").said("6 jobs: 6 succeeded, ");
    folder.resume("").end().exited(0).printed("");

    // Output that was recorded and not printed is printed exactly, byte by byte.
    let folder = Folder::new();
    let write = "head -c 5000 /dev/zero | tr '\\0' '\\377'; printf 'a\\0\\377' >&2";
    let ended = folder.record("--output none sh -c").args([write, "sh", ":::", "a"]).end().exited(0);
    ended.printed("").silent();
    folder.resume("--output grouped").end().exited(0).printed("");
}

#[test]
fn tags_name_what_they_named() {
    let folder = Folder::new();
    let tagged = "-k --csv --tag-with {name}/{#}/{key}: sh -c";
    let script = "[ -e go ] && echo $1";
    let ended = folder.record(tagged).args([script, "sh", "{size}"]).input("name,size\na,1\nb,2\n").end();
    ended.exited(1);
    folder.write("go", "");
    folder.resume("").end().exited(0).printed("a/1/a:\t1\nb/2/b:\t2\n");
}

#[test]
fn only_its_owner_may_read_a_journal() {
    let folder = Folder::new();
    let many = "x".repeat(5000);
    let ended = folder
        .sh("umask 0; seq 3 | procpool run --journal J --pipe --block 2 -- sh -c 'cat; echo $0' \"$1\"");
    ended.args(["sh", &many]).end().exited(0);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.file("J")), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.file("J")).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(mode(&entry.path()), 0o600, "{:?}", entry.path());
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(
        names,
        ["inputs-1", "journal.jsonl", "list-1.jsonl", "outputs", "printed-1", "printed-1.shape", "running"]
    );
}
