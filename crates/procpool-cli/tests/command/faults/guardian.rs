//! No process of a run survives, whichever of procpool's three processes is killed and whatever a job has
//! left behind.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, kill_process_group, prlimit};

use crate::processes::{children, is_gone, kill, lives, number, pids, state};
use crate::{DEADLINE, Folder, Running, comes_true, wait_for};

/// Ignores the signals that ask it to end, and leaves behind, with its output open: a process of its group
/// whose parent is gone, one in a session of its own, and a daemon in a third session.
const LEAVER: &str = "trap '' TERM INT HUP QUIT
stay='echo $$ > new.$$; mv new.$$ pid.$1.$$; exec sleep 1000'
sh -c 'sh -c \"$1\" sh \"$2\" &' sh \"$stay\" $1
setsid -f sh -c \"$stay\" sh $1
setsid sh -c 'sh -c \"$1\" sh \"$2\" & exit' sh \"$stay\" $1
[ -z \"$2\" ] || exit 0
eval \"$stay\"";

const PROCESSES_OF_A_LEAVER: usize = 4;

#[derive(Clone, Copy, Debug)]
enum Victim {
    Front,
    Keeper,
    Pool,
}

const EACH: [Victim; 3] = [Victim::Front, Victim::Keeper, Victim::Pool];

impl Victim {
    fn pid(self, running: &Running) -> String {
        match self {
            Victim::Front => running.pid().to_string(),
            Victim::Keeper => running.keeper(),
            Victim::Pool => running.pool(),
        }
    }
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("leaver", LEAVER);
    folder
}

#[track_caller]
pub(super) fn wait_gone(pids: &[String]) {
    wait_for("all to be gone", || pids.iter().all(|pid| is_gone(pid)));
}

#[test]
fn whichever_of_the_three_is_killed_nothing_that_the_jobs_have_left_is_left_a_second_later() {
    for victim in EACH {
        let within_a_second = (0..3).any(|_| {
            let folder = folder();
            let running = folder.run("-j3 sh leaver ::: 1 2 3").start();
            let own = EACH.map(|process| process.pid(&running));
            let pids = pids(&folder, "pid.", 3 * PROCESSES_OF_A_LEAVER);
            let killed = Instant::now();
            kill(&victim.pid(&running), Signal::KILL);
            wait_gone(&pids);
            wait_gone(&own);
            let took = killed.elapsed();
            running.end().died_of(Signal::KILL).printed("");
            took < Duration::from_secs(1)
        });
        assert!(within_a_second, "{victim:?}");
    }
}

#[test]
fn what_the_pool_has_left_is_ended_also_by_a_keeper_that_can_open_nothing_for_a_while() {
    let folder = folder();
    let running = folder.run("sh leaver ::: 1").start();
    let (keeper, pool) = (number(&running.keeper()), running.pool());
    let pids = pids(&folder, "pid.", PROCESSES_OF_A_LEAVER);
    // The keeper's standard descriptors and sockets stay open, but poll(2) refuses to wait for more
    // descriptors than this limit.
    let none_more = Rlimit { current: Some(3), ..getrlimit(Resource::Nofile) };
    let before = prlimit(Some(keeper), Resource::Nofile, none_more).unwrap();
    kill(&pool, Signal::KILL);
    wait_for("the keeper to have reaped the pool", || state(&pool).is_none());
    prlimit(Some(keeper), Resource::Nofile, before).unwrap();
    running.end().died_of(Signal::KILL);
    wait_gone(&pids);
}

#[test]
fn killed_as_a_group_or_two_at_once_they_leave_nothing() {
    type Blow = fn(&Running);
    let blows: [(&str, Blow); 4] = [
        ("its process group", |running| kill_process_group(running.pid(), Signal::KILL).unwrap()),
        ("front and keeper", |running| kill_all(&[running.keeper(), running.pid().to_string()])),
        ("front and pool", |running| kill_all(&[running.pool(), running.pid().to_string()])),
        ("keeper and pool", |running| kill_all(&[running.pool(), running.keeper()])),
    ];
    for (what, blow) in blows {
        let folder = folder();
        let running = folder.run("-j3 sh leaver ::: 1 2 3").own_group().start();
        let own = EACH.map(|process| process.pid(&running));
        let pids = pids(&folder, "pid.", 3 * PROCESSES_OF_A_LEAVER);
        blow(&running);
        assert!(comes_true(DEADLINE, || pids.iter().chain(&own).all(|pid| is_gone(pid))), "{what}");
        running.end().died_of(Signal::KILL);
    }
}

/// Like `kill -9 PID PID`.
fn kill_all(pids: &[String]) {
    let numbers: Vec<Pid> = pids.iter().map(|pid| number(pid)).collect();
    for pid in numbers {
        kill_process(pid, Signal::KILL).unwrap();
    }
}

#[test]
fn a_group_that_is_killed_while_it_is_stopped_or_in_the_grace_time_leaves_nothing() {
    for before in [Signal::TSTP, Signal::TERM, Signal::STOP] {
        let folder = folder();
        let running = folder.run("-j3 --grace 1h sh leaver ::: 1 2 3").own_group().start();
        let pids = pids(&folder, "pid.", 3 * PROCESSES_OF_A_LEAVER);
        let pool = running.pool();
        kill_process_group(running.pid(), before).unwrap();
        if before != Signal::TERM {
            wait_for("the pool to be stopped", || state(&pool) == Some('T'));
        }
        kill_process_group(running.pid(), Signal::KILL).unwrap();
        wait_gone(&pids);
        running.end().died_of(Signal::KILL);
    }
}

#[test]
fn a_pool_that_is_stopped_does_not_outlive_who_guards_it_and_nor_do_its_jobs() {
    for victim in [Victim::Front, Victim::Keeper] {
        let folder = folder();
        let running = folder.run("-j3 sh leaver ::: 1 2 3").start();
        let pids = pids(&folder, "pid.", 3 * PROCESSES_OF_A_LEAVER);
        let (front, pool) = (running.pid().to_string(), running.pool());
        kill(&pool, Signal::STOP);
        wait_for("both to be stopped", || [&pool, &front].iter().all(|pid| state(pid) == Some('T')));
        kill(&victim.pid(&running), Signal::KILL);
        wait_gone(&pids);
        wait_gone(&[pool]);
        if state(&front) == Some('T') {
            kill(&front, Signal::CONT);
        }
        running.end().died_of(Signal::KILL);
    }
}

#[test]
fn who_shares_its_group_is_not_hung_up_on_where_it_loses_its_keeper_while_it_is_stopped() {
    // An orphaned process group. If a group becomes orphaned while a member is stopped, the kernel sends HUP
    // to all of it.
    let folder = folder();
    let script = "procpool run -j1 sh leaver ::: 1 & wait $!; echo $?";
    let shell = folder.command("setsid").args(["sh", "-c", script]).start();
    let pids = pids(&folder, "pid.", PROCESSES_OF_A_LEAVER);
    let front = children(&shell.pid().to_string()).pop().unwrap();
    let keeper = children(&front).pop().unwrap();
    let pool = children(&keeper).pop().unwrap();
    kill(&pool, Signal::STOP);
    wait_for("both to be stopped", || [&pool, &front].iter().all(|pid| state(pid) == Some('T')));
    kill(&keeper, Signal::KILL);
    wait_gone(&pids);
    wait_gone(&[pool]);
    kill(&front, Signal::CONT);
    shell.end().exited(0).printed("137\n");
}

#[test]
fn a_stopped_pool_that_is_killed_leaves_nothing_though_the_front_is_still_stopped() {
    let folder = folder();
    let running = folder.run("-j3 sh leaver ::: 1 2 3").start();
    let pids = pids(&folder, "pid.", 3 * PROCESSES_OF_A_LEAVER);
    let (front, pool) = (running.pid().to_string(), running.pool());
    kill(&pool, Signal::STOP);
    wait_for("the front to be stopped", || state(&front) == Some('T'));
    kill(&pool, Signal::KILL);
    wait_gone(&pids);
    assert_eq!(state(&front), Some('T'));
    kill(&front, Signal::CONT);
    running.end().died_of(Signal::KILL);
}

#[test]
fn where_nobody_could_continue_it_a_stop_stops_nothing_for_good() {
    // The leader of a session: no shell could continue it.
    let folder = folder();
    let running = folder.command("setsid").args(["procpool", "run", "sh", "leaver", ":::", "1"]).start();
    let pids = pids(&folder, "pid.", PROCESSES_OF_A_LEAVER);
    running.signal(Signal::TSTP);
    running.signal(Signal::INT);
    running.signal(Signal::INT);
    wait_gone(&pids);
    running.end().died_of(Signal::INT);
}

#[test]
fn killed_before_the_first_job_has_started_the_others_end_as_well() {
    for victim in EACH {
        // It waits for values in one case, and for the writer of its job file in the other.
        for options in ["sleep", "--file jobs.json"] {
            let folder = Folder::new();
            folder.sh("mkfifo jobs.json").end().exited(0);
            let mut running = folder.run(options).open_input().start();
            let own = EACH.map(|process| process.pid(&running));
            kill(&victim.pid(&running), Signal::KILL);
            // The input stays open until all processes are gone.
            let input = running.stdin.take();
            wait_gone(&own);
            running.end().died_of(Signal::KILL).printed("").silent();
            drop(input);
        }
    }
}

#[test]
fn who_waits_for_its_job_file_ends_when_told_to() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        let folder = Folder::new();
        folder.sh("mkfifo jobs.json").end().exited(0);
        let running = folder.run("--file jobs.json").start();
        running.pool();
        running.signal(Signal::USR1);
        running.signal(signal);
        running.end().died_of(signal).printed("");
    }
}

/// The first job times out, and the second ends once the file `go` exists.
fn slow_and_other(command: &str, slow: &str) -> String {
    let job = |name: &str, then: &str| format!("[{command:?}, \"sh\", \"{name}\", {then:?}]");
    let until_go = "until [ -e go ]; do sleep 0.01; done";
    format!(
        r#"{{"jobs": {{"slow": {{"cmd": ["sh", "-c", {}, "timeout": "{slow}"}}, "other": {{"cmd": ["sh", "-c", {}}}}}}}"#,
        &job("slow", "exec sleep 1000")[1..],
        &job("other", until_go)[1..],
    )
}

#[track_caller]
fn only_the_slow_ones_leftovers_go(folder: &Folder, running: Running) {
    let slow = pids(folder, "pid.slow.", PROCESSES_OF_A_LEAVER - 1);
    let other = pids(folder, "pid.other.", PROCESSES_OF_A_LEAVER - 1);
    wait_gone(&slow);
    assert!(other.iter().all(|pid| !is_gone(pid)), "those of another job were touched");
    assert!(!is_gone(&running.pid().to_string()), "the run is over");
    folder.write("go", "");
    running.end().exited(1).said("  slow: timed out");
    wait_gone(&other);
}

#[test]
fn what_left_the_session_is_gone_when_its_job_timed_out_and_what_others_have_left_is_not_touched() {
    let folder = folder();
    let command = "sh leaver $1 leave >/dev/null 2>&1; eval \"$2\"";
    folder.write("jobs.json", slow_and_other(command, "3s"));
    let running = folder.run("--file jobs.json").start();
    only_the_slow_ones_leftovers_go(&folder, running);
}

#[test]
fn also_where_the_job_is_a_procpool() {
    let folder = folder();
    let command =
        "exec procpool run sh -c 'sh leaver $1 leave >/dev/null 2>&1; eval \"$2\"' sh $1 ::: \"$2\"";
    folder.write("jobs.json", slow_and_other(command, "3s"));
    let running = folder.run("--file jobs.json").start();
    only_the_slow_ones_leftovers_go(&folder, running);
}

#[test]
fn also_where_the_procpool_that_the_job_is_was_killed_and_could_do_nothing() {
    let folder = folder();
    // Its front and its pool belong to the group that is killed after the grace time.
    let command =
        "trap '' TERM; sh leaver $1 leave >/dev/null 2>&1; procpool run sh -c 'eval \"$1\"' sh ::: \"$2\"";
    folder.write("jobs.json", slow_and_other(command, "3s"));
    let running = folder.run("--file jobs.json").start();
    only_the_slow_ones_leftovers_go(&folder, running);
}

#[test]
fn within_a_procpool_a_procpool_ends_what_its_own_job_has_left_and_no_more() {
    let folder = folder();
    let command = "sh leaver $1 leave >/dev/null 2>&1; eval \"$2\"";
    folder.write("jobs.json", slow_and_other(command, "3s"));
    let running = folder.run("procpool run --file ::: jobs.json").start();
    let slow = pids(&folder, "pid.slow.", PROCESSES_OF_A_LEAVER - 1);
    let other = pids(&folder, "pid.other.", PROCESSES_OF_A_LEAVER - 1);
    wait_gone(&slow);
    assert!(other.iter().all(|pid| !is_gone(pid)));
    folder.write("go", "");
    running.end().exited(1).said("  slow: timed out");
    wait_gone(&other);
}

#[test]
fn what_the_shell_started_before_it_became_procpool_is_left_alone() {
    for victim in [None, Some(Victim::Front), Some(Victim::Keeper), Some(Victim::Pool)] {
        let folder = Folder::new();
        folder.write("job", "echo $$ > pid.job; until [ -e go ]; do sleep 0.01; done");
        let script = "sleep 1000 >/dev/null 2>&1 & echo $! > pid.before; exec procpool run sh ::: job";
        let running = folder.sh(script).start();
        let before = pids(&folder, "pid.before", 1);
        let job = pids(&folder, "pid.job", 1);
        let keeper =
            children(&running.pid().to_string()).into_iter().find(|child| *child != before[0]).unwrap();
        let pool = children(&keeper).concat();
        // The parent of a process is notified when it is stopped and continued, but it has not ended.
        kill(&before[0], Signal::STOP);
        wait_for("it to stop", || state(&before[0]) == Some('T'));
        kill(&before[0], Signal::CONT);
        match victim {
            None => drop(folder.write("go", "").clone()),
            Some(Victim::Front) => running.signal(Signal::KILL),
            Some(Victim::Keeper) => kill(&keeper, Signal::KILL),
            Some(Victim::Pool) => kill(&pool, Signal::KILL),
        }
        let ended = running.end();
        assert_eq!(ended.status.code(), victim.is_none().then_some(0), "{}", ended.describe());
        wait_gone(&job);
        wait_gone(&[pool]);
        assert!(lives(&before[0]));
        kill(&before[0], Signal::KILL);
    }
}

#[test]
fn nothing_is_left_of_a_run_whose_keeper_is_killed_as_its_last_job_ends() {
    for _ in 0..10 {
        let folder = Folder::new();
        let script = "setsid sh -c 'echo $$ > pid.left; exec sleep 1000' </dev/null >/dev/null 2>&1 &
            until [ -s pid.left ]; do sleep 0.01; done
            read -r _ _ _ keeper _ < /proc/$PPID/stat; kill -9 $keeper";
        folder.write("job", script);
        let ended = folder.run("sh job ::: a").end().died_of(Signal::KILL);
        let left = pids(&folder, "pid.left", 1);
        wait_for("what the job left to be gone", || is_gone(&left[0]));
        assert!(ended.stdout.is_empty());
    }
}
