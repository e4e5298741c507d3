//! The engine for Slurm: calls its commands and interprets their answers.

mod allocation;
mod call;
mod read;
mod reason;
mod remedy;
mod script;

use std::env;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use procpool_core::Command;

use self::call::{Failure, call};
use crate::allocation::Allocation;
use crate::engine::{
    Array, ArrayId, ArrayState, CancelScope, Capacity, Element, Engine, EngineError, Processors, Requeue,
    State, SubmittedArray,
};

/// Slurm, by its commands on this machine: `sbatch`, `squeue`, `scancel`, `sinfo` and `scontrol`. Each gets 10 s,
/// `sbatch` a minute.
///
/// `SBATCH_…` variables apply, as for sbatch itself. Variables of the other commands, which would change what they print,
/// are ignored.
#[derive(Clone, Debug, Default)]
pub struct Slurm {
    arguments: Vec<OsString>,
}

/// The time that an element has to end its jobs.
const WARNING: Duration = Duration::from_secs(30);

/// Its commands. Each is called at some point.
const COMMANDS: [&str; 5] = ["sbatch", "squeue", "scancel", "sinfo", "scontrol"];

/// Options with which sbatch does something else.
const NOT_OURS: [&str; 4] = ["--wrap", "--test-only", "--array", "--usage"];

impl Slurm {
    /// Slurm, with additional arguments for sbatch. They override all options except the array's name, its size and the
    /// format of the answer.
    pub fn new(arguments: impl IntoIterator<Item = OsString>) -> Slurm {
        Slurm { arguments: arguments.into_iter().collect() }
    }

    /// Refuses arguments with which sbatch would submit nothing, or something else.
    fn check_arguments(&self) -> Result<(), EngineError> {
        for word in &self.arguments {
            let option = word.to_string_lossy();
            if let Some(refused) = NOT_OURS.iter().find(|refused| option.split('=').next() == Some(**refused))
            {
                return Err(EngineError::Refused(format!(
                    "sbatch {option}: with {refused} it would not hand in what procpool gives it; leave it out"
                )));
            }
        }
        Ok(())
    }

    /// The `--exclude` option, including the nodes that the user excludes: of two such options the last one counts.
    fn without(&self, array: &Array) -> Option<OsString> {
        let given = read::left_out(&self.arguments).or_else(|| env::var_os("SBATCH_EXCLUDE"));
        exclude(given, &array.leave_out)
    }

    /// The partitions that sbatch is told to use.
    fn partition(&self) -> Option<OsString> {
        read::partition(&self.arguments).or_else(|| env::var_os("SBATCH_PARTITION"))
    }

    /// Restricts sinfo to those partitions.
    fn of_partition(&self, sinfo: Command) -> Command {
        match self.partition() {
            Some(partition) => sinfo.arg("-p").arg(partition),
            // Including hidden ones. sinfo accepts only one of the two options.
            None => sinfo.arg("-a"),
        }
    }

    /// Adds remedies to elements that wait for something that only a person can do.
    fn add_remedies(&self, id: &ArrayId, elements: &mut [Element]) -> Result<(), EngineError> {
        remedy::release_held(id.own(), elements);
        let asks_for_nodes = |element: &Element| match &element.state {
            State::Waiting(wait) => remedy::is_for_nodes(wait) || remedy::is_after_launch(wait),
            _ => false,
        };
        if elements.iter().any(asks_for_nodes) {
            let sinfo = self.of_partition(Command::new("sinfo").args(["-h", "-R", "-o", "%N|%T|%E"]));
            remedy::resume_nodes(&remedy::away(&text(&call(sinfo)?)), elements);
        }
        reason::say_changes(elements);
        Ok(())
    }
}

impl Engine for Slurm {
    fn name(&self) -> &'static str {
        "Slurm"
    }

    fn check(&self) -> Result<(), EngineError> {
        self.check_arguments()?;
        let path = env::var_os("PATH").unwrap_or_default();
        let is_there = |name: &str| env::split_paths(&path).any(|folder| folder.join(name).is_file());
        if let Some(missing) = COMMANDS.into_iter().find(|name| !is_there(name)) {
            return Err(EngineError::Missing(format!(
                "{missing} is not in PATH: run this where Slurm's commands are, on a login node of the cluster"
            )));
        }
        match env::var_os("SLURM_CONF").map(PathBuf::from) {
            Some(file) if !file.is_file() => Err(EngineError::Missing(format!(
                "SLURM_CONF says {file:?}, where no file is: set it to the cluster's slurm.conf, or unset it"
            ))),
            _ => Ok(()),
        }
    }

    fn survey(&self) -> Result<Capacity, EngineError> {
        let config = text(&call(Command::new("scontrol").args(["show", "config"]))?);
        let most_elements = read::most_elements(&config)?;
        let sinfo = self.of_partition(Command::new("sinfo").args(["-h", "-N", "-o", "%P|%N|%T|%c"]));
        let nodes = text(&call(sinfo)?);
        let from = if self.partition().is_some() { read::Partitions::All } else { read::Partitions::Default };
        let (nodes, processors) = read::nodes(&nodes, from);
        Ok(Capacity { most_elements, processors, nodes })
    }

    fn submit(&self, array: &Array) -> Result<ArrayId, EngineError> {
        let script = script::of(&array.command);
        let sbatch = Command::new("sbatch")
            .args(options(array))
            .args(&self.arguments)
            .args(identity(array))
            .args(self.without(array))
            .stdin_bytes(script);
        // With this variable it would wait until the array is over.
        let sbatch = sbatch.env_remove("SBATCH_WAIT");
        // Within a job these variables belong to that job, and an element would inherit them if Slurm doesn't set them.
        let answer =
            call(allocation::OF_A_JOB.into_iter().fold(sbatch, Command::env_remove)).map_err(|failure| {
                match failure {
                    Failure::Said(words) if read::is_too_many(&words) => EngineError::TooMany(words),
                    Failure::Said(words) if !read::passes(&words) => EngineError::Refused(words),
                    failure => failure.into(),
                }
            })?;
        read::submitted(&text(&answer))
    }

    fn find(&self, name: &str) -> Result<Option<ArrayId>, EngineError> {
        let squeue = Command::new("squeue").args(["-h", "-a", "-t", "all", "-n", name, "-o", "%F"]);
        Ok(read::latest(&text(&call(squeue)?)))
    }

    fn poll(&self, array: &SubmittedArray) -> Result<ArrayState, EngineError> {
        let squeue = Command::new("squeue").args(["-h", "-a", "-r", "-t", "all", "-O", read::FORMAT]);
        let rows = match call(named(squeue, &array.id, "-j")) {
            Err(Failure::Said(words)) if read::is_forgotten(&words) => Vec::new(),
            rows => rows?,
        };
        let mut seen = read::seen(&rows, array.id.own(), &array.name);
        self.add_remedies(&array.id, &mut seen.elements)?;
        Ok(seen)
    }

    fn cancel(&self, array: &SubmittedArray, scope: CancelScope) -> Result<(), EngineError> {
        let mut scancel = Command::new("scancel").args(["--name", &array.name]);
        if scope == CancelScope::Waiting {
            scancel = scancel.arg("--state=PENDING");
        }
        if let Some(cluster) = array.id.cluster() {
            scancel = scancel.args(["-M", cluster]);
        }
        match call(scancel.arg(array.id.own())) {
            Err(Failure::Said(words)) if read::is_forgotten(&words) => Ok(()),
            answer => Ok(answer.map(drop)?),
        }
    }

    fn allocation(&self, variable: &dyn Fn(&str) -> Option<String>) -> Option<Allocation> {
        allocation::of(variable)
    }

    fn end_of(&self, allocation: &Allocation) -> Result<Option<SystemTime>, EngineError> {
        if allocation.ends.is_some() {
            return Ok(allocation.ends);
        }
        let squeue = Command::new("squeue").args(["-h", "-a", "-j", &allocation.job, "-o", "%e"]);
        let end = text(&call(squeue.env("SLURM_TIME_FORMAT", "%s"))?);
        Ok(end.lines().next().and_then(allocation::time))
    }

    fn warning(&self) -> Duration {
        WARNING
    }
}

fn named(command: Command, id: &ArrayId, option: &str) -> Command {
    let command = command.args([option, id.own()]);
    match id.cluster() {
        Some(cluster) => command.args(["-M", cluster]),
        None => command,
    }
}

/// The options of sbatch that the user's arguments may override.
fn options(array: &Array) -> Vec<OsString> {
    // Slurm expands these characters anywhere in a path, and has no way to escape them.
    let is_readable = !array.directory.as_os_str().as_bytes().iter().any(|byte| b"%\\".contains(byte));
    let log = if is_readable { with_index(&array.log) } else { PathBuf::from("/dev/null") };
    let mut options: Vec<OsString> = vec![
        with("--output=", &log),
        // An element that is restarted appends to its log.
        "--open-mode=append".into(),
        with("--chdir=", &array.directory),
        // Time to end its jobs before its own time is over.
        format!("--signal=B:TERM@{}", WARNING.as_secs()).into(),
        "--nodes=1".into(),
        "--ntasks=1".into(),
    ];
    options.push(match array.requeue {
        Requeue::Yes => "--requeue".into(),
        Requeue::No => "--no-requeue".into(),
    });
    options.push(match array.processors {
        Processors::Exactly(processors) => format!("--cpus-per-task={processors}").into(),
        Processors::WholeNode => "--exclusive".into(),
    });
    if let Some(time) = array.time {
        // Slurm counts in minutes, and 0 means no limit.
        let minutes = time.as_nanos().div_ceil(Duration::from_secs(60).as_nanos()).max(1);
        options.push(format!("--time={minutes}").into());
    }
    options
}

/// The options that the user's arguments can't override: by these the array is tracked.
fn identity(array: &Array) -> [OsString; 3] {
    let at_once = array.at_once.map(|most| format!("%{most}")).unwrap_or_default();
    let elements = format!("--array=0-{}{at_once}", array.elements.saturating_sub(1));
    ["--parsable".into(), elements.into(), with("--job-name=", Path::new(&array.name))]
}

/// `None` if no nodes are excluded. Names that Slurm would take for a pattern are not names of nodes.
fn exclude(given: Option<OsString>, leave_out: &[String]) -> Option<OsString> {
    let is_name = |name: &&String| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let names: Vec<OsString> = leave_out.iter().filter(is_name).map(OsString::from).collect();
    if names.is_empty() {
        return None;
    }
    let all: Vec<OsString> = given.into_iter().chain(names).collect();
    Some(with("--exclude=", Path::new(&all.join(",".as_ref()))))
}

/// Appends Slurm's pattern for the index of an element.
fn with_index(log: &Path) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push("%a");
    name.into()
}

fn with(option: &str, value: &Path) -> OsString {
    let mut word = OsString::from(option);
    word.push(value);
    word
}

fn text(answer: &[u8]) -> String {
    String::from_utf8_lossy(answer).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array() -> Array {
        Array {
            name: "procpool-a-1".into(),
            elements: 16,
            at_once: Some(4),
            processors: Processors::Exactly(8),
            leave_out: Vec::new(),
            requeue: Requeue::Yes,
            time: None,
            command: Vec::new(),
            directory: "/data/it's".into(),
            log: "/data/it's/log-".into(),
        }
    }

    fn has(words: &[OsString], word: &str) -> bool {
        words.iter().any(|own| own == word)
    }

    #[test]
    fn an_array_is_told_in_sbatchs_options() {
        let words = options(&array());
        for word in ["--chdir=/data/it's", "--output=/data/it's/log-%a", "--requeue", "--cpus-per-task=8"] {
            assert!(has(&words, word), "{word}: {words:?}");
        }
        assert_eq!(identity(&array()), ["--parsable", "--array=0-15%4", "--job-name=procpool-a-1"]);
    }

    #[test]
    fn a_log_that_slurm_would_look_for_elsewhere_is_none() {
        for directory in ["/data/50%", "/a\\b"] {
            let words = options(&Array { directory: directory.into(), ..array() });
            assert!(has(&words, "--output=/dev/null"), "{words:?}");
        }
    }

    #[test]
    fn nodes_are_left_out_beside_those_of_the_user_and_odd_names_are_none() {
        let out = |given: &[&str], names: &[&str]| {
            let arguments: Vec<OsString> = given.iter().map(OsString::from).collect();
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            exclude(read::left_out(&arguments), &names).map(|word| word.into_string().unwrap())
        };
        assert_eq!(out(&["-x", "n9"], &[]), None);
        assert_eq!(out(&[], &["n3", "n[1-4]", "", "a,b", "gpu-01.x"]).unwrap(), "--exclude=n3,gpu-01.x");
        for given in [&["-x", "n[7-9]"][..], &["--exclude=n1", "--exclude", "n[7-9]"], &["-xn[7-9]"]] {
            assert_eq!(out(given, &["n3"]).unwrap(), "--exclude=n[7-9],n3", "{given:?}");
        }
    }

    #[test]
    fn an_element_that_gets_a_whole_node_never_twice_is_told_so() {
        let words = options(&Array {
            processors: Processors::WholeNode,
            requeue: Requeue::No,
            ..array()
        });
        assert!(has(&words, "--exclusive") && has(&words, "--no-requeue"), "{words:?}");
    }

    #[test]
    fn sbatch_is_told_nothing_by_which_it_would_hand_in_something_else() {
        for word in ["--wrap=ls", "--test-only", "--array=1-3"] {
            let refused = Slurm::new([OsString::from(word)]).check();
            assert!(
                matches!(&refused, Err(EngineError::Refused(words)) if words.contains(word)),
                "{refused:?}"
            );
        }
    }

    #[test]
    fn time_is_told_in_minutes_that_are_no_shorter() {
        let minutes = |time| {
            let words = options(&Array { time: Some(time), ..array() });
            words
                .into_iter()
                .find_map(|word| word.to_str()?.strip_prefix("--time=").map(str::to_owned))
                .unwrap()
        };
        assert_eq!(minutes(Duration::ZERO), "1");
        assert_eq!(minutes(Duration::from_secs(60)), "1");
        assert_eq!(minutes(Duration::new(60, 1)), "2");
        assert_eq!(minutes(Duration::from_secs(86_400)), "1440");
    }

    #[test]
    fn one_of_several_clusters_is_named_in_each_question() {
        let id = ArrayId::new("17;far");
        let command = named(Command::new("squeue"), &id, "-j");
        assert_eq!(command.arguments(), ["-j", "17", "-M", "far"]);
        assert_eq!(named(Command::new("squeue"), &ArrayId::new("17"), "-j").arguments(), ["-j", "17"]);
    }
}
