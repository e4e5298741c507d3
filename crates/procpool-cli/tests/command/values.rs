//! Values come from arguments, files or standard input, and each arrives unchanged.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;

use crate::terminal::Terminal;
use crate::{Folder, words};

/// Text that a shell, a parser of options or a decoder of text might stumble over.
pub(crate) const NASTY: [&[u8]; 13] = [
    b"; touch pwned",
    b"$(touch pwned)",
    b"`touch pwned`",
    b"| touch pwned",
    b"'\"\\",
    b"-n",
    b"--help",
    b"*",
    b"  two  spaces\t",
    b"{} {#} {.}",
    b"\xff\xfe\x80",
    b"\x01\x1b[31m\x7f",
    b"\xc3\xa9\xe2\x82\xac",
];

#[test]
fn values_after_three_colons_are_jobs() {
    Folder::new().run("-k printf <%s> {} ::: a b a").end().exited(0).printed("<a><b><a>").silent();
}

#[test]
fn values_after_three_colons_leave_standard_input_alone() {
    Folder::new().run("echo {} ::: a").open_input().end().exited(0).printed("a\n").silent();
}

#[test]
fn each_line_of_standard_input_is_a_value_and_an_empty_line_an_empty_one() {
    let folder = Folder::new();
    for input in ["a\n\nb c\n", "a\n\nb c"] {
        folder.run("-k printf <%s> {}").input(input).end().exited(0).printed("<a><><b c>").silent();
    }
    folder.run("printf <%s> {}").input("\n").end().exited(0).printed("<>").silent();
}

#[test]
fn with_0_values_end_with_a_nul_byte_and_hold_anything_else() {
    let folder = Folder::new();
    for input in ["a\nb\0\0c\r\0", "a\nb\0\0c\r"] {
        folder.run("-0 -k printf <%s> {}").input(input).end().exited(0).printed("<a\nb><><c\r>").silent();
    }
}

#[test]
fn no_values_are_no_jobs_and_a_silent_success() {
    let folder = Folder::new();
    for options in ["false", "-0 false", "false :::", "--file -", "-k --tag false"] {
        folder.run(options).end().exited(0).printed("").silent();
    }
}

#[test]
fn every_byte_of_a_value_arrives_and_no_shell_ever_sees_one() {
    let folder = Folder::new();
    let expected = [NASTY.join(&0), vec![0]].concat();
    let by_lines = folder.run("-k printf %s\\0 {}").input(NASTY.join(&b'\n')).end();
    by_lines.exited(0).printed(&expected).silent();
    let by_nul = folder.run("-0 -k printf %s\\0 {}").input(NASTY.join(&0)).end();
    by_nul.exited(0).printed(&expected).silent();
    let by_words = folder.run("-k printf %s\\0 {} :::").args(NASTY.map(OsStr::from_bytes)).end();
    by_words.exited(0).printed(&expected).silent();
    assert!(!folder.has("pwned"));
}

#[test]
fn a_value_with_all_bytes_there_are_arrives_whole() {
    let all: Vec<u8> = (1..=255).collect();
    Folder::new().run("-0 printf %s {}").input(all.clone()).end().exited(0).printed(all).silent();
}

#[test]
fn an_empty_word_is_a_value() {
    Folder::new().run("-k printf <%s> {} :::").args(["", "a", ""]).end().exited(0).printed("<><a><>");
}

#[test]
fn a_nul_byte_in_a_line_is_refused_and_what_stood_before_it_is_run() {
    let ended = Folder::new().run("-k echo").input("a\nb\nc\0d\ne\n").end();
    ended.exited(2).printed("a\nb\n").said("standard input, line 3").said("-0").said("2 jobs: 2 succeeded");
}

#[test]
fn a_failure_before_bad_input_is_reported_too() {
    let ended = Folder::new().run("sh -c").input("exit 7\n\0\n").end();
    ended.exited(2).said("line 2").said("exit 7: exit 7");
}

#[test]
fn a_carriage_return_is_kept_and_warned_of_once() {
    let ended =
        Folder::new().run("-k echo").input("a\r\nb\r\nc\r\n").end().exited(0).printed("a\r\nb\r\nc\r\n");
    let said = ended.said("line 1 ends in a carriage return").error_text();
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_directory_is_no_input() {
    let folder = Folder::new();
    let directory = File::open(folder.file("")).unwrap();
    folder.run("echo").stdin(directory).end().exited(2).printed("").said("a directory holds no lines");
    let directory = File::open(folder.file("")).unwrap();
    folder.run("--file -").stdin(directory).end().exited(2).printed("").said("standard input");
}

#[test]
fn the_first_job_starts_while_the_second_value_is_still_to_come() {
    let mut running = Folder::new().run("echo").open_input().start();
    running.write("a\n");
    running.has_printed("a\n");
    running.write("b\nc");
    running.has_printed("a\nb\n");
    running.end().exited(0).printed("a\nb\nc\n").silent();
}

#[test]
fn a_value_too_long_for_an_argument_fails_alone() {
    let long = "x".repeat(5_000_000);
    let ended = Folder::new().run("-k echo").input(format!("a\n{long}\nb\n")).end();
    ended.exited(1).printed("a\nb\n").said("2 succeeded, 1 failed").said("Argument list too long");
}

#[test]
fn a_closed_standard_input_is_no_empty_list() {
    for options in ["echo", "--file -"] {
        let ended = Folder::new().sh(&format!("procpool run {options} <&-")).end();
        ended.exited(2).printed("").said("standard input: Bad file descriptor");
    }
    Folder::new().sh("procpool run echo ::: a <&-").end().exited(0).printed("a\n").silent();
}

#[test]
fn a_long_key_does_not_fill_the_screen() {
    let ended = Folder::new().run("echo").input("x".repeat(5_000_000)).end().exited(1);
    assert!(ended.stderr.len() < 10_000, "{} bytes", ended.stderr.len());
}

#[test]
fn many_values_come_in_any_size_of_pieces() {
    let values: Vec<String> = (0..400_usize).map(|n| n.to_string().repeat(1 + n * 7 % 90)).collect();
    let lines = values.join("\n") + "\n";
    let command = ["-c", "printf '%s\\n' \"$@\"", "sh"];
    let ended = Folder::new().run("-k -j8 sh").args(command).input(lines.clone()).end();
    ended.exited(0).printed(lines).silent();
}

#[test]
fn values_may_come_from_a_file_that_is_read_from_where_it_stands() {
    let folder = Folder::new();
    folder.write("list", "skipped\na\nb\n");
    let ended = folder.sh("{ read -r first; procpool run -k echo; } < list").end();
    ended.exited(0).printed("a\nb\n").silent();
}

#[test]
fn who_types_the_values_is_told_that_they_are_awaited() {
    let folder = Folder::new();
    let mut terminal = Terminal::new();
    let running = folder.run("echo").stdin(terminal.device()).start();
    wait_said(&running.stderr, "reading values from the terminal");
    terminal.press("a\n");
    running.has_printed("a\n");
    terminal.press("\x04");
    running.end().exited(0).printed("a\n");
}

#[test]
fn only_a_terminal_is_announced() {
    let folder = Folder::new();
    folder.run("echo ::: a").stdin(Terminal::new().device()).end().exited(0).silent();
    folder.run("echo").stdin(File::open("/dev/null").unwrap()).end().exited(0).silent();
}

#[track_caller]
fn wait_said(stderr: &crate::Listener, text: &str) {
    crate::wait_for(text, || String::from_utf8_lossy(&stderr.heard()).contains(text));
}

#[test]
fn a_list_that_a_fifo_brings_is_read_as_it_comes() {
    let folder = Folder::new();
    let script = "mkfifo list; { echo a; until [ -e seen ]; do sleep 0.01; done; echo b; } > list & \
                  procpool run -k -- sh -c ': > seen; echo {}' < list";
    folder.sh(script).end().exited(0).printed("a\nb\n").silent();
}

#[test]
fn the_values_of_a_thousand_words_are_all_run() {
    let values: Vec<String> = (0..1000).map(|n| format!("v{n}")).collect();
    let ended = Folder::new().run("-k -j8 echo {} :::").args(&values).end().exited(0);
    ended.printed(values.join("\n") + "\n").silent();
}

#[test]
fn a_command_behind_two_dashes_may_have_options_of_its_own() {
    let folder = Folder::new();
    let expected = "-k\n--tag\n-j0\n";
    let printf = words(&["printf", "%s\\n", "-k", "--tag", "{}", ":::", "-j0"]);
    folder.run("--").args(&printf).end().exited(0).printed(expected).silent();
    folder.run("").args(&printf).end().exited(0).printed(expected).silent();
    assert!(fs::read_dir(folder.file("")).unwrap().next().is_none(), "procpool left files");
}
