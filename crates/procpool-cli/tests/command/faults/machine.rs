//! A machine that has no room for another process, descriptor or thread: jobs wait, and none is lost.

use std::process::Command;

use sleeper::needs;

use crate::faults::tracing::{BIRTHS, meddle, strace};
use crate::{Ended, Folder, Running};

fn values(count: usize) -> String {
    (1..=count).fold(String::new(), |values, n| values + &n.to_string() + "\n")
}

/// A run in which some calls fail.
struct Meddled {
    folder: Folder,
    run: Running,
    meddler: Running,
}

impl Meddled {
    /// A run of `jobs` jobs. A first job has run undisturbed before, so that all of procpool's threads exist.
    fn start(limit: usize, jobs: usize, calls: &str, what: &str) -> Meddled {
        let folder = Folder::new();
        let mut run = folder.run(&format!("-k -j{limit} echo")).open_input().start();
        run.write("first\n");
        run.has_printed("first\n");
        let meddler = meddle(&folder, &run, calls, what);
        run.write(&values(jobs));
        Meddled { folder, run, meddler }
    }

    /// Checks that all jobs have run, and returns the number of calls that failed.
    #[track_caller]
    fn end(self, jobs: usize) -> (Ended, usize) {
        let ended = self.run.end().exited(0).printed(format!("first\n{}", values(jobs)));
        self.meddler.end().exited(0);
        (ended, self.folder.read("log").matches("(INJECTED)").count())
    }
}

/// The shortage is reported once, however often it occurs.
#[track_caller]
fn said_once(ended: &Ended) {
    let said = ended.error_text();
    let line = said.starts_with("procpool: no room for another process: ");
    assert!(line && said.lines().count() == 1, "{said:?}");
}

/// Lets the nth call fail, for each of these numbers in a run of its own, some runs at a time. Without a
/// second worker, exactly one call fails in each run.
#[track_caller]
fn fails_at_each(numbers: std::ops::RangeInclusive<usize>, calls: &str, error: &str, says: fn(&Ended)) {
    let numbers: Vec<usize> = numbers.collect();
    let jobs = 20;
    for some in numbers.chunks(4) {
        let start = |number: &usize| Meddled::start(1, jobs, calls, &format!("error={error}:when={number}"));
        let started: Vec<Meddled> = some.iter().map(start).collect();
        for meddled in started {
            let (ended, failed) = meddled.end(jobs);
            assert_eq!(failed, 1);
            says(&ended);
        }
    }
}

#[test]
fn whichever_start_of_a_process_fails_for_want_of_tasks_no_job_is_lost() {
    needs!(Attach);
    fails_at_each(1..=20, BIRTHS, "EAGAIN", said_once);
}

#[test]
fn whichever_start_of_a_process_fails_for_want_of_memory_no_job_is_lost() {
    needs!(Attach);
    fails_at_each(1..=20, BIRTHS, "ENOMEM", said_once);
}

#[test]
fn whichever_pipe_fails_for_want_of_descriptors_no_job_is_lost() {
    needs!(Attach);
    fails_at_each(1..=12, "pipe2", "EMFILE", said_once);
}

#[test]
fn where_starts_of_all_workers_fail_no_job_is_lost() {
    needs!(Attach);
    for (error, last) in [("EAGAIN", 4), ("ENOMEM", 4)] {
        // The first calls include those that make the other workers.
        let start = |number| Meddled::start(4, 60, BIRTHS, &format!("error={error}:when={number}"));
        let started: Vec<Meddled> = (1..=last).map(start).collect();
        for meddled in started {
            let (ended, failed) = meddled.end(60);
            assert!(failed >= 1, "nothing failed");
            let said = ended.error_text();
            assert!(said.lines().count() <= 1, "{said}");
        }
    }
}

#[test]
fn where_every_other_start_fails_no_job_is_lost() {
    needs!(Attach);
    let (ended, failed) = {
        let meddled = Meddled::start(4, 100, BIRTHS, "error=EAGAIN:when=1+2");
        meddled.end(100)
    };
    said_once(&ended);
    assert!(failed >= 50, "{failed} starts failed");
}

#[test]
fn a_keeper_that_can_not_be_is_said_once_and_the_run_goes_on() {
    needs!(Strace);
    let folder = Folder::new();
    // Without `-f`, only the first thread is traced, which starts no job.
    let options = ["-o", "log", "-e", "trace=clone,fork", "-e", "inject=clone,fork:error=EAGAIN:when=1..30"];
    let trial = folder.command("strace").args(options);
    let trial = trial.args(["procpool", "run", "-k", "echo", ":::", "a", "b", "c"]);
    let ended = trial
        .end()
        .exited(0)
        .printed("a\nb\nc\n")
        .said("procpool: no guardian: can't make a second process: ");
    assert_eq!(ended.error_text().lines().count(), 1);
}

#[test]
fn where_a_thread_of_procpools_own_can_not_be_made_it_says_so_and_counts_nothing_as_done() {
    needs!(Strace);
    for number in 1..=5 {
        let folder = Folder::new();
        let inject = format!("inject=clone3:error=EAGAIN:when={number}");
        let options =
            ["-e", "trace=clone3", "-e", &inject, "procpool", "run", "-j1", "-k", "echo", ":::", "a", "b"];
        let ended = strace(&folder, &options).end();
        if ended.status.code() == Some(0) {
            ended.printed("a\nb\n");
        } else {
            let said = ended.exited(3).error_text();
            assert!(said.starts_with("procpool: can't ") && said.lines().count() == 1, "{said}");
        }
    }
}

#[test]
fn no_job_is_started_by_a_copy_of_procpool() {
    needs!(Strace);
    let folder = Folder::new();
    let jobs = "[defaults]\nenv = { A = 'b' }\ncwd = '/'\nstdin = 'text'\n[jobs]\na = ['cat']\nb = ['cat']\n\
                c = ['./none']\nd = { cmd = ['cat'], timeout = '90s' }\n";
    folder.write("jobs.toml", jobs);
    let trace = format!("trace={BIRTHS}");
    let words = ["-e", &trace, "procpool", "run", "--file", "jobs.toml"];
    strace(&folder, &words).end().exited(1).printed("texttexttext");
    let log = folder.read("log");
    // Lines that only report the result of a call name no flags.
    let calls = log.lines().filter(|line| line.contains("clone") || line.contains("fork("));
    let calls: Vec<&str> = calls.filter(|line| !line.contains("resumed>")).collect();
    let spawns = calls.iter().filter(|call| call.contains("CLONE_VM|") && !call.contains("CLONE_THREAD"));
    let copies: Vec<&&str> = calls.iter().filter(|call| !call.contains("CLONE_VM")).collect();
    // A missing program may be noticed before there is a process.
    assert!((3..=4).contains(&spawns.count()), "{log}");
    assert_eq!(
        copies.len(),
        2,
        "the front makes the keeper, that the pool, and nobody else a copy: {copies:?}"
    );
}

/// The beginning of a command line whose program may have this many tasks. `ulimit` isn't used, because not
/// every sh can limit tasks with it.
fn with_few_tasks(user: u32, most: u32) -> String {
    let id = Command::new("id").arg("-u").output().unwrap();
    match id.stdout.as_slice() {
        // A user of its own, who has no other tasks.
        b"0\n" => {
            format!("setpriv --reuid {user} --regid {user} --clear-groups prlimit --nproc={most}:{most}")
        }
        _ => {
            let count =
                "find /proc -maxdepth 3 -path '/proc/[0-9]*/task/*' -user $(id -u) 2> /dev/null | wc -l";
            format!("prlimit --nproc=$(( $({count}) + {most} ))")
        }
    }
}

#[test]
fn where_no_second_worker_can_be_had_the_first_runs_all_jobs() {
    let folder = Folder::new();
    folder.sh("chmod 755 . && cp \"$(command -v procpool)\" tool").end().exited(0);
    // Room for two processes with their threads, one worker and its job. While the first job runs, other
    // workers are refused again and again.
    let script = format!(
        "(for value in 2 0.1 0.1 0.1; do echo $value; sleep 0.2; done) | {} ./tool run -j6 -- sleep",
        with_few_tasks(61236, 8)
    );
    // On a busy machine one of procpool's own threads may be refused instead. procpool says so then, and the
    // try proves nothing.
    let mut tries = (0..20).map(|_| folder.sh(&script).end());
    let seen = tries.find(|ended| !ended.error_text().contains("procpool: can't start a thread"));
    seen.expect("it always lacked a thread of its own").exited(0);
}

#[test]
fn where_a_user_may_have_few_processes_fewer_run_at_once_and_none_is_lost() {
    let folder = Folder::new();
    // Another user can't enter the folder with our binary.
    folder.sh("chmod 755 . && cp \"$(command -v procpool)\" tool").end().exited(0);
    // Two processes, five threads of procpool's own, workers, and jobs.
    let script = format!("{} ./tool run -j40 --summary always -- sleep", with_few_tasks(61237, 20));
    let ended =
        folder.sh(&script).input("0.05\n".repeat(100)).end().exited(0).said("100 jobs: 100 succeeded; ");
    // The lack of room is reported once, or not at all if only threads were refused.
    assert!(ended.error_text().lines().count() <= 2, "{}", ended.error_text());
}
