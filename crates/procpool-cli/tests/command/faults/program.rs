//! Programs that can't be started, and arguments that can't be passed: that job fails, and no other.

use std::fs::{self, File};

use sleeper::needs;

use crate::faults::tracing::strace;
use crate::{Folder, PROCPOOL, wait_for};

/// The limit of execve(2) for one argument, with its terminating NUL.
const LONGEST_ARGUMENT: usize = 128 * 1024;

#[test]
fn an_argument_of_128_kib_fails_alone_and_one_a_byte_shorter_arrives() {
    let fits = "x".repeat(LONGEST_ARGUMENT - 1);
    let ended = Folder::new().run("-k echo").input(format!("a\n{fits}\n{fits}x\nb\n")).end().exited(1);
    let ended = ended.printed(format!("a\n{fits}\nb\n")).said("3 succeeded, 1 failed");
    ended.said("not started: program \"echo\": Argument list too long");
}

#[test]
fn more_arguments_than_the_system_takes_fail_alone() {
    let arguments = vec![format!("\"{}\"", "x".repeat(100_000)); 70].join(",");
    let folder = Folder::new();
    let jobs = format!("{{\"a\":[\"echo\",\"a\"],\"many\":[\"echo\",{arguments}],\"b\":[\"echo\",\"b\"]}}");
    let ended = folder.write("jobs.json", jobs).run("-k --file jobs.json").end().exited(1);
    ended.printed("a\nb\n").said("\n  many: not started: program \"echo\": Argument list too long");
}

#[test]
fn a_program_of_another_machine_fails_alone_and_is_not_given_to_a_shell() {
    let folder = Folder::new();
    let mut program = fs::read(PROCPOOL).unwrap();
    // The field for the machine, elf(5). No machine has this number.
    program[18..20].copy_from_slice(&[0xfe, 0xca]);
    folder.write("bytes", program);
    folder.sh("cat bytes > foreign && chmod 755 foreign").end().exited(0);
    let ended = folder.run("-k {} ::: pwd ./foreign pwd").end().exited(1).said("2 succeeded, 1 failed");
    ended.said("  ./foreign: not started: program \"./foreign\": Exec format error");
}

#[test]
fn a_program_that_is_still_being_written_is_tried_again_and_runs() {
    needs!(Strace);
    let folder = Folder::new();
    folder.write_program("script", "#!/bin/sh\necho ran\n");
    let writer = File::options().append(true).open(folder.file("script")).unwrap();
    let words = ["-e", "trace=execve", "procpool", "run", "./script", ":::", "a"];
    let running = strace(&folder, &words).start();
    wait_for("a try that failed, or a kernel that lets it run", || {
        let log = fs::read_to_string(folder.file("log")).unwrap_or_default();
        log.contains("ETXTBSY") || running.stdout.is_over()
    });
    drop(writer);
    running.end().exited(0).printed("ran\n").silent();
}

#[test]
fn a_program_whose_writer_never_ends_fails_alone_after_a_few_tries() {
    needs!(Strace);
    let folder = Folder::new();
    folder.write_program("script", "#!/bin/sh\necho ran\n");
    // Replaces a writer of the file, which some kernels allow: the first start of each process fails, and
    // each try is a new process.
    let job = ["-e", "trace=execve", "-e", "inject=execve:error=ETXTBSY:when=1", "-P"];
    let script = folder.file("script");
    let words = ["procpool", "run", "-k", "{}", ":::", "pwd"];
    let trial = strace(&folder, &job).arg(&script).args(words).arg(&script).arg("pwd");
    let ended = trial.end().exited(1).said("2 succeeded, 1 failed").said("Text file busy");
    assert_eq!(ended.text().lines().count(), 2);
    let tries = folder.read("log").matches("ETXTBSY").count();
    assert!((3..=20).contains(&tries), "{tries} tries");
}
