//! Limits set with `ulimit`: if one is reached, procpool names it, and is never killed by it.

use crate::{Ended, Folder, lines};

/// The given values were printed, each once, in any order.
#[track_caller]
fn printed_all(ended: &Ended, jobs: u32) {
    let mut numbers: Vec<u32> = ended.text().lines().map(|line| line.parse().unwrap()).collect();
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(1..=jobs), "{}", ended.describe());
}

/// Either all jobs have run, or procpool says which limit is too low.
#[track_caller]
fn ran_or_named(ended: Ended, jobs: u32, limit: &str) {
    match ended.status.code() {
        Some(0) => printed_all(&ended, jobs),
        _ => drop(ended.exited(3).said(limit)),
    }
}

const RECORDS: &str = "--results R --joblog L --events E --junit U";

#[test]
fn no_file_of_a_run_gets_too_large_without_the_name_of_the_limit() {
    let kinds = [
        ("--journal J -- echo", ""),
        ("-k --journal J -- seq 1000", ""),
        ("--journal J --durable -- seq 1000", ""),
        ("--output lines --journal J -- seq 1000", ""),
        ("--results R -- seq 1000", ""),
        ("--joblog L -- echo", ""),
        ("--events E -- echo", ""),
        ("--junit U -- echo", ""),
        ("-- echo", "> out"),
        ("-- sleeper 0 --quiet --stdout-bytes 1M --byte-seed", "> out"),
        ("-k -- sleeper 0 --quiet --stdout-bytes 1M --byte-seed", ""),
        ("--dry-run -- echo", "> out"),
    ];
    for (words, to) in kinds {
        for blocks in [1, 3, 8] {
            let script = format!("ulimit -c 0; ulimit -f {blocks}; procpool run -j2 {words} {to}");
            let ended = Folder::new().sh(&script).input(lines(3000)).end();
            assert_eq!(ended.status.code(), Some(3), "{script}: {}", ended.describe());
            ended.said("File too large").said("`ulimit -f` allows ");
        }
    }
}

#[test]
fn a_list_that_gets_too_large_is_named_with_the_number_of_bytes() {
    // The size of a block of `ulimit` depends on the shell, and procpool doesn't need to know it.
    let folder = Folder::new();
    let script = "ulimit -f 3; procpool run --joblog L -- true; grep 'Max file size' /proc/self/limits";
    let ended = folder.sh(script).input(lines(1000)).end();
    let bytes = ended.text().split_whitespace().nth(3).unwrap().to_owned();
    ended.said(&format!("`ulimit -f` allows {bytes} bytes: raise it"));
}

#[test]
fn what_only_tells_something_names_the_limit_of_its_output_too() {
    let folder = Folder::new();
    folder.sh("procpool run --journal J -- echo").input(lines(100)).end().exited(0);
    for words in ["man", "completions bash", "ls J", "export J --format csv"] {
        let ended = folder.sh(&format!("ulimit -c 0; ulimit -f 1; procpool {words} > out")).end().exited(3);
        ended.said("can't write to standard output").said("`ulimit -f` allows ");
    }
}

#[test]
fn a_job_dies_of_a_file_that_gets_too_large_as_without_procpool() {
    let script = "ulimit -c 0; ulimit -f 1; procpool run --shell -- 'exec seq 10000 > {}' ::: out";
    let ended = Folder::new().sh(script).end().exited(1);
    ended.said("SIGXFSZ");
}

#[test]
fn a_large_file_that_procpool_was_told_to_ignore_stays_ignored() {
    let script = "trap '' XFSZ; ulimit -f 1; procpool run --joblog L -- true";
    Folder::new().sh(script).input(lines(1000)).end().exited(3).said("`ulimit -f` allows ");
}

#[test]
fn however_little_address_space_there_is_procpool_runs_all_jobs_or_names_the_limit() {
    for kilobytes in [60_000, 100_000, 140_000, 330_000] {
        for (options, jobs) in [("-j1", 10), ("-j64 --journal J", 100), ("-j500", 500)] {
            let script = format!("ulimit -c 0; ulimit -v {kilobytes}; procpool run {options} echo");
            ran_or_named(Folder::new().sh(&script).input(lines(jobs)).end(), jobs, "`ulimit -v` allows ");
        }
    }
}

#[test]
fn with_the_address_space_of_a_few_threads_as_many_run_as_have_room_and_none_is_lost() {
    for options in ["-j64", "-j500", &format!("-j64 --journal J {RECORDS}")] {
        let script = format!("ulimit -c 0; ulimit -v 200000; procpool run {options} echo");
        let ended = Folder::new().sh(&script).input(lines(500)).end().exited(0).silent();
        printed_all(&ended, 500);
    }
}

#[test]
fn a_limit_of_data_is_kept_to_like_one_of_address_space() {
    for kilobytes in [5_000, 20_000, 60_000] {
        let script = format!("ulimit -c 0; ulimit -d {kilobytes}; procpool run -j500 echo");
        ran_or_named(Folder::new().sh(&script).input(lines(500)).end(), 500, "`ulimit -d` allows ");
    }
}

#[test]
fn a_list_that_has_no_room_in_memory_ends_procpool_with_the_name_of_the_limit() {
    let folder = Folder::new();
    folder.sh("yes 0123456789012345678901234567890123456789 | head -n 2000000 > long").end().exited(0);
    let script = "ulimit -c 0; ulimit -v 100000; procpool run touch ::: ran :::: long";
    let ended = folder.sh(script).end().exited(3).printed("");
    ended.said("procpool: no memory for ").said("`ulimit -v` allows 100000 kB: raise it");
    assert!(!folder.has("ran"));
}

#[test]
fn jobs_of_a_run_that_is_out_of_memory_are_ended() {
    let folder = Folder::new();
    // Jobs that wait for a retry are kept in memory, with a value of 50 kB and an output of 60 kB each.
    folder.write_program(
        "job",
        "#!/bin/sh\n[ $1 != sleeps ] || { echo $$ > pid; exec sleep 1000; }\nuntil [ -s pid ]; do :; done\n\
         head -c 60000 /dev/zero; exit 1\n",
    );
    let script = "ulimit -c 0; ulimit -v 100000; \
                  { echo sleeps; yes \"$(head -c 50000 /dev/zero | tr '\\0' x)\"; } | \
                  procpool run -j4 --retries 1 --retry-delay 1h --retry-max-delay 1h ./job";
    let ended = folder.sh(script).end().exited(3);
    ended.said("procpool: no memory for ").said("`ulimit -v` allows 100000 kB: raise it");
    assert!(!crate::lives(folder.read("pid").trim()), "its job lives on");
}

#[test]
fn a_stack_that_is_too_small_is_named_before_anything_is_done() {
    for kilobytes in [32, 100, 500] {
        for words in ["run touch ::: ran", "--help"] {
            let folder = Folder::new();
            let script = format!("ulimit -c 0; ulimit -s {kilobytes}; procpool {words}");
            let ended = folder.sh(&script).end().exited(3).printed("");
            ended.said(&format!("`ulimit -s` allows {kilobytes} kB, 512 are needed"));
            assert!(!folder.has("ran"));
        }
    }
}

#[test]
fn a_stack_of_any_other_size_is_fine() {
    for kilobytes in ["512", "unlimited"] {
        let script = format!("ulimit -s {kilobytes}; procpool run -k -j8 {RECORDS} echo");
        Folder::new().sh(&script).input(lines(20)).end().exited(0).printed(lines(20)).silent();
    }
}

#[test]
fn however_few_descriptors_there_are_a_run_with_all_records_runs_all_jobs_or_names_the_limit() {
    let kinds = [
        "",
        RECORDS,
        "--journal J",
        "-k --output lines --journal J --results R --joblog L --events E --junit U",
    ];
    for options in kinds {
        // With fewer than six, the dynamic loader fails.
        for allowed in (6..=48).step_by(3) {
            let script = format!("ulimit -c 0; ulimit -n {allowed}; procpool run -j4 {options} echo");
            ran_or_named(Folder::new().sh(&script).input(lines(20)).end(), 20, "`ulimit -n` allows ");
        }
    }
}

#[test]
fn where_one_job_has_no_descriptors_it_is_said_how_many_are_needed_and_so_many_do() {
    for options in [RECORDS, "--journal J", &format!("--journal J {RECORDS}")] {
        let run = |allowed: u64| {
            let script = format!("ulimit -n {allowed}; procpool run -j4 {options} echo");
            Folder::new().sh(&script).input(lines(20)).end()
        };
        let ended = run(24).exited(3).printed("").said("`ulimit -n` allows 24 descriptors: raise it");
        let said = ended.error_text();
        let Some((_, rest)) = said.split_once("no job can be run with so few descriptors, ") else {
            // One of procpool's own descriptors could not be opened.
            assert!(said.contains("Too many open files"), "{said}");
            continue;
        };
        let needed = rest.split_whitespace().next().unwrap().parse().unwrap();
        assert!((25..64).contains(&needed), "{said}");
        printed_all(&run(needed).exited(0), 20);
    }
}

#[test]
fn records_have_their_descriptors_however_many_jobs_run_at_once() {
    for allowed in [64, 100, 256] {
        let script =
            format!("ulimit -n {allowed}; procpool run -j500 --journal J {RECORDS} -- sh -c 'echo {{}}'");
        let ended = Folder::new().sh(&script).input(lines(200)).end().exited(0);
        printed_all(&ended, 200);
    }
}

#[test]
fn a_procpool_whose_processor_time_is_used_up_ends_its_jobs_and_names_the_limit() {
    let folder = Folder::new();
    let script =
        "ulimit -c 0; ulimit -St 3000; exec procpool run sh -c 'echo $$ > pid; exec sleep 1000' ::: a";
    let run = folder.sh(script).start();
    crate::wait_for("the job", || folder.has("pid") && folder.read("pid").ends_with('\n'));
    folder.sh(&format!("kill -XCPU {}", run.pool())).end().exited(0);
    let ended = run.end().exited(3);
    ended.said("its own processor time is used up; `ulimit -t` allows 3000 seconds: raise it");
    assert!(!crate::lives(folder.read("pid").trim()), "its job lives on");
}

#[test]
fn a_job_whose_processor_time_is_used_up_dies_of_that_as_without_procpool() {
    let script = "ulimit -c 0; ulimit -St 1; procpool run -- sh -c 'while :; do :; done' ::: a";
    Folder::new().sh(script).end().exited(1).said("SIGXCPU");
}
