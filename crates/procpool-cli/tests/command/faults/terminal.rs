//! procpool on a terminal, in a shell with job control, as a user runs it.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::processes::{children, is_gone, is_stopped, kill, pids, state};
use crate::terminal::Terminal;
use crate::{DEADLINE, Folder, Running, comes_true, wait_for};

const CTRL_Z: &str = "\x1a";
const CTRL_D: &str = "\x04";

const PATIENT: &str = "echo $$ > new.$1; mv new.$1 pid.$1; until [ -e go ]; do sleep 0.01; done; echo out $1";

/// A user at a shell.
struct Session {
    folder: Folder,
    terminal: Terminal,
    shell: Running,
}

impl Session {
    fn new() -> Session {
        let folder = Folder::new();
        folder.write("patient", PATIENT);
        let terminal = Terminal::new();
        let words = ["--ctty", "bash", "--norc", "--noprofile", "--noediting", "-i"];
        let trial = folder.command("setsid").args(words).env("PS1", "ready> ").env("TERM", "dumb");
        let trial = trial.env("HISTFILE", "");
        let streams = || Stdio::from(terminal.device());
        let shell = trial.stdin(streams()).stdout(streams()).stderr(streams()).start();
        terminal.shows("ready> ");
        Session { folder, terminal, shell }
    }

    fn press(&mut self, keys: &str) {
        self.terminal.press(keys);
    }

    /// Asks the shell for the exit status of the last command.
    #[track_caller]
    fn status_is(&mut self, status: i32) {
        // The echo of this line contains no number.
        self.press("echo status=$?.\n");
        self.terminal.shows(&format!("status={status}."));
    }

    /// The process that the shell has started, and its pool.
    fn procpool(&self) -> [String; 2] {
        let shell = self.shell.pid().to_string();
        let mut both = Vec::new();
        wait_for("procpool to run", || {
            let front = children(&shell).pop();
            let keeper = front.iter().flat_map(|front| children(front)).next();
            let pool = keeper.iter().flat_map(|keeper| children(keeper)).next();
            both = front.into_iter().chain(pool).collect();
            both.len() == 2
        });
        both.try_into().unwrap()
    }

    #[track_caller]
    fn is_stopped(&self) {
        let [front, pool] = self.procpool();
        wait_for("procpool to be stopped", || [&front, &pool].iter().all(|pid| is_stopped(pid)));
        wait_for("the jobs to be stopped", || children(&pool).iter().all(|pid| is_stopped(pid)));
    }

    #[track_caller]
    fn has_said_stopped(&self, times: usize) {
        wait_for("the shell to see it stopped", || self.terminal.text().matches("Stopped").count() == times);
        self.is_stopped();
    }

    #[track_caller]
    fn leave(mut self) {
        self.press("exit\n");
        self.shell.end();
    }
}

#[test]
fn ctrl_z_stops_all_jobs_and_fg_lets_them_go_on() {
    let mut session = Session::new();
    session.press("procpool run -k -j3 sh patient ::: 1 2 3\n");
    let jobs = pids(&session.folder, "pid.", 3);
    for round in 1..=3 {
        session.press(CTRL_Z);
        session.has_said_stopped(round);
        assert!(jobs.iter().all(|pid| is_stopped(pid)));
        session.press("fg\n");
        wait_for("the jobs to go on", || jobs.iter().all(|pid| !is_stopped(pid)));
    }
    session.folder.write("go", "");
    session.terminal.shows("out 1\nout 2\nout 3\n");
    session.status_is(0);
    session.leave();
}

#[test]
fn a_stopped_run_leaves_the_terminal_to_the_shell_and_shows_itself_again_afterwards() {
    let mut session = Session::new();
    session.press("TERM=xterm procpool run -j2 sh patient ::: 1 2\n");
    session.terminal.comes_to_show("0/2 0%  2 running");
    session.press(CTRL_Z);
    session.has_said_stopped(1);
    session.terminal.comes_to_show("ready> ");
    assert!(!session.terminal.picture().screen().contains(" running"));
    // In the background it draws nothing either.
    session.press("bg\n");
    let jobs = pids(&session.folder, "pid.", 2);
    wait_for("the jobs to go on", || jobs.iter().all(|pid| !is_stopped(pid)));
    session.press("fg\n");
    session.terminal.comes_to_show("0/2 0%  2 running");
    session.folder.write("go", "");
    session.terminal.comes_to_show("2 jobs: 2 succeeded");
    session.status_is(0);
    assert!(!session.terminal.picture().screen().contains(" running"));
    session.leave();
}

#[test]
fn ctrl_z_while_64_jobs_are_started_stops_those_that_are_and_starts_no_other() {
    for _ in 0..5 {
        let mut session = Session::new();
        let values: Vec<String> = (1..=64).map(|value| value.to_string()).collect();
        session.press(&format!("procpool run -k -j64 sh patient ::: {}\n", values.join(" ")));
        wait_for("a job to have started", || session.folder.has("pid.1"));
        session.press(CTRL_Z);
        session.terminal.shows("Stopped");
        session.is_stopped();
        let started = children(&session.procpool()[1]).len();
        session.folder.write("go", "");
        session.is_stopped();
        assert_eq!(children(&session.procpool()[1]).len(), started);
        session.press("fg\n");
        session.terminal.shows("out 64\n");
        session.status_is(0);
        session.leave();
    }
}

#[test]
fn timeouts_stand_still_while_all_is_stopped() {
    let timeout = Duration::from_secs(4);
    let mut session = Session::new();
    session.press("procpool run --timeout 4s sh patient ::: 1\n");
    pids(&session.folder, "pid.", 1);
    session.press(CTRL_Z);
    session.terminal.shows("Stopped");
    let stopped = Instant::now();
    wait_for("the timeout to be over by the clock", || stopped.elapsed() > timeout);
    session.folder.write("go", "");
    session.press("fg\n");
    session.terminal.shows("out 1\n");
    session.status_is(0);
    session.leave();
}

#[test]
fn bg_lets_the_jobs_go_on_and_the_shell_hears_how_it_ended() {
    for (job, status) in [("sh patient", 0), ("sh -c 'sh patient $1; exit 1' sh", 1)] {
        let mut session = Session::new();
        session.press(&format!("procpool run {job} ::: 1\n"));
        let jobs = pids(&session.folder, "pid.", 1);
        session.press(CTRL_Z);
        session.terminal.shows("Stopped");
        session.press("bg; jobs\n");
        session.terminal.shows("Running");
        wait_for("the job to go on", || !is_stopped(&jobs[0]));
        session.folder.write("go", "");
        session.terminal.shows("out 1\n");
        session.press("wait %1\n");
        session.status_is(status);
        session.leave();
    }
}

#[test]
fn in_the_background_wait_tells_the_status_and_kill_ends_it() {
    let mut session = Session::new();
    session.press("procpool run sh patient ::: 1 & pid=$!\n");
    let jobs = pids(&session.folder, "pid.", 1);
    session.press("kill %1; wait $pid\n");
    session.status_is(128 + 15);
    assert!(is_gone(&jobs[0]));
    session.leave();
}

#[test]
fn kill_ends_what_ctrl_z_has_stopped() {
    let mut session = Session::new();
    session.press("procpool run sh patient ::: 1\n");
    let jobs = pids(&session.folder, "pid.", 1);
    session.press(CTRL_Z);
    session.terminal.shows("Stopped");
    let [front, pool] = session.procpool();
    session.press("kill %1\n");
    wait_for("all to be gone", || [&front, &pool, &jobs[0]].iter().all(|pid| is_gone(pid)));
    session.press("\n");
    session.terminal.shows("Terminated");
    session.leave();
}

#[test]
fn a_stopped_run_whose_shell_is_gone_is_hung_up_and_leaves_nothing() {
    let mut session = Session::new();
    session.press("procpool run sh patient ::: 1\n");
    let jobs = pids(&session.folder, "pid.", 1);
    session.press(CTRL_Z);
    session.has_said_stopped(1);
    let [front, pool] = session.procpool();
    // The shell has no time to signal its jobs.
    session.shell.signal(Signal::KILL);
    wait_for("all to be gone", || [&front, &pool, &jobs[0]].iter().all(|pid| is_gone(pid)));
    session.shell.end();
}

#[test]
fn killed_while_it_is_stopped_it_leaves_no_job() {
    let mut session = Session::new();
    session.press("procpool run sh patient ::: 1 &\n");
    let jobs = pids(&session.folder, "pid.", 1);
    let [front, pool] = session.procpool();
    kill(&front, Signal::TSTP);
    session.is_stopped();
    kill(&front, Signal::KILL);
    wait_for("all to be gone", || [&front, &pool, &jobs[0]].iter().all(|pid| is_gone(pid)));
    session.press("\n");
    session.terminal.shows("Killed");
    session.leave();
}

#[test]
fn values_are_read_from_the_terminal_in_the_foreground_only() {
    for _ in 0..5 {
        let mut session = Session::new();
        // Makes the shell report a stop immediately.
        session.press("set -b\n");
        session.press("procpool run echo got &\n");
        session.has_said_stopped(1);
        session.press("fg\n");
        let [front, pool] = session.procpool();
        let goes_on = comes_true(DEADLINE, || [&front, &pool].iter().all(|pid| state(pid) != Some('T')));
        assert!(goes_on, "it does not: {}", session.terminal.text());
        session.press("a\n");
        session.terminal.shows("got a\n");
        session.press(CTRL_Z);
        session.has_said_stopped(2);
        session.press("bg\n");
        session.has_said_stopped(3);
        session.press("fg\n");
        let goes_on = comes_true(DEADLINE, || [&front, &pool].iter().all(|pid| state(pid) != Some('T')));
        assert!(goes_on, "it does not: {}", session.terminal.text());
        session.press("b\n");
        session.terminal.shows("got b\n");
        session.press(CTRL_D);
        session.terminal.shows("2 succeeded");
        session.status_is(0);
        session.leave();
    }
}

#[test]
fn a_job_that_wants_the_terminal_fails_at_once() {
    for job in ["head -n1 </dev/tty", "stty -a </dev/tty", "echo >/dev/tty"] {
        let mut session = Session::new();
        session.press(&format!("procpool run -k sh -c ::: '{job}' 'echo other'\n"));
        session.terminal.shows("other\nprocpool: 2 jobs: 1 succeeded, 1 failed; ");
        session.terminal.shows("/dev/tty: No such device or address");
        session.status_is(1);
        session.leave();
    }
}
