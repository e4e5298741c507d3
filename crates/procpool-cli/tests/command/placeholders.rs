//! The placeholders of a command, and the environment of a job.

use std::collections::HashMap;

use sleeper::stamp;

use crate::Folder;

#[test]
fn each_placeholder_is_a_part_of_the_value() {
    for (placeholder, value, expected) in [
        ("{}", "dir/name.tar.gz", "dir/name.tar.gz"),
        ("{.}", "dir/name.tar.gz", "dir/name.tar"),
        ("{/}", "dir/name.tar.gz", "name.tar.gz"),
        ("{//}", "dir/name.tar.gz", "dir"),
        ("{/.}", "dir/name.tar.gz", "name.tar"),
        ("{#}", "dir/name.tar.gz", "1"),
        ("{%}", "dir/name.tar.gz", "1"),
        ("{key}", "dir/name.tar.gz", "dir/name.tar.gz"),
        ("{.}", "dir.d/name", "dir.d/name"),
        ("{//}", "name", "."),
        ("{//}", "/name", "/"),
        ("{/}", "", ""),
    ] {
        let trial = Folder::new().run("printf <%s>").args([placeholder, ":::", value]);
        trial.end().exited(0).printed(format!("<{expected}>")).silent();
    }
}

#[test]
fn the_number_counts_the_input_from_1() {
    Folder::new().run("-k echo {#}:{} ::: a b c").end().exited(0).printed("1:a\n2:b\n3:c\n").silent();
    Folder::new().run("-k echo {#}:{}").input("a\n\nc").end().exited(0).printed("1:a\n2:\n3:c\n").silent();
}

#[test]
fn placeholders_stand_anywhere_and_each_word_stays_one_argument() {
    let folder = Folder::new();
    let ended = folder.run("printf <%s> a{}b{#}{}c --x={/} {} :::").arg("v w").end();
    ended.exited(0).printed("<av wb1v wc><--x=v w><v w>").silent();
}

#[test]
fn the_program_may_be_a_placeholder_too() {
    Folder::new().run("-k {} ::: pwd false true").end().exited(1).said("  false: exit 1");
}

#[test]
fn without_a_placeholder_the_value_is_the_last_argument() {
    Folder::new().run("-k printf <%s> x ::: a b").end().exited(0).printed("<x><a><x><b>").silent();
}

#[test]
fn other_braces_mean_themselves() {
    let folder = Folder::new();
    for literal in ["${HOME}", "{1..3}", "{\"a\": {\"b\": [1, {}]}", "{ }", "{", "}", "{x}", "{0}", "{{.}"] {
        let expected = literal.replace("{}", "v").replace("{.}", "v");
        let ended = folder.run("printf <%s>").args([literal, "{}", ":::", "v"]).end();
        ended.exited(0).printed(format!("<{expected}><v>")).silent();
    }
    folder.write("list", "one two\n");
    folder.run("awk").args(["{print $2}", ":::", "list"]).end().exited(0).printed("two\n").silent();
}

#[test]
fn a_value_that_looks_like_a_placeholder_is_left_as_it_is() {
    Folder::new().run("echo {}{#} ::: {#}{}").end().exited(0).printed("{#}{}1\n").silent();
}

#[test]
fn no_two_jobs_have_the_same_slot_at_the_same_time() {
    let folder = Folder::new();
    let values: Vec<String> = (1..=40).map(|n| n.to_string()).collect();
    let trial = folder.run("-j4 sleeper 0.02 --quiet --stamp stamps --key {%} :::").args(&values);
    trial.end().exited(0).printed("").silent();

    let mut last_end = HashMap::new();
    let ran = stamp::read(&folder.file("stamps")).unwrap();
    assert_eq!(ran.len(), 40);
    for interval in ran {
        let before = last_end.insert(interval.key.clone(), interval.end.unwrap());
        let key = String::from_utf8(interval.key).unwrap();
        assert!(["1", "2", "3", "4"].contains(&&*key), "slot {key}");
        assert!(before.is_none_or(|before| before <= interval.start), "slot {key} was used twice at once");
    }
}

const SHOW: &str = "echo $PROCPOOL_KEY,$PROCPOOL_SEQ,$PROCPOOL_SLOT,$PROCPOOL_ATTEMPT";

#[test]
fn a_job_finds_its_key_number_slot_and_attempt_in_its_environment() {
    let trial = Folder::new().run("-j1 sh").args(["-c", SHOW, ":::", "a", "b c"]);
    trial.end().exited(0).printed("a,1,1,1\nb c,2,1,1\n").silent();
}

#[test]
fn a_job_finds_the_environment_of_procpool_but_no_outer_jobs_key() {
    let trial = Folder::new().run("printenv OURS PROCPOOL_KEY {} ::: PATH");
    let ended = trial.env("OURS", "inherited").env("PROCPOOL_KEY", "outer").end().exited(0).silent();
    assert!(ended.text().starts_with("inherited\nPATH\n/"), "{}", ended.text());
}

#[test]
fn a_procpool_within_a_job_is_like_any_other() {
    let ended =
        Folder::new().sh("seq 2 | procpool run -k -- sh -c 'seq {} | procpool run -k -- echo {}'").end();
    ended.exited(0).printed("1 1\n2 1\n2 2\n").silent();
}
