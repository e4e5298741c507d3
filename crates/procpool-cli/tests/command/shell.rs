//! `--shell` with a command: a shell script in which values are parameters. Each value arrives unchanged and
//! is never executed.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::Folder;
use crate::values::NASTY;

#[test]
fn a_command_may_use_all_of_a_shell() {
    let folder = Folder::new();
    let trial =
        folder.run("-k --shell -- echo {} | tr a b; x={#}").args(["&&", "echo", "$x", ":::", "aa", "ca"]);
    trial.end().exited(0).printed("bb\n1\ncb\n2\n").silent();
    let trial = folder.run("-k --shell").args(["for i in 1 2; do echo $i {}; done", ":::", "a"]);
    trial.end().exited(0).printed("1 a\n2 a\n").silent();
}

#[test]
fn every_value_arrives_in_any_quotes_and_none_is_run() {
    let folder = Folder::new();
    let expected: Vec<u8> = NASTY.iter().flat_map(|value| [value, &b"\0"[..]].concat().repeat(3)).collect();
    let script = r#"printf '%s\0' {} "{}" '{}'"#;
    let trial = folder.run("-k --shell").arg(script).arg(":::").args(NASTY.map(OsStr::from_bytes));
    trial.end().exited(0).printed(expected).silent();
    assert!(!folder.has("pwned"));
}

#[test]
fn without_a_placeholder_the_values_are_appended_each_as_a_word() {
    let folder = Folder::new();
    let trial = folder.run("--shell").args(["x=1; printf '<%s>'", ":::", "a  b", ":::", "$x"]);
    trial.end().exited(0).printed("<a  b><$x>").silent();
}

#[test]
fn a_place_where_it_is_not_sure_is_refused_before_anything_runs() {
    let folder = Folder::new();
    for text in ["touch a; cat <<E\n{}\nE", "touch a; echo `echo {}`", "touch a; echo 'b", "touch a # {}"] {
        folder.run("--shell").args([text, ":::", "v"]).end().exited(2).printed("").said("--shell: ");
    }
    folder.run("--shell -n2 touch a ::: v").end().exited(2).printed("").said("leave one of them out");
    assert!(!folder.has("a"));
}

#[test]
fn a_refusal_names_the_word_and_says_why_and_what_to_write_instead() {
    let trial = Folder::new().run("--shell=bash").args(["[[ {} -gt 5 ]]", ":::", "7"]);
    trial
        .end()
        .exited(2)
        .printed("")
        .said("beside `-gt`")
        .said("x[$(command)] runs the command")
        .said("case $n in");
}

#[test]
fn a_number_of_our_own_may_stand_where_a_shell_computes() {
    let trial =
        Folder::new().run("-k --shell=bash").args(["[[ {#} -gt 1 ]] && echo {}; true", ":::", "a", "b"]);
    trial.end().exited(0).printed("b\n").silent();
}

#[test]
fn blocks_may_be_read_by_a_shells_text() {
    let trial = Folder::new().run("-k --pipe --block 4 --shell").args(["sort -r | tr '\\n' '{'; echo }{#}"]);
    trial.input("a\nb\nc\nd\n").end().exited(0).printed("b{a{}1\nd{c{}2\n").silent();
}

#[test]
fn what_is_printed_runs_the_same() {
    let folder = Folder::new();
    let command = ["printf '%s\\n' {} \"<{}>\" | cat", ":::", "it's", "$HOME", "a b"];
    let printed = folder.run("--dry-run --shell").args(command).end().exited(0);
    let direct = folder.run("-k --shell").args(command).end().exited(0);
    folder.sh(printed.text()).end().exited(0).printed(direct.text());
}

#[test]
fn a_value_is_never_run_nor_computed() {
    let folder = Folder::new();
    let refused = |words: &[&str], value: &str| {
        let ended = folder.run(words[0]).args([words[1], ":::", value]).end().exited(2).said("--shell");
        assert!(!folder.has("ran"), "{}", ended.error_text());
    };
    for text in ["echo hi;", "echo hi &", "true &&", "echo hi |", "(echo hi)", "x=1"] {
        refused(&["--shell", text], "touch ran");
    }
    refused(&["--shell=bash", "[[ {} -gt 5 ]]"], "x[$(touch ran)]");
    refused(&["--shell=bash", "let x={}"], "x[$(touch ran)]");
    refused(&["--shell=bash", "[ -v {} ]"], "x[$(touch ran)]");
    refused(&["--shell=bash", "printf -v {} x"], "x[$(touch ran)]");
    refused(&["--shell=bash", "declare -i n={}"], "x[$(touch ran)]");
    refused(&["--shell=bash", "echo hi >& {}"], "$(touch ran)");
    refused(&["--shell", "sh -c 'echo {}'"], "$(touch ran)");
    refused(&["--shell=python3", "print(\"{}\")"], "x");
    folder
        .run("--shell=bash")
        .args(["set -euo pipefail; echo {}", ":::", "v"])
        .end()
        .exited(0)
        .printed("v\n");
}
