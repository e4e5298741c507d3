//! procpool is killed right before and right after each system call by which it writes something, and then
//! resumed.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use rustix::process::{Signal, kill_process};
use sleeper::needs;

use crate::faults::tracing::strace;
use crate::processes::{children, is_gone, kill, number};
use crate::{Ended, Folder, PROCPOOL, Running, Trial, wait_for};

const JOBS: u32 = 20;
const LIMIT: usize = 2;

/// Records its start and its end in two files, and in between writes the output that is prepared for it.
const JOB: &str = r#"echo "$2" >> starts
[ ! -e "$1/$2.out" ] || cat "$1/$2.out"
[ ! -e "$1/$2.err" ] || cat "$1/$2.err" >&2
echo "$2" >> ends"#;

/// The order in which a run is told to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    AsTheyEnd,
    OfTheInput,
}

#[derive(Clone, Copy, Debug)]
enum Moment {
    BeforeTheCall,
    AfterIt,
}

/// When procpool is killed: at the nth call of this name by whichever thread reaches it first.
#[derive(Clone, Copy, Debug)]
struct Kill {
    call: &'static str,
    number: u32,
    moment: Moment,
}

/// The text that a job writes to each of the two outputs: nothing, a line, or kilobytes.
fn outputs(job: u32) -> [String; 2] {
    let lines = |name: &str, count: usize| -> String {
        let line = |line: usize| format!("job {job} writes line {line} to {name}\n");
        (1..=count).fold(String::new(), |text, number| text + &line(number))
    };
    let (stdout, stderr) = match job {
        6 => (9_000, 0),
        13 => (0, 9_000),
        _ if job % 7 == 0 => (0, 0),
        _ if job % 5 == 0 => (150, 150),
        _ if job % 3 == 0 => (1, 1),
        _ => (1, 0),
    };
    [lines("stdout", stdout), lines("stderr", stderr)]
}

/// A list of jobs, their output so far, and the journal of the procpools that ran them.
struct Case<'a> {
    folder: Folder,
    scripts: &'a Path,
    options: &'static str,
    kills: Vec<Kill>,
}

impl Case<'_> {
    /// Starts the run or resumes it, and returns how that ended.
    fn go_on(&mut self, kill: Option<Kill>) -> Ended {
        let is_begun = self.folder.has("journal/journal.jsonl");
        assert!(is_begun || self.lines("starts").is_empty(), "{:?}: jobs before the journal", self.kills);
        let words = if is_begun { ["resume", "journal"].map(str::to_owned).to_vec() } else { self.command() };
        let Some(kill) = kill else { return self.to_files(self.folder.command(PROCPOOL).args(words)).end() };
        self.kills.push(kill);
        let Kill { call, number, moment } = kill;
        let signal = match moment {
            // The call is not made.
            Moment::BeforeTheCall => "KILL",
            // The call is made, and its caller stops before it can act on the result.
            Moment::AfterIt => "STOP",
        };
        let (trace, inject) =
            (format!("trace={call}"), format!("inject={call}:signal={signal}:when={number}"));
        let _ = fs::remove_file(self.folder.file("log"));
        // Calls that the jobs make are not counted.
        let traced = strace(&self.folder, &["-b", "execve", "-e", &trace, "-e", &inject]);
        let running = self.to_files(traced.arg(PROCPOOL).args(words)).start();
        if let Moment::AfterIt = moment {
            self.kill_when_stopped(&running);
        }
        running.end()
    }

    fn command(&self) -> Vec<String> {
        let options = format!("run --journal journal --resume {} sh -c", self.options);
        let mut words: Vec<String> = options.split(' ').map(str::to_owned).collect();
        words.extend([JOB, "sh", self.scripts.to_str().unwrap(), ":::"].map(str::to_owned));
        words.extend((1..=JOBS).map(|job| job.to_string()));
        words
    }

    fn to_files(&self, trial: Trial) -> Trial {
        let append = |name| File::options().append(true).create(true).open(self.folder.file(name)).unwrap();
        trial.stdout(append("out")).stderr(append("err"))
    }

    /// Kills the process that stops first. Kills strace before that, because it would print a message into
    /// the output of the jobs.
    fn kill_when_stopped(&self, running: &Running) {
        let tracer = running.pid().to_string();
        let mut stopped = None;
        wait_for("it to stop or to end", || {
            let log = fs::read_to_string(self.folder.file("log")).unwrap_or_default();
            let line = log.lines().find(|line| line.ends_with("--- stopped by SIGSTOP ---"));
            stopped = line.map(|line| line.split(' ').next().unwrap().to_owned());
            stopped.is_some() || children(&tracer).is_empty() && !log.is_empty()
        });
        let Some(stopped) = stopped else { return };
        let front = children(&tracer);
        kill(&tracer, Signal::KILL);
        kill(&stopped, Signal::KILL);
        wait_for("the front to follow it", || {
            // The front stops when its pool does, and has to be continued to see the pool's end.
            let living: Vec<&String> = front.iter().filter(|pid| !is_gone(pid)).collect();
            for pid in &living {
                let _ = kill_process(number(pid), Signal::CONT);
            }
            living.is_empty()
        });
    }

    fn lines(&self, name: &str) -> Vec<u32> {
        let text = fs::read_to_string(self.folder.file(name)).unwrap_or_default();
        text.lines().map(|line| line.parse().unwrap()).collect()
    }

    /// Resumes until all jobs are done, and checks the result.
    fn end(mut self, order: Order) {
        let has_ended: BTreeSet<u32> = self.lines("ends").into_iter().collect();
        let said = self.said().len();
        let mut ended = self.go_on(None);
        if self.said()[said..].iter().any(|line| line.ends_with("run its command again with --resume")) {
            // It was killed before it had read its whole list. The jobs that it had read may have been run.
            ended.exited(3);
            ended = self.to_files(self.folder.command(PROCPOOL).args(self.command())).end();
        }
        let kills = &self.kills;
        assert!(ended.status.success(), "{kills:?}: {}\n{:?}", ended.status, self.said());
        if let Some(succeeded) = self.said()[said..].iter().find_map(|line| succeeded(line)) {
            assert!(succeeded <= has_ended.len(), "{kills:?}: {succeeded} succeeded, but {has_ended:?}");
        }
        let starts = self.lines("starts").len();
        let most = JOBS as usize + LIMIT * kills.len();
        assert!(starts <= most, "{kills:?}: {starts} starts");
        for (file, which) in [("out", 0), ("err", 1)] {
            let expected: Vec<String> = (1..=JOBS).map(|job| outputs(job)[which].clone()).collect();
            let printed = without_own_words(&self.folder.read(file)).0;
            match order {
                Order::OfTheInput => {
                    assert!(
                        printed == expected.concat(),
                        "{kills:?}: {}",
                        difference(&printed, &expected.concat())
                    );
                }
                Order::AsTheyEnd => has_each_once(&printed, expected, &format!("{kills:?}: {file}")),
            }
        }
    }

    /// The messages of procpool itself so far.
    fn said(&self) -> Vec<String> {
        without_own_words(&self.folder.read("err")).1
    }
}

/// The number of succeeded jobs in the first message of a resume.
fn succeeded(line: &str) -> Option<usize> {
    let (before, _) = line.split_once(" succeeded, ")?;
    before.rsplit(' ').next()?.parse().ok()
}

/// Separates a text into the output of jobs and the messages of procpool, which may be in the middle of a
/// line.
fn without_own_words(text: &str) -> (String, Vec<String>) {
    let mut pieces = text.split("procpool: ");
    let mut rest = pieces.next().unwrap().to_owned();
    let mut said = Vec::new();
    for piece in pieces {
        let (line, others) = piece.split_once('\n').unwrap();
        said.push(line.to_owned());
        rest += others;
    }
    (rest, said)
}

#[track_caller]
fn has_each_once(text: &str, mut expected: Vec<String>, what: &str) {
    expected.retain(|output| !output.is_empty());
    let mut rest = text;
    while !rest.is_empty() {
        let next = expected.iter().position(|output| rest.starts_with(output));
        let at = text.len() - rest.len();
        let Some(next) = next else { panic!("{what} at byte {at}: {:?}", &rest[..rest.len().min(500)]) };
        rest = &rest[expected.swap_remove(next).len()..];
    }
    assert!(expected.is_empty(), "{what}: without {:?}", expected.iter().map(|output| &output[..30]));
}

fn difference(one: &str, other: &str) -> String {
    let same = one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
    let excerpt = |text: &str| text[same..text.len().min(same + 300)].to_owned();
    format!("from byte {same} on {:?} for {:?}", excerpt(one), excerpt(other))
}

const CALLS: [&str; 5] = ["write", "pwrite64", "renameat", "ftruncate", "fallocate"];

/// Kills a run, or the resume after the kill `first`, at each of these calls until it runs to its end.
/// Returns the number of kills.
fn killed_at_each(options: &'static str, calls: &[&'static str], first: Option<Kill>) -> u32 {
    let order = if options.contains("-k") { Order::OfTheInput } else { Order::AsTheyEnd };
    let scripts = Folder::new();
    for job in 1..=JOBS {
        let [stdout, stderr] = outputs(job);
        for (name, output) in [("out", stdout), ("err", stderr)] {
            if !output.is_empty() {
                scripts.write(&format!("{job}.{name}"), output);
            }
        }
    }
    let scripts = scripts.file("");
    let lanes: Vec<(&str, Moment)> =
        calls.iter().flat_map(|call| [(*call, Moment::BeforeTheCall), (*call, Moment::AfterIt)]).collect();
    let lanes = Mutex::new(lanes);
    let killed = AtomicU32::new(0);
    let work = || {
        while let Some((call, moment)) = { lanes.lock().unwrap().pop() } {
            for number in 1.. {
                let mut case = Case {
                    folder: Folder::new(),
                    scripts: &scripts,
                    options,
                    kills: Vec::new(),
                };
                if first.is_some() {
                    case.go_on(first).died_of(Signal::KILL);
                }
                let ended = case.go_on(Some(Kill { call, number, moment }));
                let is_over = ended.status.success();
                if !is_over {
                    ended.died_of(Signal::KILL);
                    killed.fetch_add(1, Ordering::Relaxed);
                }
                case.end(order);
                if is_over {
                    break;
                }
            }
        }
    };
    thread::scope(|scope| {
        let lanes = [scope.spawn(work), scope.spawn(work)];
        for lane in lanes {
            lane.join().unwrap();
        }
    });
    killed.into_inner()
}

#[test]
fn killed_at_any_call_a_run_goes_on_and_nothing_is_lost_or_printed_twice() {
    needs!(Strace);
    let killed = killed_at_each("-j2", &CALLS, None);
    assert!(killed > 100, "{killed}");
}

#[test]
fn killed_at_any_call_a_run_goes_on_in_order() {
    needs!(Strace);
    let killed = killed_at_each("-j2 -k", &CALLS, None);
    assert!(killed > 100, "{killed}");
}

#[test]
fn killed_at_any_call_that_waits_for_the_disk_a_run_goes_on() {
    needs!(Strace);
    for options in ["-j2 --durable", "-j2 -k --durable"] {
        let killed = killed_at_each(options, &["fdatasync", "fsync"], None);
        assert!(killed > 20, "{options}: {killed}");
    }
}

#[test]
fn killed_at_any_call_a_run_that_was_gone_on_with_goes_on() {
    needs!(Strace);
    let first = Kill { call: "write", number: 16, moment: Moment::AfterIt };
    for options in ["-j2", "-j2 -k"] {
        let killed = killed_at_each(options, &CALLS, Some(first));
        assert!(killed > 50, "{options}: {killed}");
    }
}
