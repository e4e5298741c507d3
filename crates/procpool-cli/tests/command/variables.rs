//! Options that are set by environment variables.

use crate::Folder;

#[test]
fn an_option_that_is_not_typed_is_taken_from_its_variable() {
    let folder = Folder::new();
    let trial = |words| folder.run(words).env("PROCPOOL_TAG", "yes").env("PROCPOOL_LIMIT", "1");
    trial("echo {%} ::: a b").end().exited(0).printed("a\t1\nb\t1\n").silent();
    trial("-j2 true ::: a").env("PROCPOOL_LIMIT", "none").end().exited(0).silent();
}

#[test]
fn a_switch_may_be_off_and_an_empty_variable_is_none() {
    let folder = Folder::new();
    for value in ["no", "0", "false", ""] {
        folder.run("echo ::: a").env("PROCPOOL_TAG", value).end().exited(0).printed("a\n").silent();
    }
    folder.run("echo ::: a").env("PROCPOOL_LIMIT", "").end().exited(0).printed("a\n").silent();
}

#[test]
fn a_bad_value_is_refused_by_the_variables_name() {
    let folder = Folder::new();
    for (name, value) in [
        ("PROCPOOL_LIMIT", "0"),
        ("PROCPOOL_TAG", "maybe"),
        ("PROCPOOL_TIMEOUT", "soon"),
        ("PROCPOOL_ON_LEAK", "x"),
    ] {
        let ended = folder.run("touch ran ::: a").env(name, value).end().exited(2).printed("");
        ended.said(name).said(value);
    }
    assert!(!folder.has("ran"));
}

#[test]
fn variables_that_exclude_each_other_are_refused_and_what_is_typed_wins() {
    let folder = Folder::new();
    let both = |words| folder.run(words).env("PROCPOOL_NULL", "1").env("PROCPOOL_DELIMITER", ",");
    both("echo").input("a").end().exited(2).said("PROCPOOL_NULL").said("PROCPOOL_DELIMITER");
    both("-k -d: echo").input("a:b,c").end().exited(0).printed("a\nb,c\n").silent();
}

#[test]
fn what_jobs_are_given_is_no_option_of_a_procpool_within() {
    let inner = "procpool run echo {key} ::: x";
    let outer = Folder::new().run("-I @ -- sh -c").arg(inner).args(["@", ":::", "a"]);
    outer.end().exited(0).printed("x\n").silent();
}
