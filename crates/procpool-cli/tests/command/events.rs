//! `--events`: the events of a run as lines of JSON. Each stream is validated against
//! docs/events.schema.json.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader};

use boon::{Compiler, SchemaIndex, Schemas};
use rustix::process::Signal;
use serde_json::Value;

use crate::{Folder, wait_for};

const SCHEMA: &str = include_str!("../../../../docs/events.schema.json");

/// The events of a stream. Each is validated against the schema, and the first and last events are checked as
/// well.
#[track_caller]
fn events(stream: &str) -> Vec<Value> {
    let (schemas, line) = schema();
    assert!(stream.ends_with('\n'), "{stream}");
    let events: Vec<Value> = stream.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for event in &events {
        if let Err(error) = schemas.validate(event, line) {
            panic!("{event} is not as the schema says: {error:#}");
        }
    }
    assert_eq!(events[0]["event"], "run-started");
    events
}

fn schema() -> (Schemas, SchemaIndex) {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("events", serde_json::from_str(SCHEMA).unwrap()).unwrap();
    let line = compiler.compile("events", &mut schemas).unwrap();
    (schemas, line)
}

/// An event as a line, without the figures that differ from run to run.
fn shape(event: &Value) -> String {
    let mut event = event.clone();
    let fields = event.as_object_mut().unwrap();
    fields.retain(|name, value| {
        let varies = ["time", "run", "started", "peak_memory", "peak_memory_below", "procpool"]
            .contains(&name.as_str());
        !varies && !name.ends_with("seconds") && !value.is_null()
    });
    event.to_string()
}

fn of_kind<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["event"] == kind).collect()
}

#[test]
fn a_run_is_told_from_its_start_to_its_end() {
    let folder = Folder::new();
    let script = "echo {}; echo e >&2; exit {}";
    folder.run("--events log -j1 sh -c").args([script, ":::", "0", "3"]).end().exited(1).printed("0\n3\n");
    let events = events(&folder.read("log"));
    let told: Vec<String> = events[1..].iter().map(shape).collect();
    let finished = |key: &str, seq, success| {
        format!(
            r#"{{"attempt":1,"command":"sh -c 'echo {key}; echo e >&2; exit {key}'","event":"job-finished","exit_code":{key},"key":"{key}","leaked":false,"outcome":"exited","output_complete":true,"seq":{seq},"slot":1,"status":{key},"stderr_bytes":2,"stdout_bytes":2,"success":{success},"will_retry":false}}"#
        )
    };
    let output = |key: &str, seq, stream, text| {
        format!(
            r#"{{"attempt":1,"event":"output","key":"{key}","seq":{seq},"slot":1,"stream":"{stream}","text":"{text}\n"}}"#
        )
    };
    let started = |key: &str, seq| {
        format!(r#"{{"attempt":1,"event":"job-started","key":"{key}","seq":{seq},"slot":1}}"#)
    };
    let expected = [
        started("0", 1),
        output("0", 1, "stdout", "0"),
        output("0", 1, "stderr", "e"),
        finished("0", 1, true),
        started("3", 2),
        output("3", 2, "stdout", "3"),
        output("3", 2, "stderr", "e"),
        finished("3", 2, false),
        r#"{"event":"run-finished","failed":1,"input_read":true,"jobs":2,"leaked":0,"left":[],"status":1,"stopped":0,"succeeded":1,"unrun":0}"#
            .to_owned(),
    ];
    assert_eq!(told, expected);
    let beginning = &events[0];
    assert_eq!((&beginning["version"], &beginning["limit"]), (&1.into(), &1.into()));
    assert!(beginning["command"].as_str().unwrap().ends_with(" ::: 0 3"), "{beginning}");
}

#[test]
fn every_outcome_is_as_the_schema_says() {
    let folder = Folder::new();
    folder.write(
        "jobs.json",
        r#"{"jobs": {"killed": {"shell": "kill -9 $$"}, "slow": {"cmd": ["sleep", "1000"], "timeout": "10ms"},
            "missing": {"cmd": ["./missing"]}, "no directory": {"cmd": ["true"], "cwd": "missing"},
            "leaks": {"shell": "sleep 1000 &"}}}"#,
    );
    folder.run("--events log -j1 --file jobs.json").end().exited(1);
    let events = events(&folder.read("log"));
    let told: Vec<String> = of_kind(&events, "job-finished")
        .iter()
        .map(|event| format!("{} {} {} {}", event["key"], event["outcome"], event["status"], event["leaked"]))
        .collect();
    let expected = [
        r#""killed" "signalled" 137 false"#,
        r#""slow" "timed_out" 124 false"#,
        r#""missing" "not_started" 127 false"#,
        r#""no directory" "not_started" 126 false"#,
        r#""leaks" "exited" 0 true"#,
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_is_no_text_comes_in_base64_and_large_outputs_in_pieces() {
    let folder = Folder::new();
    let long = "ä".repeat(100_000);
    folder.write("text", &long);
    let script = "cat text; printf '\\377\\0' >&2";
    folder
        .run("--events log --file -")
        .input(format!(r#"{{"key": "a", "shell": {script:?}}}"#))
        .end()
        .exited(0);
    let events = events(&folder.read("log"));
    let pieces = of_kind(&events, "output");
    let text = |event: &&Value| event["text"].as_str().map(str::to_owned);
    assert_eq!(pieces.iter().filter_map(text).collect::<String>(), long);
    assert!(pieces.iter().filter_map(text).all(|piece| piece.len() <= 64 << 10));
    assert_eq!(pieces.last().unwrap()["base64"], "/wA=");
}

#[test]
fn a_key_that_is_no_utf8_is_told_without_loss() {
    let folder = Folder::new();
    folder.run("--events log -0 echo").input(&b"a\xff\0\"\n\0"[..]).end().exited(0);
    let events = events(&folder.read("log"));
    let mut keys: Vec<(&Value, &Value)> =
        of_kind(&events, "job-finished").iter().map(|event| (&event["key"], &event["key_base64"])).collect();
    keys.sort_by_key(|(key, _)| key.as_str());
    assert_eq!(keys, [(&"\"\n".into(), &Value::Null), (&"a\u{fffd}".into(), &"Yf8=".into())]);
}

#[test]
fn events_on_standard_output_have_it_for_themselves() {
    let folder = Folder::new();
    let ended =
        folder.run("--events - sh -c").args(["echo out; echo err >&2", ":::", "a"]).end().exited(0).silent();
    let events = events(ended.text());
    assert_eq!(of_kind(&events, "output").len(), 2);
    assert_eq!(events.last().unwrap()["status"], 0);
}

#[test]
fn each_event_comes_as_it_happens() {
    let folder = Folder::new();
    let script = "[ {} = 1 ] || until [ -e go ]; do sleep 0.01; done";
    let running = folder.run("--events log -j2 sh -c").args([script, ":::", "1", "2"]).start();
    wait_for("the end of the first job", || folder.has("log") && folder.read("log").contains("job-finished"));
    let so_far = events(&folder.read("log"));
    assert_eq!(of_kind(&so_far, "job-finished").len(), 1);
    folder.write("go", "");
    running.end().exited(0);
    assert_eq!(of_kind(&events(&folder.read("log")), "job-finished").len(), 2);
}

#[test]
fn an_output_comes_as_it_is_written_and_each_byte_once() {
    let folder = Folder::new();
    // While the job waits, only the first byte of each line's second character has been written.
    let script = "printf 'a\\303'; until [ -e go ]; do sleep 0.01; done; printf '\\244\\n'; echo rest";
    let running = folder.run("--events log -j2 sh -c").args([script, ":::", "1", "2"]).start();
    wait_for("a piece of both jobs", || {
        folder.has("log") && folder.read("log").matches("\"event\":\"output\"").count() == 2
    });
    let so_far = events(&folder.read("log"));
    assert!(of_kind(&so_far, "output").iter().all(|event| event["text"] == "a"));
    assert!(of_kind(&so_far, "job-finished").is_empty());
    folder.write("go", "");
    running.end().exited(0);
    let told = events(&folder.read("log"));
    for seq in [1, 2] {
        let own = of_kind(&told, "output").into_iter().filter(|event| event["seq"] == seq);
        let text: String = own.map(|event| event["text"].as_str().unwrap()).collect();
        assert_eq!(text, "aä\nrest\n");
    }
}

#[test]
fn nothing_of_an_attempt_is_told_before_its_start() {
    let folder = Folder::new();
    let values: Vec<String> = (0..300).map(|number| number.to_string()).collect();
    let trial =
        folder.run("--events log --retries 1 -j8 sh -c").args(["echo out; exit 1", ":::"]).args(&values);
    trial.end().exited(1);
    let told = events(&folder.read("log"));
    let about = |event: &&Value| event["seq"].is_u64();
    let mut begun = HashSet::new();
    for event in told.iter().filter(about) {
        let attempt = (event["seq"].to_string(), event["attempt"].to_string());
        let is_start = event["event"] == "job-started";
        assert_eq!(begun.insert(attempt), is_start, "{event}");
    }
    assert_eq!(begun.len(), 600);
}

#[test]
fn outputs_are_printed_as_ever_beside_events() {
    for options in ["", "-k", "--output lines"] {
        let folder = Folder::new();
        let script = "for n in $(seq 500); do echo {} $n; done";
        let ended = folder.run(options).args(["--events", "log", "sh", "-c", script, ":::", "a", "b"]).end();
        let printed = ended.exited(0).silent().text().to_owned();
        let told = events(&folder.read("log"));
        for (seq, key) in [(1, "a"), (2, "b")] {
            let expected: Vec<String> = (1..=500).map(|number| format!("{key} {number}")).collect();
            let own = of_kind(&told, "output").into_iter().filter(|event| event["seq"] == seq);
            let text: String = own.map(|event| event["text"].as_str().unwrap()).collect();
            assert_eq!(text.lines().collect::<Vec<_>>(), expected, "{options}");
            let lines = printed.lines().filter(|line| line.starts_with(key));
            assert_eq!(lines.collect::<Vec<_>>(), expected, "{options}");
        }
    }
}

#[test]
fn a_descriptor_gets_them_and_jobs_do_not_get_the_descriptor() {
    let folder = Folder::new();
    let script = "procpool run --events fd:7 -- sh -c '[ ! -e /proc/self/fd/7 ] && echo fine' ::: a 7> log";
    folder.sh(script).end().exited(0).printed("fine\n").silent();
    assert_eq!(events(&folder.read("log")).last().unwrap()["succeeded"], 1);
}

#[test]
fn a_descriptor_that_is_not_open_for_writing_is_an_error_before_any_job() {
    // Descriptors that nobody gave to procpool include the first ones that it opens itself.
    for (target, given) in
        [("fd:3", ""), ("fd:4", ""), ("fd:9", ""), ("fd:5", "5< /dev/null"), ("fd:2", ""), ("fd:x", "")]
    {
        let folder = Folder::new();
        let script = format!("procpool run --events {target} -- touch ran ::: a {given}");
        folder.sh(&script).end().exited(2).said("--events");
        assert!(!folder.has("ran"), "{target}");
    }
    let folder = Folder::new();
    folder.sh("procpool run --events - -- touch ran ::: a >&-").end().exited(2).said("--events -");
    folder.run("--events missing/log touch ran ::: a").end().exited(2).said("--events \"missing/log\"");
    assert!(!folder.has("ran"));
}

#[test]
fn the_last_line_says_how_procpool_is_about_to_end() {
    let folder = Folder::new();
    let script = ": > started; exec sleep 1000";
    let running = folder.run("--events log -j1 sh -c").args([script, ":::", "a", "b"]).start();
    wait_for("the job has started", || folder.has("started"));
    running.signal(Signal::TERM);
    running.end().died_of(Signal::TERM);
    let told = events(&folder.read("log"));
    let last = told.last().unwrap();
    assert_eq!((&last["status"], &last["signal"]), (&143.into(), &15.into()));
    assert_eq!((&last["stopped"], &last["unrun"]), (&1.into(), &1.into()));

    // A failing standard output is the last possible failure of a run, and the last event still shows it.
    let full = File::options().write(true).open("/dev/full").unwrap();
    folder.run("--events log echo ::: a").stdout(full).end().exited(3);
    let told = events(&folder.read("log"));
    assert_eq!((&told.last().unwrap()["status"], &told.last().unwrap()["succeeded"]), (&3.into(), &1.into()));
}

#[test]
fn events_that_nobody_reads_or_that_find_no_room_are_no_success() {
    let folder = Folder::new();
    folder.run("--events /dev/full touch ran ::: a").end().exited(3).said("No space left on device");
    assert!(!folder.has("ran"));
    let script = "{ yes | procpool run --events fd:3 -- true 3>&1 >&2; echo $? > status; } | head -n 2";
    folder.sh(script).end().exited(0);
    assert_eq!(folder.read("status"), "3\n");
    // With `--events -`, a reader that has seen enough is no failure, as with any standard output.
    let script = "{ yes | procpool run --events - -- true; echo $? > status; } | head -n 2";
    folder.sh(script).end().exited(0).silent();
    assert_eq!(folder.read("status"), "141\n");
}

#[test]
fn a_slow_reader_loses_nothing() {
    let folder = Folder::new();
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    // Another process that shares the pipe may have made it non-blocking.
    rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::NONBLOCK).unwrap();
    let running = folder.run("--events - seq {} ::: 50000 50000").stdout(writer).start();
    // The free space is less than the next piece needs.
    wait_for("the pipe is full", || rustix::io::ioctl_fionread(&reader).unwrap() > 48 << 10);
    let lines = BufReader::new(File::from(reader)).lines();
    let mut stream = String::new();
    lines.for_each(|line| stream += &(line.unwrap() + "\n"));
    running.end().exited(0).silent();
    let events = events(&stream);
    let length: usize =
        of_kind(&events, "output").iter().map(|event| event["text"].as_str().unwrap().len()).sum();
    let expected: usize = (1..=50_000).map(|number: u32| number.to_string().len() + 1).sum();
    assert_eq!(length, 2 * expected);
}

#[test]
fn the_schema_refuses_what_is_no_event() {
    let (schemas, line) = schema();
    for event in [
        r#"{"event": "run-started"}"#,
        r#"{"event": "output", "key": "a", "seq": 1, "slot": 1, "attempt": 1, "stream": "stdout", "time": "2026-01-01T00:00:00.000Z"}"#,
        r#"{"event": "output", "key": "a", "seq": 1, "slot": 1, "attempt": 1, "stream": "stdout", "time": "2026-01-01T00:00:00.000Z", "text": "a", "more": 1}"#,
        r#"{"event": "other"}"#,
    ] {
        let event: Value = serde_json::from_str(event).unwrap();
        assert!(schemas.validate(&event, line).is_err(), "{event}");
    }
}

#[test]
fn every_attempt_is_told_with_its_output() {
    let folder = Folder::new();
    let script = "echo $PROCPOOL_ATTEMPT; [ $PROCPOOL_ATTEMPT = 3 ]";
    let trial = folder.run("--events log --results r --retries 5 sh -c").args([script, ":::", "a"]);
    trial.end().exited(0).printed("3\n");
    let events = events(&folder.read("log"));
    let outputs: Vec<&str> =
        of_kind(&events, "output").iter().map(|event| event["text"].as_str().unwrap()).collect();
    assert_eq!(outputs, ["1\n", "2\n", "3\n"]);
    let retried: Vec<&Value> =
        of_kind(&events, "job-finished").iter().map(|event| &event["will_retry"]).collect();
    assert_eq!(retried, [true, true, false]);
    assert_eq!(folder.read("r/a/attempt-2/stdout"), "2\n");
}
