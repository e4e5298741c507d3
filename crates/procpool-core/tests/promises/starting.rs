//! What a job is started with, and the outcome of one that can't be started: real processes.

use std::ffi::OsStr;
use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crossbeam_channel::unbounded;
use procpool_core::{
    Command, Completion, Job, NotStarted, Outcome, Pool, Retries, SpawnError, Stdin, Subject,
};
use sleeper::bytes::{self, Stream};

use crate::{Folder, LeftBehind, in_time, limit, patient, run, run_one, said, sh, sleeper, wait_for};

fn spawn_error(done: &Completion) -> &SpawnError {
    match &done.outcome {
        Outcome::NotStarted(NotStarted::Spawn(error)) => error,
        other => panic!("{}: {other}", done.key()),
    }
}

/// Runs the command between others, which must not be affected, and returns why it did not start.
#[track_caller]
fn refused(command: Command, status: u8) -> (Subject, String) {
    let good = |key: &str| Job::new(key, Command::new("echo").arg(key));
    let results = run([good("a"), good("b"), Job::new("bad", command), good("c"), good("d")]);
    for key in ["a", "b", "c", "d"] {
        assert_eq!(said(&results[key]), format!("{key}\n"));
    }
    let bad = &results["bad"];
    assert_eq!(bad.outcome.status(), Some(status), "{}", bad.outcome);
    assert!(bad.stdout().is_empty() && bad.elapsed().is_zero());
    (spawn_error(bad).subject.clone(), bad.outcome.to_string())
}

#[test]
fn each_start_is_told_with_a_number_that_nobody_has_reaped_even_of_a_process_that_ends_at_once() {
    let (tell, told) = unbounded();
    let runner = patient().when_started(move |context, pid| {
        // Until it is reaped it exists, at least as a zombie. This case must not kill it.
        let process = ManuallyDrop::new(LeftBehind(pid));
        wait_for("the end of the process", || !process.lives());
        let is_there = Path::new(&format!("/proc/{pid}")).exists();
        tell.send((context.seq().get(), context.attempt(), is_there)).unwrap();
    });
    let jobs = [
        Job::new("good", Command::new("true")),
        Job::new("missing", Command::new("/no/such/program")),
        Job::new("bad", Command::new("false")),
    ];
    let pool = Pool::with_runner(limit(2), runner).retries(Retries::new(1));
    let results = in_time("three jobs", move || pool.run_all(jobs).unwrap());
    assert_eq!(
        results.iter().map(|done| done.outcome.status()).collect::<Vec<_>>(),
        [Some(0), Some(127), Some(1)]
    );
    let mut told: Vec<_> = told.try_iter().collect();
    told.sort_unstable();
    assert_eq!(told, [(1, 1, true), (3, 1, true), (3, 2, true)]);
}

#[test]
fn where_who_is_told_of_a_start_panics_the_process_is_killed_and_the_panic_comes_back() {
    let (tell, told) = unbounded();
    let runner = patient().when_started(move |_, pid| {
        tell.send(pid).unwrap();
        panic!("no journal");
    });
    let pool = Pool::with_runner(limit(1), runner);
    let end = in_time("a run whose witness panics", move || {
        catch_unwind(AssertUnwindSafe(|| pool.run_all([Job::new("nap", Command::new("sleep").arg("1000"))])))
    });
    assert_eq!(end.unwrap_err().downcast_ref(), Some(&"no journal"));
    assert!(!Path::new(&format!("/proc/{}", told.recv().unwrap())).exists());
}

#[test]
fn a_program_that_is_missing_is_127() {
    for program in ["no-such-program", "/no/such/program", "./no-such-program", ""] {
        let (subject, message) = refused(Command::new(program), 127);
        assert_eq!(subject, Subject::Program(program.into()));
        assert!(message.contains(program) && message.contains("No such file"), "{message}");
    }
}

#[test]
fn a_program_that_can_not_be_executed_is_126() {
    let folder = Folder::new();
    File::create(folder.file("plain")).unwrap();
    let (subject, _) = refused(Command::new(folder.file("plain")), 126);
    assert_eq!(subject, Subject::Program(folder.file("plain").into()));
    let looked_up = Command::new("plain").env("PATH", folder.0.path());
    assert_eq!(refused(looked_up, 126).0, Subject::Program("plain".into()));
}

#[test]
fn a_directory_is_no_program() {
    let folder = Folder::new();
    let (subject, message) = refused(Command::new(folder.0.path()), 126);
    assert_eq!(subject, Subject::Program(folder.0.path().into()));
    assert!(message.contains("ermission denied"), "{message}");
}

#[test]
fn a_script_whose_interpreter_is_missing_names_that() {
    let folder = Folder::new();
    let script = folder.program("script", "#! /no/such/interpreter -x\n");
    let missing = Subject::Interpreter {
        script: script.clone(),
        interpreter: "/no/such/interpreter".into(),
    };
    assert_eq!(refused(Command::new(&script), 127).0, missing);
    let looked_up = Command::new("script").env("PATH", folder.0.path());
    let (subject, message) = refused(looked_up, 127);
    assert_eq!(subject, missing);
    assert!(message.contains("\"/no/such/interpreter\""), "{message}");
}

#[test]
fn a_directory_that_is_missing_is_named_and_not_the_program() {
    let (subject, message) = refused(Command::new("echo").directory("/no/such/directory"), 126);
    assert_eq!(subject, Subject::Directory("/no/such/directory".into()));
    assert!(message.contains("/no/such/directory"), "{message}");
}

#[test]
fn an_input_that_is_missing_is_named() {
    let missing = Stdin::File("/no/such/input".into());
    let (subject, _) = refused(Command::new("cat").stdin(missing), 126);
    assert_eq!(subject, Subject::Stdin("/no/such/input".into()));
}

#[test]
fn a_named_pipe_as_input_is_refused_and_not_waited_for() {
    let folder = Folder::new();
    let pipe = folder.file("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (subject, message) = refused(Command::new("cat").stdin(Stdin::File(pipe.clone())), 126);
    assert_eq!(subject, Subject::Stdin(pipe));
    assert!(message.contains("named pipe"), "{message}");
}

#[test]
fn an_argument_that_is_too_long_fails_its_job_alone() {
    let (subject, message) = refused(Command::new("echo").arg("x".repeat(128 * 1024)), 126);
    assert_eq!(subject, Subject::Program("echo".into()));
    assert!(message.contains("Argument list too long") && message.len() < 200, "{message}");
}

#[test]
fn what_holds_a_nul_can_not_be_started() {
    refused(Command::new("echo").arg("a\0b"), 126);
    refused(Command::new("echo").env("NAME", "a\0b"), 126);
    refused(Command::new("echo").env("NA\0ME", "b"), 126);
    refused(Command::new("/bin/ec\0ho"), 126);
    refused(Command::new("echo").directory("/\0"), 126);
    refused(Command::new("echo").stdin(Stdin::File("/dev/null\0".into())), 126);
}

#[test]
fn a_program_that_is_being_written_fails_its_job_at_worst() {
    let folder = Folder::new();
    let script = folder.program("script", "#!/bin/sh\necho ran\n");
    let _busy = File::options().append(true).open(&script).unwrap();
    let done = run_one(Command::new(&script));
    // Some kernels execute it although it is open for writing.
    assert!(matches!(done.outcome.status(), Some(0 | 126)), "{}", done.outcome);
}

#[test]
fn arguments_arrive_byte_for_byte() {
    let arguments: [&[u8]; 9] =
        [b"\xff\xfe", b"a\nb", b"'\"`$HOME", b"", b"-n", b"--help", b" ", b"; touch pwned", b"*"];
    let command = Command::new("printf").arg("%s\\0").args(arguments.map(OsStr::from_bytes));
    let done = run_one(command);
    assert_eq!(done.stdout().to_vec().unwrap(), [arguments.join(&0), vec![0]].concat());
}

#[test]
fn a_program_sees_its_name_as_it_was_given() {
    let name = |done: &Completion| said(done).split('\0').next().unwrap().to_owned();
    let script = "cat /proc/$$/cmdline; :";
    assert_eq!(name(&run_one(sh(script, ""))), "sh");
    assert_eq!(name(&run_one(Command::new("/bin/sh").args(["-c", script]))), "/bin/sh");
}

#[test]
fn variables_are_set_removed_and_cleared_in_order() {
    let shown = "0 --quiet --print-env A --print-env B --print-env PATH";
    let path = std::env::var("PATH").unwrap();
    let print = |change: fn(Command) -> Command| said(&run_one(change(sleeper(shown))));
    assert_eq!(print(|command| command.env("A", "a").env("B", "b")), format!("a\nb\n{path}\n"));
    assert_eq!(print(|command| command.env("A", "a").env("A", "2")), format!("2\n{path}\n"));
    assert_eq!(print(|command| command.env("A", "a").env_remove("A")), format!("{path}\n"));
    assert_eq!(print(|command| command.env("A", "").env_remove("PATH")), "\n");
    assert_eq!(print(|command| command.env("A", "a").env_clear().env("B", "b")), "b\n");
}

#[test]
fn a_program_is_looked_up_in_the_path_of_its_job() {
    let folder = Folder::new();
    symlink(sleeper::binary(), folder.file("procpool-tool")).unwrap();
    let tool = || Command::new("procpool-tool").args(["0"]);
    assert_eq!(said(&run_one(tool().env("PATH", folder.0.path()))), "time slept:0\n");
    assert_eq!(run_one(tool()).outcome.status(), Some(127));
    // Without a PATH of its own, the program is searched in ours, whatever PATH the job itself sees.
    assert!(run_one(Command::new("true").env_clear()).outcome.is_success());
    assert!(run_one(Command::new("true").env_remove("PATH")).outcome.is_success());
}

#[test]
fn a_job_runs_in_its_directory_and_a_relative_program_is_relative_to_that() {
    let folder = Folder::new();
    symlink(sleeper::binary(), folder.file("tool")).unwrap();
    let done =
        run_one(Command::new("./tool").args(["0", "--quiet", "--print-dir"]).directory(folder.0.path()));
    let directory = folder.0.path().canonicalize().unwrap();
    assert_eq!(Path::new(said(&done).trim_end()), directory);
    let ours = std::env::current_dir().unwrap();
    assert_eq!(Path::new(said(&run_one(sleeper("0 --quiet --print-dir"))).trim_end()), ours);
}

#[test]
fn input_is_nothing_unless_it_is_given() {
    assert_eq!(said(&run_one(Command::new("cat"))), "");
}

#[test]
fn a_large_input_arrives_whole() {
    let input = bytes::all(3, Stream::Stdout, 1 << 20);
    let folder = Folder::new();
    std::fs::write(folder.file("input"), &input).unwrap();
    for stdin in [Stdin::Bytes(input.as_slice().into()), Stdin::File(folder.file("input"))] {
        let done = run_one(Command::new("cat").stdin(stdin));
        assert!(done.outcome.is_success() && done.stdout().to_vec().unwrap() == input);
    }
}

#[test]
fn an_input_that_nobody_reads_is_no_matter() {
    assert!(run_one(Command::new("true").stdin_bytes(vec![b'x'; 1 << 20])).outcome.is_success());
    let first = run_one(Command::new("head").args(["-c", "3"]).stdin_bytes(vec![b'x'; 1 << 20]));
    assert_eq!(said(&first), "xxx");
}

#[test]
fn two_jobs_with_the_same_input_each_get_all_of_it() {
    let cat = Command::new("cat").stdin_bytes("same\n");
    let results = run([Job::new("a", cat.clone()), Job::new("b", cat)]);
    assert!(results.iter().all(|done| said(done) == "same\n"));
}
