//! Several values for each command: `-n` and `-X`.

use std::iter;

use crate::Folder;

#[test]
fn so_many_values_are_arguments_of_one_command() {
    // As `parallel -k -N2`, and xargs -n2 for the first.
    for (words, expected) in [
        ("printf <%s>\\n", "<a>\n<b>\n<c>\n<d>\n<e>\n"),
        ("echo", "a b\nc d\ne\n"),
        ("echo x{}y{} {#}", "xaya xbyb 1\nxcyc xdyd 2\nxeye 3\n"),
        ("echo {1}-{2} {}", "a-b a b\nc-d c d\ne- e\n"),
        ("echo {key}", "a b\nc d\ne\n"),
    ] {
        for option in ["-n2", "-n 2", "--max-args 2", "--max-args=2", "-N2"] {
            let trial = Folder::new().run("-k").args(option.split(' ')).args(words.split(' '));
            trial.input("a\nb\nc\nd\ne\n").end().exited(0).printed(expected).silent();
        }
        let trial = Folder::new().run("-k -n2").args(words.split(' '));
        trial.args([":::", "a", "b", "c", "d", "e"]).end().exited(0).printed(expected).silent();
    }
}

#[test]
fn values_before_a_bad_line_are_run_though_they_fill_no_command() {
    let ended = Folder::new().run("-n2 echo").input("a\nb\nc\nd\0\n").end();
    ended.exited(2).said("standard input, line 4").said("2 jobs: 2 succeeded");
}

#[test]
fn a_number_that_is_none_and_lists_that_are_many_are_refused() {
    let folder = Folder::new();
    for (words, said) in [
        ("-n0 touch ::: a", "give a number from 1 up"),
        ("-n -1 touch ::: a", "give a number from 1 up"),
        ("-n +2 touch ::: a", "give a number from 1 up"),
        ("-n2 touch ::: a ::: b", "of one list, and there are 2 lists"),
        ("-X touch ::: a :::+ b", "of one list, and there are 2 lists"),
        ("-n2 touch {3} ::: a", "-n gives each no more than 2"),
        ("-X touch {1} ::: a", "with -X it isn't known how many there are"),
        ("-X -n2 touch {1} ::: a", "with -X it isn't known how many there are"),
    ] {
        folder.run(words).end().exited(2).printed("").said(said);
    }
    assert!(folder.files("").is_empty());
}

#[test]
fn as_many_values_as_fit_are_arguments_of_one_command() {
    let folder = Folder::new();
    let values: Vec<String> = (0..300_000).map(|number| format!("value-{number}")).collect();
    let lines = values.join("\n") + "\n";
    let ended = folder.run("-k -X printf %s\\n").input(lines.clone()).end();
    ended.exited(0).printed(&lines).silent();
    let counted = folder.run("-k -X -- sh -c").args(["echo $#", "sh"]).input(lines).end().exited(0).silent();
    let counts: Vec<usize> = counted.text().lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(counts.iter().sum::<usize>(), values.len());
    assert!(counts.len() < 10, "{counts:?}");
    folder.run("-k --xargs -n2 echo ::: a b c").end().exited(0).printed("a b\nc\n").silent();
    folder.run("-X false").end().exited(0).printed("").silent();
}

#[test]
fn as_many_values_as_fit_a_small_stack_and_a_large_environment_do() {
    let folder = Folder::new();
    let lines: String = iter::repeat_n("v\n", 60_000).collect();
    let large = "x".repeat(100_000);
    let trial = folder.sh("ulimit -s 1024; procpool run -k -X echo x{} | wc -w");
    trial.env("LARGE", &large).input(lines).end().exited(0).printed("60000\n").silent();
}

#[test]
fn a_value_too_long_for_any_command_fails_alone() {
    let input = format!("a\nb\n{}\nc\nd\n", "x".repeat(200_000));
    let ended = Folder::new().run("-k -X echo").input(input).end();
    ended.exited(1).printed("a b\nc d\n").said("2 succeeded, 1 failed").said("Argument list too long");
}

#[test]
fn a_key_of_many_values_is_cut() {
    let values: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
    let ended =
        Folder::new().run("-X -- sh -c").args(["printf %s \"$PROCPOOL_KEY\"", ":::"]).args(&values).end();
    let key = ended.exited(0).text().to_owned();
    assert!(key.starts_with("0 1 2 3 ") && key.ends_with('…') && key.len() == 1000, "{key}");
}
