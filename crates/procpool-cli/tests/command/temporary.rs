//! The temporary directory, which holds large outputs: missing, unwritable, full.

use sleeper::bytes::{Stream, all};
use sleeper::needs;

use crate::{Ended, Folder, mounts};

/// Nobody can write there, not even root.
const UNUSABLE: [&str; 3] = ["/nonexistent/directory", "/proc", "/dev/null"];

const LARGE: &str = "sleeper 0 --quiet --stdout-bytes 3M --byte-seed";

#[test]
fn where_the_temporary_directory_is_of_no_use_large_outputs_go_to_memory_and_that_is_said_once() {
    for directory in UNUSABLE {
        let folder = Folder::new();
        let ended = folder.run(&format!("-j1 {LARGE} ::: 4 5")).env("TMPDIR", directory).end().exited(0);
        let expected = [all(4, Stream::Stdout, 3 << 20), all(5, Stream::Stdout, 3 << 20)].concat();
        let ended = ended.printed(expected).said("large outputs go to /dev/shm").said(directory);
        assert_eq!(ended.said("set TMPDIR to").error_text().lines().count(), 1);
    }
}

#[test]
fn where_nothing_is_captured_nobody_asks_for_a_temporary_directory() {
    for directory in UNUSABLE {
        let run = Folder::new().run("--output raw echo {} ::: said");
        run.env("TMPDIR", directory).end().exited(0).printed("said\n").silent();
    }
}

#[test]
fn without_any_directory_large_outputs_go_to_a_file_that_has_none() {
    needs!(Mounts);
    let folder = Folder::new();
    let script = format!("mount -t tmpfs -o ro none /dev/shm && procpool run {LARGE} ::: 4");
    let ended = mounts::sh(&folder, &script)
        .env("TMPDIR", "/nonexistent")
        .end()
        .exited(0)
        .said("large outputs go to memory");
    ended.printed(all(4, Stream::Stdout, 3 << 20));
}

#[test]
fn where_large_outputs_have_no_place_at_all_it_is_said_before_any_job_has_run() {
    needs!(Strace, Mounts);
    let folder = Folder::new();
    let fence = "strace -f -o log -e trace=memfd_create -e inject=memfd_create:error=EPERM";
    let script = format!("mount -t tmpfs -o ro none /dev/shm && {fence} procpool run touch {{}} ::: ran");
    let ended = mounts::sh(&folder, &script).env("TMPDIR", "/nonexistent").end().exited(2).printed("");
    ended.said("/nonexistent").said("set TMPDIR to");
    assert!(!folder.has("ran"));
}

/// Two jobs one after the other. The output of the second exceeds the available room.
const JOBS: &str = "procpool run -j1 -- sh -c \
                    'sleeper 0 --quiet --stdout-bytes {} --byte-seed 4; : > written{}' ::: 10 3M";

/// Checks the result of [`JOBS`]: of the large output, only the beginning is printed.
#[track_caller]
fn is_incomplete(folder: &Folder, ended: Ended, reason: &str) {
    let ended = ended.exited(3).said("the output of job \"3M\" could not be kept").said(reason);
    let large = &ended.stdout[10..];
    assert!(ended.stdout[..10] == all(4, Stream::Stdout, 10));
    assert!((64 << 10..3 << 20).contains(&large.len()), "{} bytes", large.len());
    assert!(*large == all(4, Stream::Stdout, large.len()), "of {} bytes", large.len());
    assert!(folder.has("written3M"), "the job was let run to its end");
}

#[test]
fn past_the_limit_of_a_files_size_an_output_is_incomplete_and_procpool_lives() {
    let folder = Folder::new();
    let ended = folder.sh(&format!("ulimit -f 1000; {JOBS}")).end();
    is_incomplete(&folder, ended, "File too large");
}

#[test]
fn on_a_full_disk_an_output_is_incomplete() {
    needs!(Mounts);
    let folder = Folder::new();
    let mount = "mkdir small && mount -t tmpfs -o size=1m none small && export TMPDIR=$PWD/small";
    let ended = mounts::sh(&folder, &format!("{mount}; {JOBS}")).end();
    is_incomplete(&folder, ended, "No space left on device");
}

#[test]
fn a_standard_output_past_the_limit_of_a_files_size_is_said_and_is_no_success() {
    let folder = Folder::new();
    // No output is large, so that only standard output's file gets too large.
    let script =
        "ulimit -f 1000; seq 20 | procpool run -k sleeper 0 --quiet --stdout-bytes 60000 --byte-seed";
    let ended = folder.sh(&format!("{script} > out")).end().exited(3);
    ended.said("can't write to standard output").said("File too large");
    let written = std::fs::read(folder.file("out")).unwrap();
    let expected: Vec<u8> = (1..=20).flat_map(|seed| all(seed, Stream::Stdout, 60_000)).collect();
    assert!(written.len() >= 8 * 60_000 && expected.starts_with(&written), "{} bytes", written.len());
}

#[test]
fn two_that_share_a_file_as_their_standard_output_overwrite_nothing() {
    let folder = Folder::new();
    let one = "procpool run -- sh -c 'seq -f {}%.0f 200000' :::";
    folder.sh(&format!("{{ {one} a & {one} b; wait; }} > out")).end().exited(0).silent();
    // Pieces of the two may alternate anywhere, but all of both is there.
    let written = folder.read("out");
    assert_eq!(['a', 'b'].map(|sign| written.matches(sign).count()), [200_000; 2]);
    let length: usize = (1..=200_000).map(|n| format!("a{n}\n").len()).sum();
    assert_eq!(written.len(), 2 * length);
}
