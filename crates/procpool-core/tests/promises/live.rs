//! Notifications about outputs while they are written: real processes.

use std::collections::HashMap;

use procpool_core::{Command, Event, Job, Limit, Pool, Retries, Source};

use crate::wait_for;

fn shell(key: &str, script: &str) -> Job {
    Job::new(key, Command::new("sh").args(["-c", script]))
}

#[test]
fn a_follower_reads_each_byte_once_and_the_rest_from_the_completion() {
    let script = "for n in $(seq 300); do echo out $n; echo error $n >&2; done; head -c 300000 /dev/zero";
    let jobs = (0..8).map(|n| shell(&n.to_string(), script));
    let mut run = Pool::new(Limit::new(4).unwrap()).follow_outputs().run(jobs).unwrap();
    let mut read: HashMap<(u64, Source), Vec<u8>> = HashMap::new();
    while let Some(event) = run.next_event() {
        match event {
            Event::Wrote(live) => {
                let bytes = read.entry((live.seq.get(), live.source)).or_default();
                let until = live.length();
                bytes.extend(live.read(bytes.len() as u64..until).unwrap());
            }
            Event::Completed(done) => {
                for (source, spool) in [(Source::Stdout, done.stdout()), (Source::Stderr, done.stderr())] {
                    let all = spool.to_vec().unwrap();
                    let seen = read.remove(&(done.seq.get(), source)).unwrap_or_default();
                    assert!(all.starts_with(&seen), "{source:?} of {}", done.key());
                }
                assert_eq!(
                    done.stdout().len(),
                    300_000 + (1..=300).map(|n| format!("out {n}\n").len() as u64).sum::<u64>()
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_is_written_is_told_while_the_job_runs_and_an_ended_attempt_has_nothing_to_read() {
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    let script = format!("echo first; until [ -e '{}' ]; do sleep 0.01; done; exit 1", seen.display());
    let pool = Pool::new(Limit::new(1).unwrap()).retries(Retries::new(1)).follow_outputs();
    let mut run = pool.run([shell("key", &script)]).unwrap();
    let Some(Event::Wrote(live)) = run.next_event() else { panic!("nothing was told") };
    assert_eq!((live.key.as_bytes(), live.attempt, live.attempts_left), (b"key".as_slice(), 1, 1));
    assert_eq!((live.source, live.length(), live.is_over()), (Source::Stdout, 6, false));
    assert_eq!(live.read(0..100).unwrap(), b"first\n");
    assert_eq!(live.read(3..5).unwrap(), b"st");
    std::fs::write(&seen, "").unwrap();
    wait_for("the attempt is over", || live.is_over());
    assert!(live.read(0..100).unwrap().is_empty());
    let rest: Vec<_> = std::iter::from_fn(|| run.next_event()).collect();
    let told =
        |event: &Event| matches!(event, Event::Wrote(live) if (live.attempt, live.attempts_left) == (2, 0));
    assert!(rest.iter().any(told), "{rest:?}");
    assert!(matches!(rest.last(), Some(Event::Completed(done)) if done.stdout().len() == 6));
}

#[test]
fn a_second_look_at_one_word_asks_for_no_more_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let script =
        "echo 1; until [ -e go ]; do sleep 0.01; done; echo 2; until [ -e on ]; do sleep 0.01; done; echo 3";
    let command = Command::new("sh").args(["-c", script]).directory(folder.path());
    let mut run = Pool::new(Limit::new(1).unwrap()).follow_outputs().run([Job::new("key", command)]).unwrap();
    let Some(Event::Wrote(first)) = run.next_event() else { panic!("nothing was told") };
    assert_eq!(first.length(), 2);
    std::fs::write(folder.path().join("go"), "").unwrap();
    let Some(Event::Wrote(_second)) = run.next_event() else { panic!("nothing was told again") };
    assert_eq!(first.length(), 4);
    std::fs::write(folder.path().join("on"), "").unwrap();
    let Some(Event::Completed(done)) = run.next_event() else { panic!("a word for nobody") };
    assert_eq!(done.stdout().len(), 6);
}

#[test]
fn nothing_is_told_where_nobody_asked() {
    let mut run = Pool::new(Limit::default()).run([shell("key", "echo text")]).unwrap();
    assert!(matches!(run.next_event(), Some(Event::Completed(_))));
    assert!(run.next_event().is_none());
}
