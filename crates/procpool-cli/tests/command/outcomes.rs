//! How jobs end, how that is reported, and the exit status of the run.

use crate::terminal::Terminal;
use crate::{Ended, Folder, Trial};

/// Runs something into its timeout after it has printed `ready`. If the machine was too slow for that, it
/// gets more time.
#[track_caller]
pub(crate) fn timed_out(trial: impl Fn(&str) -> Trial) -> Ended {
    for timeout in ["0.2", "1", "5", "20"] {
        let ended = trial(timeout).end().exited(1);
        if ended.text().contains("ready\n") {
            return ended;
        }
    }
    panic!("it was never ready");
}

#[test]
fn a_success_in_a_pipeline_is_silent() {
    Folder::new().run("true ::: a b c").end().exited(0).printed("").silent();
}

#[test]
fn one_failure_is_status_1_and_the_others_run() {
    let ended = Folder::new().run("-k sh -c").args(["echo {}; exit {}", ":::", "0", "3", "0"]).end();
    ended
        .exited(1)
        .printed("0\n3\n0\n")
        .said("procpool: 3 jobs: 2 succeeded, 1 failed; ")
        .said("\n  3: exit 3, ");
}

#[test]
fn a_failure_in_any_place_counts() {
    let folder = Folder::new();
    for order in ["true true false", "false true true", "true false true", "false"] {
        for options in ["-j1 {} :::", "-j1 -k {} :::", "-j3 {} :::"] {
            folder.run(options).args(order.split(' ')).end().exited(1).said("  false: exit 1, ");
        }
    }
}

#[test]
fn every_exit_status_of_a_job_is_told() {
    let folder = Folder::new();
    // A summary shows at most twenty jobs in detail.
    let codes: Vec<String> = (0..=255).map(|code| code.to_string()).collect();
    for codes in codes.chunks(20) {
        let ended = folder.run("-j4 sh -c").args(["exit {}", ":::"]).args(codes).end().exited(1);
        let failed = codes.iter().filter(|code| *code != "0");
        let ended = ended.said(&format!(" {} failed; ", failed.clone().count()));
        failed.fold(ended, |ended, code| ended.said(&format!("\n  {code}: exit {code}, ")));
    }
}

#[test]
fn a_missing_program_fails_its_job_alone() {
    let ended = Folder::new().run("-k {} ::: pwd no-such-program pwd ./neither").end().exited(1);
    assert_eq!(ended.text().lines().count(), 2);
    let ended = ended.said("  no-such-program: not started: program \"no-such-program\": No such file");
    ended.said("  ./neither: not started: program \"./neither\": No such file").said("2 succeeded, 2 failed");
}

#[test]
fn a_program_that_may_not_be_executed_fails_its_job_alone() {
    let folder = Folder::new();
    folder.write("plain", "#!/bin/sh\necho no\n").write("list", "");
    folder.sh("mkdir folder").end().exited(0);
    let ended = folder.run("{} ::: ./plain ./folder pwd").end().exited(1).said("1 succeeded, 2 failed");
    ended
        .said("  ./plain: not started: program \"./plain\": Permission denied")
        .said("  ./folder: not started: ");
}

#[test]
fn a_script_without_its_interpreter_names_the_interpreter() {
    let folder = Folder::new();
    folder.write_program("script", "#!/no/such/interpreter\n");
    folder.run("{} ::: ./script").end().exited(1).said("interpreter \"/no/such/interpreter\"");
}

#[test]
fn a_program_that_is_no_program_fails_and_is_not_given_to_a_shell() {
    let folder = Folder::new();
    folder.write_program("text", "touch pwned\n");
    folder.run("{} ::: ./text").end().exited(1).said("  ./text: not started: ").said("Exec format error");
    assert!(!folder.has("pwned"));
}

#[test]
fn a_job_that_a_signal_killed_says_which() {
    let ended = Folder::new().run("-j1 sleeper 0 --quiet --kill-self {} ::: 9 15 11 6").end().exited(1);
    let ended = ended.said("\n  9: killed by SIGKILL, ").said("\n  15: killed by SIGTERM, ").said("4 failed");
    ended.said("\n  11: killed by SIGSEGV, ").said("\n  6: killed by SIGABRT, ");
}

#[test]
fn a_job_that_takes_too_long_is_ended_and_its_output_is_printed() {
    let folder = Folder::new();
    let script = "echo ready; echo last words >&2; exec sleep 100";
    let ended =
        timed_out(|timeout| folder.run("-j1 --timeout").args([timeout, "sh", "-c", script, ":::", "slow"]));
    ended.printed("ready\n").said("  slow: timed out (killed by SIGTERM), ").said("\n    | last words\n");
}

#[test]
fn a_job_that_ignores_term_is_killed_after_its_timeout() {
    let folder = Folder::new();
    let ended = timed_out(|timeout| {
        folder.run("--timeout").args([timeout, "sleeper", "--ignore-term", "{}", ":::", "100"])
    });
    ended.printed("ready\n").said("  100: timed out (killed by SIGKILL), ");
}

#[test]
fn a_job_that_exits_0_on_the_term_of_its_timeout_has_timed_out() {
    let folder = Folder::new();
    let ended = timed_out(|timeout| {
        folder.run("--timeout").args([timeout, "sleeper", "--exit-on-term", "0", "{}", ":::", "100"])
    });
    ended.printed("ready\n").said("  100: timed out (exit 0), ");
}

#[test]
fn a_whole_group_is_ended_by_a_timeout() {
    let folder = Folder::new();
    let script = "sleep 100 & echo $! > pid; echo ready; wait";
    timed_out(|timeout| folder.run("--timeout").args([timeout, "sh", "-c", script, ":::", "a"]));
    let pid = folder.read("pid");
    crate::wait_for("the child of the job is gone", || !crate::lives(&pid));
}

#[test]
fn a_timeout_that_is_long_enough_changes_nothing() {
    Folder::new().run("--timeout 1h30m echo ::: a").end().exited(0).printed("a\n").silent();
}

#[test]
fn the_summary_shows_the_last_lines_of_a_failures_standard_error() {
    let ended = Folder::new().run("sh -c").args(["seq 9 >&2; echo; exit 1", ":::", "key"]).end().exited(1);
    let text = ended.error_text();
    let summary = text.split_once("procpool: ").unwrap().1;
    let expected = ["    | 7", "    | 8", "    | 9", "    again: sh -c 'seq 9 >&2; echo; exit 1' key"];
    assert_eq!(summary.lines().skip(2).collect::<Vec<_>>(), expected, "{text}");
}

#[test]
fn the_summary_can_not_garble_a_terminal() {
    let script = "printf 'bad \\033[2J\\007 \\303\\251\\n' >&2; exit 1";
    let ended = Folder::new().run("sh -c").args([script, ":::", "k\x1b[31m\ney"]).end().exited(1);
    // The job's own output comes first, unchanged.
    let text = ended.error_text();
    let summary = text.split_once("procpool: ").unwrap().1;
    assert!(!summary.contains(['\x1b', '\x07']), "{summary:?}");
    assert!(summary.contains("\n  k\\u{1b}[31m\\ney: exit 1, "), "{summary:?}");
    assert!(summary.contains("    | bad \\u{1b}[2J\\u{7} é\n"), "{summary:?}");
}

#[test]
fn more_than_20_failures_are_counted() {
    let keys: Vec<String> = (1..=25).map(|n| format!("k{n}")).collect();
    let ended = Folder::new().run("-j1 false :::").args(&keys).end().exited(1);
    let ended = ended.said("25 jobs: 25 failed; ").said("\n  k20: exit 1").said("\n  and 5 more\n");
    let text = ended.error_text();
    // The counts, two lines for each of 20 jobs, a line about the others, and the counts again, because the
    // first ones have left the screen.
    assert_eq!(text.lines().count(), 43);
    assert_eq!(text.lines().next(), text.lines().last());
}

#[test]
fn a_job_has_nothing_on_standard_input_even_where_procpool_has_more() {
    let folder = Folder::new();
    folder
        .run("-k sh -c")
        .args(["cat; echo {}"])
        .input("1\n2\n3\n")
        .end()
        .exited(0)
        .printed("1\n2\n3\n")
        .silent();
    let script = "[ \"$(readlink /proc/self/fd/0)\" = /dev/null ]";
    folder.run("sh -c").args([script, ":::", "x"]).input("more\n").end().exited(0).silent();
}

#[test]
fn a_job_has_the_three_standard_descriptors_and_no_other() {
    let folder = Folder::new();
    // The last one is the folder that is being listed.
    let list = "exec 5<procpool 7>/dev/null; exec procpool run -k -- sh -c 'ls /proc/self/fd' ::: 1 2 3";
    folder.write("procpool", "");
    folder.sh(list).end().exited(0).printed("0\n1\n2\n3\n".repeat(3)).silent();
}

#[test]
fn a_descendant_that_holds_the_output_is_ended_and_the_job_is_a_success() {
    let folder = Folder::new();
    let command = "sleeper {} --hold-stdout 100 --pid-file pid ::: 0";
    folder.run(command).end().exited(0).printed("time slept:0\n");
    let pid = folder.read("pid");
    crate::wait_for("the descendant is gone", || !crate::lives(&pid));
}

#[test]
fn a_leak_is_named_in_the_summary() {
    let folder = Folder::new();
    let command = "-k sleeper 0 --quiet --hold-stdout 100 --exit {} ::: 0 7";
    folder
        .run(command)
        .end()
        .exited(1)
        .said("2 leaked a process")
        .said("  7: exit 7, leaked, ")
        .said("  0: exit 0, leaked, ");
    // Also if all succeeded and standard error is no terminal, because the descendant's later output is
    // missing.
    let ended = folder.run("sleeper {} --quiet --hold-stdout 100 ::: 0").end();
    ended.exited(0).said("1 leaked a process");
    let terminal = Terminal::new();
    terminal.run(&folder, "sleeper {} --hold-stdout 100 ::: 0").end().exited(0);
    terminal.shows("1 leaked a process");
    terminal.shows("  0: exit 0, leaked, ");
}

#[test]
fn on_a_terminal_a_success_has_a_summary_too() {
    let terminal = Terminal::new();
    Folder::new().run("echo ::: a b").stderr(terminal.device()).end().exited(0);
    terminal.shows("procpool: 2 jobs: 2 succeeded; ");
}

#[test]
fn a_thousand_failures_lose_nothing() {
    let values: Vec<String> =
        (0..500).map(|n| if n % 2 == 0 { "true" } else { "no-such" }.to_owned()).collect();
    let ended = Folder::new().run("-j8 {} :::").args(&values).end().exited(1);
    ended.said("500 jobs: 250 succeeded, 250 failed; ").said("and 230 more");
}

#[test]
fn the_exit_status_may_count_failures_or_be_the_largest_of_a_job() {
    let folder = Folder::new();
    let run = |words: &str| folder.run(words).args(["sh", "-c", "exit {}", ":::", "0", "7", "3"]).end();
    run("--exit-code count").exited(2);
    run("--exit-code max").exited(7);
    folder.run("--exit-code max --timeout 50ms sleep ::: 0 100").end().exited(124);
    folder.run("--exit-code max --exit-code count true ::: 1 2").end().exited(0);
    let many: Vec<String> = (1..=120).map(|n| n.to_string()).collect();
    folder.run("--exit-code count false :::").args(many).end().exited(101);
    // A status that is not a count of failures can't be mistaken for one.
    folder.run("--exit-code count cat").input("a\0\n").end().exited(255);
    let full = std::fs::File::create("/dev/full").unwrap();
    folder.run("--exit-code max echo ::: 1").stdout(full).end().exited(255);
    folder.run("--exit-code sum true ::: 1").end().exited(2).said("--exit-code").said("count");
}
