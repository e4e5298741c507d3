//! A machine or container that doesn't let procpool guard what it starts: it runs nevertheless, and says so
//! once.

use std::process::Command;

use rustix::process::Signal;
use sleeper::needs;
use sleeper::needs::Need;

use crate::faults::tracing::strace;
use crate::processes::kill;
use crate::{Folder, wait_for};

#[test]
fn where_there_can_be_no_second_process_that_is_said_once_and_the_run_goes_on() {
    needs!(Strace);
    // The first clone(2) of the first thread is the fork. Threads and jobs are made by other calls or
    // threads.
    let strace = ["-o", "trace", "-e", "trace=clone", "-e", "inject=clone:error=EPERM:when=1"];
    for (job, status) in [("true", 0), ("false", 1)] {
        let folder = Folder::new();
        let ended =
            folder.command("strace").args(strace).args(["procpool", "run", job, ":::", "a", "b"]).end();
        let ended = ended.exited(status).said("procpool: no guardian: can't make a second process: ");
        assert_eq!(ended.error_text().matches("no guardian").count(), 1);
        assert!(folder.read("trace").contains("(INJECTED)"));
    }
}

/// A process of ours that procpool must never touch.
fn bystander() -> std::process::Child {
    Command::new("sleep").arg("86400").spawn().unwrap()
}

#[test]
fn a_proc_of_another_pid_namespace_is_not_believed_and_nobody_is_killed_by_its_numbers() {
    needs!(Pids);
    let folder = Folder::new();
    let mut bystanders: Vec<_> = (0..3).map(|_| bystander()).collect();
    // Jobs that time out, leak, or leave a process: in each case procpool searches for processes.
    folder.write(
        "job",
        "case $1 in
            slow) exec sleep 1000 ;;
            leak) setsid -f sleep 1000; echo $1 ;;
            left) setsid -f sleep 1000 >/dev/null 2>&1 </dev/null; echo $1 ;;
            *) echo $1 ;;
        esac",
    );
    let ended = folder
        .command("unshare")
        .args(Need::Pids.unshare().into_iter().filter(|option| *option != "--mount-proc"))
        .args(["procpool", "run", "-j4", "-k", "--timeout", "1s", "--grace", "0.1s", "sh", "job", ":::"])
        .args(["a", "slow", "leak", "left"])
        .end();
    let ended = ended.exited(1).printed("a\nleak\nleft\n");
    let weaker = "procpool: no guardian: /proc is that of another PID namespace; ";
    assert_eq!(ended.said(weaker).error_text().matches("namespace").count(), 1);
    for bystander in &mut bystanders {
        assert!(bystander.try_wait().unwrap().is_none());
        bystander.kill().unwrap();
        bystander.wait().unwrap();
    }
}

#[test]
fn as_the_first_process_of_a_container_it_runs_ends_by_a_signal_and_leaves_nothing() {
    needs!(Pids);
    for (signal, status) in [(None, 0), (Some(Signal::TERM), 128 + 15), (Some(Signal::INT), 128 + 2)] {
        let folder = Folder::new();
        folder.write("job", "setsid -f sleep 1000 >/dev/null 2>&1 </dev/null; echo x > begun; until [ -e go ]; do sleep 0.01; done");
        let running = folder
            .command("unshare")
            .args(Need::Pids.unshare())
            .args(["procpool", "run", "sh", "job", ":::", "a"])
            .start();
        wait_for("the job to have begun", || folder.has("begun"));
        match signal {
            None => drop(folder.write("go", "").clone()),
            Some(signal) => kill(&running.keeper(), signal),
        }
        running.end().exited(status);
    }
}

#[test]
fn in_a_namespace_whose_session_begins_outside_of_it_a_leak_is_found_all_the_same() {
    needs!(Pids);
    let folder = Folder::new();
    let words = ["procpool", "run", "sh", "-c", "setsid -f sleep 1000; echo $0", ":::", "a"];
    folder.command("unshare").args(Need::Pids.unshare()).args(words).end().exited(0).printed("a\n");
}

#[test]
fn where_there_is_no_room_for_the_first_processes_and_threads_they_are_asked_for_again() {
    needs!(Strace);
    let folder = Folder::new();
    let words =
        ["-e", "trace=clone,clone3,fork,vfork", "-e", "inject=clone,clone3,fork,vfork:error=EAGAIN:when=1"];
    let words = words.into_iter().chain(["procpool", "run", "-k", "echo", ":::", "a", "b", "c"]);
    let ended = strace(&folder, &words.collect::<Vec<_>>()).end().exited(0).printed("a\nb\nc\n");
    assert!(folder.read("log").matches("(INJECTED)").count() >= 3);
    // Jobs that had to wait for room have said so.
    let said = ended.error_text();
    assert!(said.lines().all(|line| line.starts_with("procpool: no room for another process: ")), "{said}");
}

#[test]
fn a_pool_that_can_not_follow_its_keeper_says_so_once_and_runs() {
    needs!(Strace);
    let folder = Folder::new();
    let words =
        ["-e", "trace=prctl", "-e", "inject=prctl:error=EPERM", "procpool", "run", "echo", ":::", "a"];
    let ended = strace(&folder, &words).end().exited(0).printed("a\n");
    let said = ended.error_text();
    assert_eq!((said.lines().count(), said.starts_with("procpool: ")), (1, true), "{said}");
}
