//! Commands that are lines of standard input, split as a shell would, or given to one: which arguments their
//! programs get.

use crate::terminal::Terminal;
use crate::{Folder, wait_for};

#[test]
fn each_line_is_a_command_and_its_own_key() {
    let ended = Folder::new().run("-k --tag").input("echo 'a  b' c\\ d\nprintf <%s> \"\" x\n").end();
    let refused = ended.exited(2).printed("echo 'a  b' c\\ d\ta  b c d\n");
    refused.said("standard input, line 2: `<` is for a shell").said("--shell").said("1 job: 1 succeeded");
}

#[test]
fn blank_lines_and_comments_are_no_jobs_but_lines_that_count() {
    let folder = Folder::new();
    let input =
        "\n# a comment | with an operator\n   \nprintenv PROCPOOL_SEQ\n\t# one more\nprintenv PROCPOOL_SEQ";
    folder.run("-k").input(input).end().exited(0).printed("1\n2\n").silent();
    folder.run("").input("\n#\n \n").end().exited(0).printed("").silent();
    folder.run("").end().exited(0).printed("").silent();
    folder.run("").input("\n\na;b\n").end().exited(2).said("line 3: `;`");
}

#[test]
fn every_job_sees_its_line_as_its_key_and_nothing_of_the_input() {
    let input = "printenv PROCPOOL_KEY\n cat\nprintenv  'PROCPOOL_KEY'\n";
    let expected = "printenv PROCPOOL_KEY\nprintenv  'PROCPOOL_KEY'\n";
    Folder::new().run("-k").input(input).end().exited(0).printed(expected).silent();
}

#[test]
fn bytes_that_are_no_text_arrive() {
    let input = b"printf %s \xff\xfe '\xe9 \x01'\n";
    Folder::new().run("").input(*input).end().exited(0).printed(b"\xff\xfe\xe9 \x01").silent();
}

#[test]
fn with_0_a_command_may_hold_newlines_in_quotes_only() {
    let folder = Folder::new();
    folder.run("-0").input("printf %s 'a\nb'\0").end().exited(0).printed("a\nb").silent();
    folder.run("-0").input("printf %s a\nb\0").end().exited(2).said("behind the end of its line");
}

#[test]
fn braces_mean_themselves() {
    Folder::new().run("").input("echo {} {#} '{a,b}'\n").end().exited(0).printed("{} {#} {a,b}\n").silent();
}

#[test]
fn what_stands_before_a_bad_line_is_finished_and_reported() {
    let folder = Folder::new();
    let ended = folder.run("-k").input("echo a\nfalse\necho 'b\ntouch c\n").end();
    ended.exited(2).printed("a\n").said("line 3: the quote ' is not closed").said("1 succeeded, 1 failed");
    assert!(!folder.has("c"));
}

#[test]
fn with_shell_each_line_goes_whole_to_one() {
    let folder = Folder::new();
    let input = "echo a | tr a b\n# nothing\n\nx=1; echo \"$x\" *.c\nfor i in 1 2; do echo $i; done\n";
    folder.write("one.c", "").write("two.c", "");
    let expected = "b\n1 one.c two.c\n1\n2\n";
    folder.run("-k --shell").input(input).end().exited(0).printed(expected).silent();
}

#[test]
fn another_shell_can_be_asked_for() {
    let input = "a=(1 2); echo ${#a[@]}\n";
    let folder = Folder::new();
    folder.run("--shell=bash").input(input).end().exited(0).printed("2\n").silent();
    folder.run("--shell=").input(input).end().exited(2).printed("").said("leave `=` out for sh");
    folder.run("--shell=no-such-shell").input("true\n").end().exited(1).said("no-such-shell");
}

#[test]
fn a_line_that_begins_like_an_option_is_none_of_the_shells() {
    let folder = Folder::new();
    folder.write_program("./-x", "#!/bin/sh\necho ran\n");
    folder
        .run("--shell")
        .env("PATH", ".:/usr/bin:/bin")
        .input("-x\n")
        .end()
        .exited(0)
        .printed("ran\n")
        .silent();
}

#[test]
fn an_again_line_and_a_dry_run_are_the_commands() {
    let folder = Folder::new();
    folder
        .run("--dry-run")
        .input("echo 'a  b'\n#\nls \\*\n")
        .end()
        .exited(0)
        .printed("echo 'a  b'\nls '*'\n");
    folder.run("--shell").input("exit 3 | exit 4\n").end().exited(1).said("again: sh -c 'exit 3 | exit 4'");
}

#[test]
fn the_first_job_starts_while_the_second_line_is_still_to_come() {
    let mut running = Folder::new().run("").open_input().start();
    running.write("echo a\n");
    running.has_printed("a\n");
    running.write("echo b");
    running.end().exited(0).printed("a\nb\n").silent();
}

#[test]
fn who_types_commands_is_told_that_they_are_awaited() {
    let mut terminal = Terminal::new();
    let running = Folder::new().run("").stdin(terminal.device()).start();
    wait_for("the hint", || {
        String::from_utf8_lossy(&running.stderr.heard()).contains("reading commands from the terminal")
    });
    terminal.press("echo a\n");
    running.has_printed("a\n");
    terminal.press("\x04");
    running.end().exited(0).printed("a\n");
}

#[test]
fn a_closed_standard_input_is_no_empty_list_of_commands() {
    Folder::new()
        .sh("procpool run <&-")
        .end()
        .exited(2)
        .printed("")
        .said("standard input: Bad file descriptor");
}
