//! Options: what is understood, and what is refused before anything is started.

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
fn what_is_unknown_is_refused_with_the_usage() {
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
