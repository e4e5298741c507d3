//! What records say about a job that is tried several times. A scripted runner takes the place of processes.

use std::fs;
use std::path::Path;
use std::time::Duration;

use procpool_core::{
    Command, Context, End, Event, Job, Limit, Outcome, Pool, Ran, Retries, Runner, Spool, Status,
};
use serde_json::Value;

use super::events::{Beginning, Events};
use super::joblog::Joblog;
use super::junit::Junit;
use super::results::Results;
use crate::exit::ExitStatus;
use crate::job::work::Work;
use crate::record::file::RecordFile;
use crate::run::attempts::Attempts;
use crate::run::sink::{Sink, Totals, Trouble};
use crate::run::tally::UnreadInput;
use crate::terminal::heartbeat::Heartbeat;

/// Ends each attempt with the next of these exit codes, and prints the number of the attempt.
struct Script(&'static [u8]);

impl Runner for Script {
    type Work = Work;

    fn run(&self, _: &Job<Work>, context: &Context) -> Outcome {
        let attempt = context.attempt();
        let mut ran = Ran::new(End::Itself(Status::Exited(self.0[attempt as usize - 1])));
        ran.stdout = Spool::from(format!("attempt {attempt}\n").as_str());
        ran.into()
    }
}

/// What happens to the run after the first failed attempt.
#[derive(PartialEq)]
enum Then {
    GoesOn,
    Drains,
}

/// Writes all records of one job with these exit codes to this folder.
fn record(folder: &Path, codes: &'static [u8], then: &Then) {
    let heartbeat = Heartbeat::default();
    let events = RecordFile::open(&folder.join("events"), "--events", &heartbeat).unwrap();
    let beginning = Beginning {
        run: "the-run".into(),
        limit: Limit::default(),
        command: String::new(),
    };
    let mut sinks: Vec<Box<dyn Sink>> = vec![
        Box::new(Results::open(&folder.join("results"), "the-run", &heartbeat).unwrap()),
        Box::new(Joblog::new(RecordFile::open(&folder.join("joblog"), "--joblog", &heartbeat).unwrap())),
        Box::new(Junit::open(&folder.join("junit.xml"), &heartbeat).unwrap()),
        Box::new(Events::new(events, beginning)),
    ];
    let mut tell = |told: &mut dyn FnMut(&mut dyn Sink) -> Result<(), Trouble>| {
        sinks.iter_mut().try_for_each(|sink| told(sink.as_mut())).unwrap();
    };
    let delay = if *then == Then::Drains { Duration::from_secs(3600) } else { Duration::ZERO };
    let pool = Pool::with_runner(Limit::default(), Script(codes)).announce_starts();
    let pool = pool.retries(Retries::new(5).delay(delay));
    let mut run = pool.run([Job::new("a", Work::Command(Command::new("it")))]).unwrap();
    let handle = run.handle();
    let mut attempts = Attempts::default();
    tell(&mut |sink| sink.begin());
    while let Some(event) = run.next_event() {
        match event {
            Event::Started(started) => tell(&mut |sink| sink.started(&started)),
            Event::Retried(retried) => {
                tell(&mut |sink| sink.retried(&retried));
                attempts.hold(retried);
                if *then == Then::Drains {
                    handle.drain();
                }
            }
            Event::Completed(mut completion) => {
                attempts.settle(&mut completion);
                tell(&mut |sink| sink.completed(&mut completion));
            }
            other => panic!("{other:?}"),
        }
    }
    let totals = Totals {
        jobs: 1,
        succeeded: 1,
        failed: 0,
        stopped: 0,
        unrun: 0,
        unread: UnreadInput::None,
        leaked: 0,
        left: Vec::new(),
        elapsed: Duration::ZERO,
    };
    tell(&mut |sink| sink.finish(&totals));
    tell(&mut |sink| sink.ended(&totals, ExitStatus::Success));
}

fn recorded(codes: &'static [u8], then: &Then) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path(), codes, then);
    folder
}

fn read(folder: &tempfile::TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

fn status(folder: &tempfile::TempDir, meta: &str) -> Value {
    serde_json::from_str::<Value>(&read(folder, meta)).unwrap()["status"].clone()
}

#[test]
fn results_have_a_folder_for_each_attempt_before_the_last() {
    let folder = recorded(&[3, 4, 0], &Then::GoesOn);
    assert_eq!(read(&folder, "results/a/attempt-1/stdout"), "attempt 1\n");
    assert_eq!(read(&folder, "results/a/attempt-2/stdout"), "attempt 2\n");
    assert_eq!(read(&folder, "results/a/stdout"), "attempt 3\n");
    let codes =
        ["attempt-1/", "attempt-2/", ""].map(|name| status(&folder, &format!("results/a/{name}meta.json")));
    assert_eq!(codes, [3, 4, 0]);
}

#[test]
fn a_later_run_replaces_the_attempts_too() {
    let folder = recorded(&[3, 4, 0], &Then::GoesOn);
    record(folder.path(), &[5, 0], &Then::GoesOn);
    assert_eq!(status(&folder, "results/a/attempt-1/meta.json"), 5);
    assert!(!folder.path().join("results/a/attempt-2").exists());
    assert_eq!(fs::read_dir(folder.path().join("results")).unwrap().count(), 1);
}

#[test]
fn the_job_log_has_a_row_for_the_last_attempt_that_ran() {
    for (codes, then, end) in
        [(&[3, 4, 0][..], Then::GoesOn, "\t10\t0\t0\tit\n"), (&[3], Then::Drains, "\t10\t3\t0\tit\n")]
    {
        let log = read(&recorded(codes, &then), "joblog");
        assert!(log.lines().count() == 2 && log.ends_with(end), "{log}");
    }
}

#[test]
fn a_report_calls_attempts_as_surefire_does() {
    let elements = |folder| {
        let report = read(&folder, "junit.xml");
        let found = report.split('<').filter(|part| part.contains("message="));
        found.map(|part| part.split(" type").next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let flaky = elements(recorded(&[3, 4, 0], &Then::GoesOn));
    assert_eq!(flaky, [r#"flakyFailure message="exit 3""#, r#"flakyFailure message="exit 4""#]);
    let failed = elements(recorded(&[1, 2, 3, 4, 5, 6], &Then::GoesOn));
    assert_eq!(failed[..2], [r#"failure message="exit 1""#, r#"rerunFailure message="exit 2""#]);
    assert_eq!(failed.len(), 6);
    let left = recorded(&[3], &Then::Drains);
    assert!(read(&left, "junit.xml").contains(r#"failures="1" errors="0" skipped="0""#));
    assert_eq!(elements(left), [r#"failure message="exit 3""#]);
}

#[test]
fn events_tell_of_each_attempt() {
    let told = |folder| -> Vec<String> {
        let events = read(&folder, "events");
        let events = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        events
            .map(|event| format!("{} {} {}", event["event"], event["attempt"], event["will_retry"]))
            .collect()
    };
    let expected = [
        r#""run-started" null null"#,
        r#""job-started" 1 null"#,
        r#""output" 1 null"#,
        r#""job-finished" 1 true"#,
        r#""job-started" 2 null"#,
        r#""output" 2 null"#,
        r#""job-finished" 2 false"#,
        r#""run-finished" null null"#,
    ];
    assert_eq!(told(recorded(&[3, 0], &Then::GoesOn)), expected);
    let left = told(recorded(&[3], &Then::Drains));
    assert_eq!(
        left[3..],
        [r#""job-finished" 1 true"#, r#""job-finished" 1 false"#, r#""run-finished" null null"#]
    );
}

#[test]
fn a_job_that_was_left_between_attempts_has_results() {
    let folder = recorded(&[3], &Then::Drains);
    assert_eq!(status(&folder, "results/a/meta.json"), 3);
    assert!(!folder.path().join("results/a/attempt-1").exists());
}
