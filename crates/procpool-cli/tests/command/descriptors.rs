//! A limit that needs more descriptors than are allowed: which limit of descriptors is raised, when fewer
//! jobs run at once, and which limit jobs see.

use crate::Folder;

fn values(count: usize) -> String {
    (1..=count).fold(String::new(), |values, n| values + &n.to_string() + "\n")
}

/// A limit of descriptors that is allowed here, so that lower ones can be set.
const PLENTY: u64 = 1024;

#[test]
fn a_high_limit_raises_the_soft_limit_of_descriptors_and_jobs_get_the_old_one() {
    // Prints procpool's own limit, and the job's once it is set.
    let job = "grep 'open files' /proc/$PPID/limits; until [ $(ulimit -n) = 64 ]; do :; done";
    let folder = Folder::new();
    folder.write_program("job", &format!("#!/bin/sh\n{job}\n"));
    let ended = folder.sh("ulimit -Sn 64; procpool run -j100 ./job").input("a\nb\n").end();
    let ended = ended.exited(0).silent();
    let soft = |line: &str| line.split_whitespace().nth(3).unwrap().parse::<u64>().unwrap();
    let limits: Vec<u64> = ended.text().lines().map(soft).collect();
    assert_eq!(limits, [520, 520]);
}

#[test]
fn as_many_run_at_once_as_the_limit_says_whatever_the_soft_limit_was() {
    // 64 descriptors are enough for 14 jobs. No job ends before 40 have started.
    let script = ": > started.$1; until [ $(ls | grep -c started) -ge 40 ]; do sleep 0.01; done";
    let folder = Folder::new();
    folder.write_program("job", &format!("#!/bin/sh\n{script}\n"));
    folder.sh("ulimit -Sn 64; procpool run -j40 ./job").input(values(40)).end().exited(0).silent();
}

#[test]
fn a_limit_that_needs_no_more_leaves_the_soft_limit_alone() {
    let show = "sh -c 'grep \"open files\" /proc/$PPID/limits'";
    let ended = Folder::new().sh(&format!("ulimit -Sn {PLENTY}; procpool run {show}")).input("a\n").end();
    let ended = ended.exited(0).silent();
    assert_eq!(ended.text().split_whitespace().nth(3), Some(PLENTY.to_string().as_str()));
    // If the number of values is known, it counts and not the limit.
    let ended = Folder::new().sh(&format!("ulimit -Sn 64; procpool run -j600 {show} ::: a")).end();
    let ended = ended.exited(0).silent();
    assert_eq!(ended.text().split_whitespace().nth(3), Some("64"));
}

#[test]
fn a_limit_past_the_hard_limit_is_clamped_with_one_warning() {
    let script = "ulimit -n 64; procpool run -j600 -k sleeper 0.0{} --quiet --stamp stamps --key {}";
    let folder = Folder::new();
    let ended = folder.sh(script).input(values(60)).end().exited(0).printed("");
    assert_eq!(ended.error_text().lines().count(), 1);
    ended.said("procpool: running 8 jobs at a time, not 600: only 64 descriptors").said("ulimit -n");
    let ran = sleeper::stamp::read(&folder.file("stamps")).unwrap();
    assert!(ran.len() == 60 && sleeper::stamp::peak(&ran) <= 8, "{ran:?}");
}

#[test]
fn the_default_limit_is_never_clamped_and_loses_nothing_however_few_descriptors_there_are() {
    for allowed in [20, 17] {
        let script = format!("ulimit -n {allowed}; procpool run -k -- echo");
        let ended = Folder::new().sh(&script).input(values(100)).end().exited(0).printed(values(100));
        // A lack of room for four at once is reported at most once, if it occurs at all.
        let said = ended.error_text();
        assert!(said.is_empty() || said.starts_with("procpool: no room for another process: "), "{said}");
        assert!(said.lines().count() <= 1, "{said}");
    }
    let ended = Folder::new().sh("ulimit -n 20; procpool run -j1 -- echo").input("a\n").end();
    ended.exited(0).printed("a\n").silent();
}
