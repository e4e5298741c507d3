//! Options that decide when and how often jobs are started, and what ends a run early. The rules themselves
//! are tested in the library.

use std::time::{Duration, Instant};

use crate::{Folder, lines, wait_for};

/// Succeeds at the attempt that the value says, and records each attempt.
const STUBBORN: &str =
    "echo $PROCPOOL_ATTEMPT >> tries.$1; echo $1.$PROCPOOL_ATTEMPT; [ $PROCPOOL_ATTEMPT -ge $1 ]";

#[test]
fn a_job_that_fails_is_tried_again_and_its_last_output_is_printed() {
    let folder = Folder::new();
    let trial = folder.run("--retries 2 -k sh -c").args([STUBBORN, "sh", "{}", ":::", "1", "2", "3"]);
    trial.end().exited(0).printed("1.1\n2.2\n3.3\n");
    assert_eq!(folder.read("tries.3"), "1\n2\n3\n");
    let ended = folder.run("--retries 1 sh -c").args([STUBBORN, "sh", "{}", ":::", "4"]).end().exited(1);
    ended.printed("4.2\n").said("1 job: 1 failed, 1 tried again; ");
}

#[test]
fn only_the_failures_that_are_named_are_tried_again() {
    let attempts = |causes: &str, script: &str| {
        let folder = Folder::new();
        let trial = folder.run("--retries 3 --timeout 200ms --retry-on").args([causes, "sh", "-c"]);
        trial.args([&format!("echo >> tries; {script}"), ":::", "x"]).end().exited(1);
        folder.read("tries").lines().count()
    };
    assert_eq!(attempts("exit", "exit 3"), 4);
    assert_eq!(attempts("exit:75,signal", "exit 3"), 1);
    assert_eq!(attempts("exit:75,exit:3", "exit 3"), 4);
    assert_eq!(attempts("signal", "kill -9 $$"), 4);
    assert_eq!(attempts("timeout", "sleep 100"), 4);
    assert_eq!(attempts("exit,signal,spawn", "sleep 100"), 1);
    let missing =
        |words: &str| Folder::new().run(words).args(["/no/such/program", ":::", "x"]).end().exited(1);
    missing("--retries 3").said("1 job: 1 failed; ");
    missing("--retries 3 --retry-on spawn").said("1 job: 1 failed, 1 tried again; ");
}

#[test]
fn a_job_that_waits_for_its_retry_holds_no_slot_and_is_not_lost_where_the_run_ends() {
    let folder = Folder::new();
    let script = "echo out of {}; [ {} != bad ]";
    let words = "-j1 --retries 1 --retry-delay 1h sh -c";
    let running = folder.run(words).args([script, ":::", "bad", "good"]).start();
    running.has_printed("out of good\n");
    running.signal(rustix::process::Signal::USR2);
    let ended = running.end().exited(1);
    // The output of its last attempt is printed.
    ended.printed("out of good\nout of bad\n").said("2 jobs: 1 succeeded, 1 failed; ");
}

#[test]
fn a_pause_before_a_retry_is_kept() {
    let begun = Instant::now();
    Folder::new().run("--retries 2 --retry-delay 0.1 --retry-max-delay 0.15 false ::: x").end().exited(1);
    assert!(begun.elapsed() >= Duration::from_millis(250), "{:?}", begun.elapsed());
}

#[test]
fn the_first_failure_ends_the_run_where_that_is_asked_for() {
    let folder = Folder::new();
    for words in ["--fail-fast", "--halt now,fail=1", "--halt 2", "--halt-on-error now,fail=1"] {
        let script = "echo $PROCPOOL_SEQ; if [ {} = bad ]; then exit 7; fi; exec sleep 1000";
        let trial = folder.run(words).args(["-j2", "sh", "-c", script, ":::", "slow", "bad", "never"]);
        let ended =
            trial.end().exited(1).said("3 jobs: 1 failed, 1 stopped, 1 not run; ").said("  bad: exit 7");
        assert!(!ended.text().contains('3'), "{words}");
    }
}

#[test]
fn soon_lets_what_runs_finish() {
    let folder = Folder::new();
    let script = "if [ {} = bad ]; then exit 7; fi; until [ -e go ]; do sleep 0.01; done; echo finished";
    let running = folder
        .run("-j2 --halt soon,fail=1 --joblog log sh -c")
        .args([script, ":::", "slow", "bad", "never", "never"])
        .start();
    // A file that the job makes says only that it has run, and not that its end has been seen.
    wait_for("the end of the bad one is known", || folder.has("log") && folder.read("log").contains("\t7\t"));
    folder.write("go", "");
    running.end().exited(1).printed("finished\n").said("4 jobs: 1 succeeded, 1 failed, 2 not run; ");
}

#[test]
fn a_run_that_was_to_end_at_the_first_success_has_succeeded() {
    let folder = Folder::new();
    let script = "[ {} = 3 ] && exit 0; [ {} -gt 3 ] && exec sleep 1000; exit 1";
    let trial = folder.run("-j2 --halt now,success=1 sh -c").args([script, ":::", "4", "3", "5"]);
    trial.end().exited(0);
    // But not if one had failed before.
    let trial = folder.run("-j1 --halt now,success=1 sh -c").args([script, ":::", "1", "3", "5"]);
    trial.end().exited(1);
}

#[test]
fn a_rule_in_percent_counts_the_whole_input() {
    let folder = Folder::new();
    let values = lines(20);
    let trial = folder.run("-j1 --halt soon,fail=25% false").input(values.as_str());
    trial.end().exited(1).said("20 jobs: 5 failed, 15 not run; ");
}

#[test]
fn between_two_starts_lies_the_delay() {
    let folder = Folder::new();
    let begun = Instant::now();
    folder.run("-j4 --delay 0.1 true ::: 1 2 3 4").end().exited(0);
    assert!(begun.elapsed() >= Duration::from_millis(300), "{:?}", begun.elapsed());
}

#[test]
fn nothing_starts_while_the_machine_is_busier_than_it_may_be() {
    let folder = Folder::new();
    let busy = folder.sh(": > busy; until [ -e idle ]; do :; done").start();
    wait_for("the machine is busy", || folder.has("busy"));
    let running = folder.run("--load 1 touch ran ::: x").open_input().start();
    // procpool checks the load four times a second.
    let asked = Instant::now();
    wait_for("it has looked several times", || asked.elapsed() > Duration::from_secs(1));
    assert!(!folder.has("ran"));
    folder.write("idle", "");
    busy.end().exited(0);
    // Others may keep the machine busy forever, so the run is told to end.
    running.signal(rustix::process::Signal::TERM);
    running.end();
}

#[test]
fn nothing_starts_while_less_memory_is_available_than_has_to_be() {
    let folder = Folder::new();
    folder.run("--mem-free 1 touch ::: plenty").end().exited(0);
    assert!(folder.has("plenty"));
    let running = folder.run("--mem-free 1000T touch ::: scarce").open_input().start();
    let asked = Instant::now();
    wait_for("it has looked several times", || asked.elapsed() > Duration::from_secs(1));
    running.signal(rustix::process::Signal::USR2);
    running.end().exited(3).said("1 job: 1 not run; ");
    assert!(!folder.has("scarce"));
}

#[test]
fn a_timeout_in_percent_ends_a_job_that_began_before_it_was_known() {
    let folder = Folder::new();
    let script = "if [ {} = slow ]; then exec sleep 1000; else exec sleep 0.05; fi";
    let trial = folder.run("-j2 --timeout 400% sh -c").args([script, ":::", "slow", "1", "2", "3", "4"]);
    trial
        .end()
        .exited(1)
        .said("5 jobs: 4 succeeded, 1 failed; ")
        .said("  slow: timed out (killed by SIGTERM)");
}

#[test]
fn a_seed_makes_an_order_and_the_outputs_can_be_in_that_of_the_input_all_the_same() {
    let folder = Folder::new();
    let values = lines(50);
    let shuffled = |words: &str| {
        let ended = folder.run(words).arg("echo").input(values.as_str()).end().exited(0);
        ended.text().to_owned()
    };
    let first = shuffled("-j1 --shuffle --seed 7");
    assert_eq!(shuffled("-j1 --shuffle --seed 7"), first);
    assert_ne!(first, values);
    assert_ne!(shuffled("-j1 --shuffle --seed 8"), first);
    assert_ne!(shuffled("-j1 --shuf"), values);
    let mut sorted: Vec<u32> = first.lines().map(|line| line.parse().unwrap()).collect();
    sorted.sort_unstable();
    assert!(sorted.into_iter().eq(1..=50));
    assert_eq!(shuffled("-j4 -k --shuffle"), values);
}

#[test]
fn a_halt_that_leaves_jobs_is_said_even_where_none_failed() {
    let folder = Folder::new();
    let trial = folder.run("-j1 --halt soon,done=1 true ::: a b c");
    trial.end().exited(0).said("3 jobs: 1 succeeded, 2 not run; ");
    let trial = folder.run("-j2 --halt now,success=1 sleep ::: 0.1 1000 1000");
    trial.end().exited(0).said("3 jobs: 1 succeeded, 1 stopped, 1 not run; ");
}
