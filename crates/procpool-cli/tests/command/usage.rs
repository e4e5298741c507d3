//! Options: which are accepted, and which are refused before any job starts.

use crate::{Folder, PROCPOOL, Trial};

#[track_caller]
fn refused(trial: Trial, says: &str) {
    trial.end().exited(2).printed("").said(says);
}

#[test]
fn a_limit_has_several_names() {
    let folder = Folder::new();
    for options in ["-j2", "-j 2", "-P2", "-P 2", "--limit 2", "--limit=2", "--jobs 2", "--jobs=2", "-j 002"]
    {
        folder.run(options).args(["-k", "echo", ":::", "a", "b"]).end().exited(0).printed("a\nb\n").silent();
    }
}

#[test]
fn of_an_option_given_twice_the_last_counts() {
    let options = "-j1 -j2 --timeout 1ms --timeout 1h -k -k --tag --tag echo ::: a";
    Folder::new().run(options).end().exited(0).printed("a\ta\n").silent();
}

#[test]
fn a_limit_that_is_none_is_refused() {
    let folder = Folder::new();
    for limit in ["0", "-100000", "0%", "+", "abc", "", "1.5", "2x", "99999999999999999999999"] {
        refused(folder.run("-j").args([limit, "touch", "ran", ":::", "a"]), "--limit");
        refused(folder.run("--jobs").args([limit, "touch", "ran", ":::", "a"]), "--limit");
    }
    refused(folder.run("-j"), "--limit");
    assert!(!folder.has("ran"));
}

#[test]
fn a_time_that_is_none_is_refused() {
    let folder = Folder::new();
    for time in ["0", "-1", "abc", "", "-1s", "0s", "5x", "inf", "nan"] {
        refused(folder.run("--timeout").args([time, "touch", "ran", ":::", "a"]), "--timeout");
    }
    assert!(!folder.has("ran"));
}

#[test]
fn a_time_may_have_any_unit() {
    for time in ["30", "0.5d", "90s", "5m", "1h30m", "2d", "99999999999"] {
        Folder::new()
            .run("--timeout")
            .args([time, "echo", ":::", "a"])
            .end()
            .exited(0)
            .printed("a\n")
            .silent();
    }
}

#[test]
fn what_is_unknown_is_refused_with_what_is_like_it() {
    let folder = Folder::new();
    refused(folder.run("--no-such-option echo ::: a"), "--no-such-option");
    refused(folder.run("-x echo ::: a"), "-x");
    refused(folder.run("--keep-ordr echo ::: a"), "--keep-order");
    refused(folder.command(PROCPOOL).arg("rnu"), "rnu");
    refused(folder.command(PROCPOOL).arg("--tag"), "--tag");
}

#[test]
fn no_command_is_refused_with_an_example() {
    let folder = Folder::new();
    for words in ["::: a", "-- ::: a", "-k ::: a"] {
        refused(folder.run(words), "no command to run; for example: procpool run");
    }
    refused(folder.run("").args(["", ":::", "a"]), "first word is empty");
}

#[test]
fn options_end_at_the_command() {
    Folder::new().run("-k echo -j0 --tag {} ::: a").end().exited(0).printed("-j0 --tag a\n").silent();
    Folder::new().run("-k -- echo -- {} ::: a").end().exited(0).printed("-- a\n").silent();
}

#[test]
fn an_option_of_xargs_or_gnu_parallel_is_answered_with_what_to_write_here() {
    let folder = Folder::new();
    for (words, says) in [
        ("--colsep , echo {1} ::: a", "unknown option '--colsep': `--csv` and `--tsv`"),
        ("--colsep=, echo {1} ::: a", "unknown option '--colsep':"),
        ("-L1 echo", "unknown option '-L': each line is one value"),
        ("-ku echo ::: a", "unknown option '-u': write `--output raw`"),
        ("--lb echo ::: a", "write `--output lines`"),
        ("--will-cite echo ::: a", "there is nothing to cite"),
        ("-S host echo ::: a", "on this machine"),
    ] {
        refused(folder.run(words), says);
    }
}

#[test]
fn every_refusal_names_what_is_wrong_and_what_is_right() {
    let folder = Folder::new();
    for (words, says) in [
        ("-j", "a value is missing for '--limit <N>'"),
        ("--on-leak no true", "invalid value 'no' for '--on-leak <WHAT>'; give one of: kill, wait, keep"),
        ("--on-leak", "a value is missing for '--on-leak <WHAT>'; give one of: kill, wait, keep"),
        ("--tag=x true", "'--tag' takes no value, but was given 'x'; write '--tag' alone"),
        ("--csv --tsv true", "'--csv' cannot be used with '--tsv'; leave one out"),
        ("-f x true", "'--file <FILE>' cannot be used with a command; leave one out"),
        ("--retries x true", "invalid value 'x' for '--retries <N>': give a whole number"),
        ("--retries -1 true", "invalid value '-1' for '--retries <N>': give a number from 0 to 4294967295"),
        ("--nice 99 true", "invalid value '99' for '--nice <N>': give a number from -20 to 19"),
    ] {
        refused(folder.run(words), &format!("procpool: {says}\n"));
    }
    for (words, says) in [
        (&["-j8", "gzip"][..], "'-j' is an option of `procpool run`; write `procpool run -j …`"),
        (&["gzip", "a"], "unknown word 'gzip'; a command is run by `procpool run -- gzip …`"),
        (&["completion"], "unknown word 'completion'; there is 'completions'"),
        (&["man", "x"], "unexpected word 'x'"),
        (&["completions"], "'<SHELL>' is missing"),
    ] {
        refused(folder.command(PROCPOOL).args(words), says);
    }
}
