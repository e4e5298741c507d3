//! No two attempts of a job run at the same time, even if a descendant has cleared its environment and left
//! its session.

use serde_json::Value;
use sleeper::needs;

use crate::{Folder, lives};

/// Runs a shell script into its timeout, with one retry, and checks that the two attempts didn't overlap.
/// `$clerk` is a script that ignores TERM and appends lines to the file `$1`, each of which begins with `$0`.
#[track_caller]
fn attempts_of(script: &str) {
    let clerk = "trap \"\" TERM; while :; do echo $0 $$; sleep .02; done >> \"$1\"";
    let script = format!("{script}\n: {{}}");
    for timeout in ["0.5", "2", "8", "30"] {
        let folder = Folder::new();
        folder.sh("chmod 777 . && : > log && chmod 666 log").end().exited(0);
        let log = folder.file("log");
        let options = ["--timeout", timeout, "--grace", "0.1", "--retries", "1", "--retry-delay", "0"];
        let trial = folder.run("--shell").args(options).args(["--", &script, ":::", "a"]);
        trial.env("clerk", clerk).env("log", &log.to_string_lossy()).end().exited(1).said("timed out");
        let text = folder.read("log");
        let mut attempts: Vec<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
        attempts.dedup();
        for pid in text.lines().filter_map(|line| line.split(' ').nth(1)) {
            assert!(!lives(pid), "{pid} lives on");
        }
        match attempts[..] {
            ["1", "2"] => return,
            // The machine was too slow for one of the attempts.
            [] | ["1" | "2"] => {}
            _ => panic!("the attempts ran side by side: {attempts:?}"),
        }
    }
    panic!("no attempt had the time to write anything");
}

#[test]
fn one_without_a_mark_in_a_session_of_its_own_is_gone_before_the_next_attempt() {
    attempts_of("env -i setsid sh -c \"$clerk\" $PROCPOOL_ATTEMPT \"$log\" & wait");
}

#[test]
fn so_is_one_whose_parent_ends_by_the_timeout_and_leaves_an_orphan() {
    // The job forwards the signal to the leader of the other session, and exits at once.
    attempts_of(
        "env -i setsid sh -c 'sh -c \"$0\" $1 \"$2\" & wait' \"$clerk\" $PROCPOOL_ATTEMPT \"$log\" & there=$!
        trap 'kill $there; exit' TERM; wait",
    );
}

#[test]
fn so_is_one_that_was_forked_twice_and_kept_its_mark() {
    attempts_of("(setsid sh -c \"$clerk\" $PROCPOOL_ATTEMPT \"$log\" &) ; sleep 1000");
}

#[test]
fn so_is_what_another_user_runs_by_su() {
    needs!(Root);
    // The quotes get through su(1): its command is one word, and nothing of the environment is left.
    attempts_of(
        "su - nobody -s /bin/sh -c \"trap '' TERM
            while :; do echo $PROCPOOL_ATTEMPT \\$\\$; sleep .02; done >> $log\"",
    );
}

#[test]
fn what_can_not_be_killed_is_waited_for_a_while_then_said_and_recorded() {
    needs!(Root);
    let folder = Folder::new();
    // A set-user-ID program of root's, setpriv(1) itself, so that a job can become root.
    folder
        .sh("chmod 777 . && cp \"$(command -v procpool)\" tool && install -m 4755 $(command -v setpriv) rise")
        .end();
    let job = "./rise --reuid 0 --clear-groups sleep 8; :";
    let words = format!(
        "setpriv --reuid 61238 --regid 61238 --clear-groups ./tool run --shell --journal j --events log \
         --results r --timeout 0.5 --grace 0.1 -- '{job}' ::: a"
    );
    let ended =
        folder.sh(&words).end().exited(1).said("procpool: a: process ").said(" (sleep) could not be killed");
    assert_eq!(ended.error_text().matches("could not be killed").count(), 1);
    let of = |text: &str| {
        let records = serde_json::from_str::<Value>(text).map_or_else(
            |_| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
            |whole| vec![whole],
        );
        records.iter().find_map(|record| record.get("survivors").cloned()).expect("nobody survived")
    };
    for record in ["log", "j/journal.jsonl", "r/a/meta.json"] {
        let survivors = of(&folder.read(record));
        assert_eq!(survivors[0]["program"], "sleep", "{record}");
        assert!(survivors[0]["pid"].is_u64(), "{record}");
    }
    let shown = folder.sh("procpool show j a").end().exited(0);
    assert!(shown.text().contains("sleep lives on as process "), "{}", shown.text());
}
