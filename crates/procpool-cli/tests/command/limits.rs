//! How many jobs run at once, and how little memory procpool itself needs.

use std::collections::HashSet;

use sleeper::stamp;

use crate::Folder;

fn numbers(count: usize) -> Vec<String> {
    (1..=count).map(|n| n.to_string()).collect()
}

#[test]
fn never_more_run_than_the_limit_allows() {
    for limit in [1, 3, 8] {
        let folder = Folder::new();
        let options = format!("-j{limit} sleeper 0.02 --quiet --stamp stamps --key {{}} :::");
        folder.run(&options).args(numbers(64)).end().exited(0).printed("").silent();
        let ran = stamp::read(&folder.file("stamps")).unwrap();
        assert!(stamp::peak(&ran) <= limit, "{} at once", stamp::peak(&ran));
        let keys: HashSet<_> = ran.iter().map(|interval| &interval.key).collect();
        assert_eq!((ran.len(), keys.len()), (64, 64), "each is run, and none is run twice");
        assert!(ran.iter().all(|interval| interval.end.is_some()));
    }
}

/// No job ends before this many have started.
const TOGETHER: &str = ": > started.{}; until [ $(ls | grep -c started) -ge $LIMIT ]; do sleep 0.01; done";

#[test]
fn as_many_run_as_the_limit_allows() {
    for (options, limit) in [("-j8", 8), ("-j64", 64), ("", 4)] {
        let trial = Folder::new().run(options).args(["sh", "-c", TOGETHER, ":::"]).args(numbers(limit));
        trial.env("LIMIT", &limit.to_string()).end().exited(0).silent();
    }
}

#[test]
fn a_limit_that_the_machine_can_not_hold_loses_no_job() {
    // 20 descriptors are enough for four jobs at once, not for fifty.
    let values = numbers(60);
    let script = "ulimit -n 20; procpool run -k -j50 -- sh -c 'head -c 100000 /dev/zero; echo {}' ::: ";
    let ended = Folder::new().sh(&format!("{script}{}", values.join(" "))).end().exited(0);
    let ended = ended.said("running 4 jobs at a time, not 50: only 20 descriptors are allowed");
    let expected: String = values.iter().map(|value| "\0".repeat(100_000) + value + "\n").collect();
    ended.printed(expected);
}

#[test]
fn auto_is_as_many_as_there_are_processors_to_use() {
    let processors = std::thread::available_parallelism().unwrap().get();
    let folder = Folder::new();
    let trial = folder.run("-j auto").args(["sh", "-c", TOGETHER, ":::"]).args(numbers(processors));
    trial.env("LIMIT", &processors.to_string()).end().exited(0).silent();
    let one = "taskset -c \"$(taskset -cp $$ | sed 's/.*: //; s/[,-].*//')\" \
               procpool run -j auto -- sleeper 0.02 --quiet --stamp stamps --key {} ::: 1 2 3 4 5 6";
    folder.sh(one).end().exited(0).silent();
    assert_eq!(stamp::peak(&stamp::read(&folder.file("stamps")).unwrap()), 1);
}

/// The last job shows the peak memory of procpool, its parent.
const SHOW_MEMORY: &str = "[ $PROCPOOL_SEQ != 1000 ] || grep VmHWM /proc/$PPID/status";

#[test]
fn a_list_far_longer_than_the_memory_it_may_use_is_run() {
    for options in ["", "-k"] {
        // 20 MB of values: a procpool that kept them or their keys, or read ahead, would exceed the bound.
        let values = format!("{}\n", "x".repeat(20_000)).repeat(1000);
        let ended = Folder::new().run(options).args(["sh", "-c", SHOW_MEMORY]).input(values).end();
        let ended = ended.exited(0).silent();
        let kilobytes: u64 = ended.text().split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!(kilobytes < 20_000, "{kilobytes} kB");
    }
}

#[test]
fn many_jobs_need_little_memory() {
    let folder = Folder::new();
    folder.write_program("show", "#!/bin/sh\ngrep VmHWM /proc/$PPID/status\n");
    let ended = folder.sh("{ yes true | head -n 5000; echo ./show; } | procpool run -k {}").end();
    let ended = ended.exited(0).silent();
    let kilobytes: u64 = ended.text().split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(kilobytes < 20_000, "{kilobytes} kB");
}

#[test]
fn a_limit_far_above_the_number_of_jobs_is_fine() {
    Folder::new().run("-j1000 -k echo ::: a b").end().exited(0).printed("a\nb\n").silent();
}
