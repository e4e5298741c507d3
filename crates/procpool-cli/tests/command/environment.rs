//! What jobs are given besides their arguments: environment variables, a directory, a priority, and time to
//! end.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rustix::process::{Signal, geteuid};

use crate::{Folder, lives, wait_for};

#[test]
fn env_sets_a_variable_and_the_last_of_a_name_counts() {
    let folder = Folder::new();
    let trial = folder.run("--env A=1 --env").args(["B=x =y", "--env", "A=2", "--env", "C="]);
    let trial = trial.args(["sh", "-c", "echo \"$A|$B|${C-unset}|$D\"", ":::", "x"]);
    trial.env("D", "inherited").end().exited(0).printed("2|x =y||inherited\n").silent();
}

#[test]
fn variables_may_hold_any_bytes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let trial =
        Folder::new().run("--env").arg(OsStr::from_bytes(b"A=\xff\n")).args(["printenv", "A", ":::", ""]);
    // The value is appended: an empty name, which printenv(1) doesn't find.
    trial.end().exited(1).printed(b"\xff\n\n");
}

#[test]
fn env_clear_leaves_what_was_given_and_what_procpool_sets() {
    let folder = Folder::new();
    let ended = folder.run("--env-clear --env A=1 -- env -u {} ::: x").env("B", "2").end().exited(0).silent();
    let names: Vec<&str> = ended.text().lines().map(|line| line.split('=').next().unwrap()).collect();
    assert!(names.contains(&"A") && names.contains(&"PROCPOOL_KEY"), "{names:?}");
    let is_known = |name: &&str| *name == "A" || name.starts_with("PROCPOOL_");
    assert!(names.iter().all(is_known), "{names:?}");
}

#[test]
fn a_variable_without_a_value_is_refused_before_anything_runs() {
    let folder = Folder::new();
    for (word, says) in [
        ("A", "write A=VALUE"),
        ("=1", "the name is missing"),
        ("", "it has no value"),
        ("PROCPOOL_KEY=1", "procpool sets PROCPOOL_KEY itself"),
    ] {
        let trial = folder.run("--env").args([word, "touch", "ran", ":::", "a"]);
        trial.end().exited(2).printed("").said(says);
    }
    assert!(!folder.has("ran"));
}

#[test]
fn cwd_is_where_every_job_runs_and_other_paths_stay_where_they_were() {
    let folder = Folder::new();
    fs::create_dir(folder.file("sub")).unwrap();
    folder.write("sub/here", "in sub\n").write("jobs.json", r#"{"a": ["cat", "here"]}"#);
    folder.run("--cwd sub cat ::: here").end().exited(0).printed("in sub\n").silent();
    folder.run("--cwd sub").input("cat here\n").end().exited(0).printed("in sub\n").silent();
    folder.run("--cwd sub --shell").input("cat < here\n").end().exited(0).printed("in sub\n").silent();
    folder.run("--cwd sub -f jobs.json").end().exited(0).printed("in sub\n").silent();
}

#[test]
fn a_directory_that_is_none_is_refused_before_anything_runs() {
    let folder = Folder::new();
    folder.write("file", "");
    folder.run("--cwd missing touch ::: a").end().exited(2).said("--cwd missing").said("No such file");
    folder.run("--cwd file touch ::: a").end().exited(2).said("--cwd file: it is no directory");
    fs::create_dir(folder.file("locked")).unwrap();
    fs::set_permissions(folder.file("locked"), fs::Permissions::from_mode(0o600)).unwrap();
    if !geteuid().is_root() {
        folder.run("--cwd locked touch ::: a").end().exited(2).said("--cwd locked: jobs can't enter it");
    }
    assert_eq!(folder.files("a"), [] as [std::path::PathBuf; 0]);
}

const FILE: &str = r#"{
    "defaults": {"env": {"A": "file", "B": "file"}, "cwd": "file"},
    "jobs": {
        "default": {"shell": "echo $A $B $C; echo ${PWD##*/}"},
        "own": {"shell": "echo $A $B $C; echo ${PWD##*/}", "env": {"A": "own"}, "cwd": "own"}
    }
}"#;

#[test]
fn a_jobs_own_goes_before_what_was_typed_and_that_before_the_files_defaults() {
    let folder = Folder::new();
    for name in ["file", "own", "typed"] {
        fs::create_dir(folder.file(name)).unwrap();
    }
    folder.write("jobs.json", FILE);
    folder.run("-k -f jobs.json").end().exited(0).printed("file file\nfile\nown file\nown\n").silent();
    let ended = folder.run("-k -f jobs.json --env A=typed --env C=typed --cwd typed").end().exited(0);
    ended.printed("typed file typed\ntyped\nown file typed\nown\n").silent();
    let ended =
        folder.run("-k -f jobs.json --env-clear --env PATH=/usr/bin:/bin").env("C", "inherited").end();
    ended.exited(0).printed("file file\nfile\nown file\nown\n").silent();
}

#[test]
fn a_job_is_as_nice_as_was_asked_for() {
    let folder = Folder::new();
    let own: i32 = folder.sh("nice").end().exited(0).text().trim().parse().unwrap();
    for by in [0, 3] {
        let ended = folder.run(&format!("-k --nice {by} -- sh -c nice {{#}} ::: a b")).end().exited(0);
        ended.printed(format!("{0}\n{0}\n", (own + by).min(19))).silent();
    }
    for by in ["20", "-21", "x", ""] {
        folder.run("--nice").args([by, "touch", ":::", "a"]).end().exited(2).said("--nice");
    }
    if !geteuid().is_root() {
        folder.run("--nice -5 touch ::: a").end().exited(2).printed("").said("--nice -5 is not allowed");
    }
    assert!(!folder.has("a"));
}

/// Stops a run once its job has made the file `ready`, and returns what procpool printed. Nothing of the job
/// may be left.
#[track_caller]
fn stopped(options: &str, script: &str) -> String {
    let folder = Folder::new();
    let running = folder.run(options).args(["sh", "-c", script, ":::", ""]).start();
    wait_for("the job is ready", || folder.has("ready") && folder.read("ready").ends_with('\n'));
    let pid = folder.read("ready").trim().to_owned();
    running.signal(Signal::TERM);
    let ended = running.end().died_of(Signal::TERM);
    assert!(!lives(&pid));
    ended.text().to_owned()
}

#[test]
fn grace_is_the_time_between_the_polite_signal_and_kill() {
    let deaf = "trap '' TERM; echo $$ > ready; while :; do sleep 0.01; done";
    assert_eq!(stopped("--grace 10ms", deaf), "");
    let slow = "trap 'sleep 0.1; echo done; exit' TERM; echo $$ > ready; while :; do sleep 0.01; done";
    assert_eq!(stopped("--grace 1h", slow), "done\n");
    let folder = Folder::new();
    for time in ["0", "-1", "x"] {
        folder.run("--grace").args([time, "touch", ":::", "a"]).end().exited(2).said("--grace");
    }
    assert!(!folder.has("a"));
}

#[test]
fn a_shell_that_reads_what_is_printed_runs_the_same_where_jobs_have_directories_and_variables() {
    let folder = Folder::new();
    for name in ["file", "own", "it's", "-"] {
        fs::create_dir(folder.file(name)).unwrap();
    }
    folder.write("jobs.json", FILE);
    for options in
        ["-f jobs.json", "-f jobs.json --env C=it's --cwd it's", "-f jobs.json --cwd - --env-clear"]
    {
        let printed = folder.run("--dry-run").args(options.split(' ')).end().exited(0);
        let direct = folder.run("-k").args(options.split(' ')).end().exited(0);
        folder.sh(printed.text()).end().exited(0).printed(direct.text());
    }
    let ended = folder.run("--cwd own --env A=1 false ::: a").end().exited(1);
    ended.said("again: (cd ./own && env A=1 false a)");
}
