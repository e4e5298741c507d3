//! `--results`: a folder of results for each job.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal};
use sleeper::bytes::{Stream, all};

use crate::{Folder, wait_for, words};

fn meta(folder: &Folder, name: &str) -> serde_json::Value {
    serde_json::from_str(&folder.read(&format!("{name}/meta.json"))).unwrap()
}

/// The names of everything in a folder, hidden or not, sorted.
fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

#[test]
fn outputs_and_outcome_of_each_job_lie_in_a_folder_of_its_name() {
    let folder = Folder::new();
    let script = "echo out {}; echo err {} >&2; exit {}";
    let ended = folder.run("--results some/where -k sh -c").args([script, ":::", "0", "3"]).end();
    ended.exited(1).printed("out 0\nout 3\n");
    assert_eq!(names(&folder.file("some/where")), ["0", "3"]);
    assert_eq!(folder.read("some/where/3/stdout"), "out 3\n");
    assert_eq!(folder.read("some/where/3/stderr"), "err 3\n");
    let meta = meta(&folder, "some/where/3");
    for (name, value) in [
        ("version", 1),
        ("seq", 2),
        ("attempt", 1),
        ("status", 3),
        ("exit_code", 3),
        ("stdout_bytes", 6),
        ("stderr_bytes", 6),
    ] {
        assert_eq!(meta[name], value, "{name} in {meta}");
    }
    assert_eq!((&meta["key"], &meta["outcome"]), (&"3".into(), &"exited".into()));
    assert_eq!((&meta["success"], &meta["leaked"]), (&false.into(), &false.into()));
    assert_eq!(meta["command"], "sh -c 'echo out 3; echo err 3 >&2; exit 3'");
    assert!(meta["seconds"].as_f64().unwrap() > 0.0 && meta["signal"].is_null());
}

#[test]
fn only_the_owner_can_read_them() {
    let folder = Folder::new();
    folder.run("--results r true ::: a").end().exited(0);
    let mode = |name: &str| folder.file(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(["r", "r/a"].map(mode), [0o700; 2]);
    assert_eq!(["r/a/stdout", "r/a/stderr", "r/a/meta.json"].map(mode), [0o600; 3]);
}

#[test]
fn keys_that_are_no_names_and_keys_that_repeat_have_folders_of_their_own() {
    let folder = Folder::new();
    let long = "x".repeat(300);
    let keys = ["a", "", "..", "../../up", "a", "a#2", "n\nl", ".hidden", &long];
    let mut input = keys.join("\0").into_bytes();
    input.extend(b"\0\xff\0");
    folder.run("--results r -0 -j3 echo").input(input).end().exited(0);
    let mut expected = ["%2E.", "%2E.%2F..%2Fup", "%2Ehidden", "%FF", "%empty", "a", "a#2", "a#2#2", "n%0Al"]
        .map(str::to_owned)
        .to_vec();
    let mut found = names(&folder.file("r"));
    let cut = found.pop().unwrap();
    assert!(cut.len() == 255 && cut.starts_with("xxx"), "{cut}");
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(names(&folder.file(".")), ["r"]);
    assert_eq!(folder.read("r/a#2/stdout"), "a\n");
    assert_eq!(meta(&folder, "r/%FF")["key_base64"], "/w==");
}

#[test]
fn large_outputs_are_there_to_the_last_byte() {
    let folder = Folder::new();
    let ended = folder.run("--results r sleeper 0 --quiet --stdout-bytes 3M --byte-seed {} ::: 7").end();
    let expected = all(7, Stream::Stdout, 3 << 20);
    assert!(ended.exited(0).stdout == expected);
    assert!(fs::read(folder.file("r/7/stdout")).unwrap() == expected);
}

#[test]
fn results_of_an_earlier_run_are_replaced_and_those_of_other_keys_stay() {
    let folder = Folder::new();
    folder.run("--results r echo first ::: a b").end().exited(0);
    let before = meta(&folder, "r/b")["run"].clone();
    folder.run("--results r sh -c").args(words(&["echo again >&2", ":::", "a"])).end().exited(0);
    assert_eq!(names(&folder.file("r")), ["a", "b"]);
    assert_eq!((folder.read("r/a/stdout").as_str(), folder.read("r/a/stderr").as_str()), ("", "again\n"));
    assert_eq!(folder.read("r/b/stdout"), "first b\n");
    assert_eq!(meta(&folder, "r/b")["run"], before);
    assert_ne!(meta(&folder, "r/a")["run"], before);
}

#[test]
fn what_is_no_result_is_not_touched() {
    let folder = Folder::new();
    fs::create_dir_all(folder.file("r/folder")).unwrap();
    fs::create_dir_all(folder.file("elsewhere")).unwrap();
    folder.write("r/folder/mine", "precious").write("r/file", "precious");
    symlink("../elsewhere", folder.file("r/link")).unwrap();
    symlink("../missing", folder.file("r/dangling")).unwrap();
    for key in ["folder", "file", "link", "dangling"] {
        let ended = folder.run("--results r echo").args([":::", key]).end().exited(3).printed("");
        let ended = ended.said(&format!("\"r/{key}\" is in the way"));
        let ended = ended.said("1 job: 1 succeeded, not all recorded and printed");
        // The results are not lost.
        let text = ended.error_text();
        let left = text.split("left in \"").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(folder.read(&format!("{left}/stdout")), format!("{key}\n"));
    }
    assert_eq!(
        (folder.read("r/folder/mine").as_str(), folder.read("r/file").as_str()),
        ("precious", "precious")
    );
    assert!(names(&folder.file("elsewhere")).is_empty() && !folder.has("missing"));
}

#[test]
fn what_could_not_be_started_has_results_too() {
    let folder = Folder::new();
    folder.run("--results r ./missing ::: a").end().exited(1);
    let meta = meta(&folder, "r/a");
    assert_eq!((&meta["outcome"], &meta["status"]), (&"not_started".into(), &127.into()));
    assert_eq!(meta["errno"], 2);
    assert_eq!(folder.read("r/a/stdout"), "");
}

#[test]
fn after_a_signal_the_results_of_what_was_stopped_are_there_and_nothing_half_made() {
    let folder = Folder::new();
    let script = "echo before; : > started; exec sleep 1000";
    let running = folder.run("--results r -j1 sh -c").args([script, ":::", "a", "b"]).start();
    wait_for("the job has started", || folder.has("started"));
    running.signal(Signal::INT);
    running.end().died_of(Signal::INT).printed("before\n");
    assert_eq!(names(&folder.file("r")), ["a"]);
    assert_eq!(folder.read("r/a/stdout"), "before\n");
    assert_eq!(meta(&folder, "r/a")["outcome"], "stopped");
}

#[test]
fn a_folder_that_can_not_be_written_is_an_error_before_any_job() {
    let folder = Folder::new();
    folder.write("file", "");
    // Nobody can write to the last two, not even root.
    for path in ["file", "file/below", "/proc/results", "/proc"] {
        let ended = folder.run("--results").arg(path).args(words(&["touch", "ran", ":::", "a"])).end();
        ended.exited(2).said(&format!("--results {path:?}"));
        assert!(!folder.has("ran"), "{path}");
    }
}

#[test]
fn results_that_find_no_room_end_the_run_and_are_not_shown() {
    let folder = Folder::new();
    let script = "ulimit -f 100; procpool run --results r -j1 -- \
                  sleeper 0 --quiet --stdout-bytes {} ::: 10 60000 10";
    let ended = folder.sh(script).end().exited(3);
    assert_eq!(ended.stdout.len(), 10);
    ended.said("can't write results to \"r\"").said("File too large");
}

#[test]
fn what_procpool_would_never_see_can_not_be_recorded() {
    for flag in ["--results r", "--events log"] {
        let folder = Folder::new();
        let ended = folder.run(&format!("{flag} --output raw touch ran ::: a")).end().exited(2);
        ended.said("and --output raw");
        assert_eq!(folder.files("").len(), 0);
    }
}

#[test]
fn what_a_killed_run_has_left_goes_with_the_next_run_and_nothing_else_does() {
    let folder = Folder::new();
    let script = "[ $PROCPOOL_ATTEMPT = 2 ] || exit 1; : > started; exec sleep 1000";
    let running =
        folder.run("--results r --retries 1 --retry-delay 1ms sh -c").args([script, ":::", "a"]).start();
    wait_for("the second attempt has started", || folder.has("started"));
    let first = || names(&folder.file("r")).pop().map(|left| format!("r/{left}/1/attempt-1/stdout"));
    wait_for("the first is recorded", || first().is_some_and(|path| folder.has(&path)));
    rustix::process::kill_process(Pid::from_raw(running.pool().parse().unwrap()).unwrap(), Signal::KILL)
        .unwrap();
    running.end().died_of(Signal::KILL);
    let left = names(&folder.file("r")).pop().unwrap();
    assert_eq!(folder.read(&format!("r/{left}/1/attempt-1/stdout")), "");

    let alive = format!(".procpool-1-{}", std::process::id());
    // No process has these pids.
    let others = [
        alive.as_str(),
        ".procpool-2-2000000000",
        ".procpool-3-2000000001",
        ".procpool-kept-4-2000000002",
        ".procpool-mine",
    ];
    for name in others {
        fs::create_dir_all(folder.file(&format!("r/{name}/1"))).unwrap();
    }
    let locked = fs::File::open(folder.file("r/.procpool-2-2000000000")).unwrap();
    flock(&locked, FlockOperation::LockExclusive).unwrap();
    folder.write("r/.procpool-3-2000000001/mine", "precious");

    folder.run("--results r --joblog missing/log true ::: a").end().exited(2);
    assert!(folder.has(&format!("r/{left}")));
    folder.run("--results r true ::: a").end().exited(0);
    let mut expected = [&others[..], &["a"]].concat();
    expected.sort_unstable();
    assert_eq!(names(&folder.file("r")), expected);
    assert_eq!(folder.read("r/.procpool-3-2000000001/mine"), "precious");
}
