//! Parses what Slurm's commands print. Pure.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::engine::{ArrayId, ArrayState, Cause, Element, EngineError, Fate, Remedy, State, Wait};

/// The columns that squeue prints for each element: see [`seen`].
pub(crate) const FORMAT: &str = "ArrayTaskID:12,State:20,exit_code:12,NodeList:100,Reason:160,Name:160";
const WIDTHS: [usize; 6] = [12, 20, 12, 100, 160, NAME];
const NAME: usize = 160;

/// The error message of a Slurm command as one line, without the command's name and without advice.
pub(crate) fn words(errors: &str) -> String {
    let lines = errors.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("Try \""));
    let lines = lines.map(|line| {
        let ends = [": error: ", ": fatal: "].into_iter().filter_map(|kind| line.split_once(kind));
        ends.filter(|(command, _)| !command.contains(' ')).map(|(_, said)| said).next().unwrap_or(line)
    });
    lines.collect::<Vec<_>>().join("; ")
}

/// Whether an error is temporary, because the controller is away or busy.
pub(crate) fn passes(words: &str) -> bool {
    const WORDS: [&str; 14] = [
        "unable to contact slurm controller",
        "slurm controller not responding",
        "temporarily unable to accept job",
        "socket timed out",
        "zero bytes were transmitted",
        "communication connection failure",
        "connect failure",
        "connection refused",
        "connection reset",
        "connection timed out",
        "in standby mode",
        "protocol authentication error",
        "resource temporarily unavailable",
        "transport endpoint",
    ];
    let words = words.to_lowercase();
    WORDS.iter().any(|known| words.contains(known))
}

/// Whether an error is about the number of elements, by a limit of the user or of arrays. Older versions print the same
/// sentence for all limits; newer ones name the limit before it.
pub(crate) fn is_too_many(words: &str) -> bool {
    let words = words.to_lowercase();
    let names_other = || {
        let mut named = words.split(|letter: char| !letter.is_alphanumeric());
        named
            .any(|word| ["assoc", "qos", "max"].iter().any(|begin| word.starts_with(begin)) && word.len() > 8)
    };
    words.contains("submitjob")
        || words.contains("invalid job array specification")
        || words.contains("job violates accounting/qos policy") && !names_other()
}

/// Whether Slurm's commands are not configured on this machine.
pub(crate) fn is_unconfigured(words: &str) -> bool {
    words.contains("config_source") || words.contains("configuration source")
}

/// Whether Slurm doesn't know the array any more.
pub(crate) fn is_forgotten(words: &str) -> bool {
    words.contains("Invalid job id specified")
}

/// The id that sbatch has printed, followed by the cluster's name if it has chosen one of several.
pub(crate) fn submitted(answer: &str) -> Result<ArrayId, EngineError> {
    let id = answer.lines().map(str::trim).find(|line| is_number(line.split(';').next().unwrap_or_default()));
    match id {
        Some(id) => Ok(ArrayId::new(id)),
        // It was accepted: a lookup by its name finds it.
        None => Err(EngineError::Unreachable(format!("sbatch has said no id, but {:?}", answer.trim()))),
    }
}

/// The latest array that squeue lists.
pub(crate) fn latest(answer: &str) -> Option<ArrayId> {
    let ids = answer.lines().filter_map(|line| line.trim().parse::<u64>().ok());
    ids.max().map(|id| ArrayId::new(id.to_string()))
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The limit on array indices in `scontrol show config`. Indices are below it.
pub(crate) fn most_elements(config: &str) -> Result<u32, EngineError> {
    let values = config.lines().filter_map(|line| line.split_once('='));
    let mut ours = values.filter(|(name, _)| name.trim() == "MaxArraySize");
    match ours.next().and_then(|(_, value)| value.trim().parse().ok()) {
        Some(0) => Err(EngineError::Refused(
            "it takes no job arrays (MaxArraySize=0 in slurm.conf): an administrator has to allow them"
                .into(),
        )),
        Some(most) => Ok(most),
        None => Err(EngineError::Unreachable("scontrol show config says no MaxArraySize".into())),
    }
}

/// The partitions whose nodes count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Partitions {
    /// All that were printed.
    All,
    /// The default partition.
    Default,
}

/// The number of usable nodes and their processors, from sinfo's rows: partition, node, state, processors. If no node is usable,
/// all count: an array waits until they are back.
pub(crate) fn nodes(rows: &str, partitions: Partitions) -> (u32, u32) {
    let rows: Vec<Vec<&str>> = rows.lines().map(|row| row.trim().split('|').collect()).collect();
    let mut nodes = BTreeMap::new();
    let mut away = BTreeMap::new();
    for row in &rows {
        let [partition, node, state, processors] = row[..] else { continue };
        if partitions == Partitions::All || partition.ends_with('*') {
            let whose = if is_usable(state) { &mut nodes } else { &mut away };
            whose.insert(node, processors.parse::<u32>().unwrap_or(1));
        }
    }
    let nodes = if nodes.is_empty() { away } else { nodes };
    (
        u32::try_from(nodes.len()).unwrap_or(u32::MAX),
        nodes.values().fold(0, |sum, own| sum.saturating_add(*own)),
    )
}

/// Nodes that are powered down are started on demand; nodes that don't answer (`*`) don't count.
fn is_usable(state: &str) -> bool {
    let usable = ["idle", "mixed", "allocated", "completing", "planned", "powering", "powered", "reserved"];
    !state.ends_with('*') && usable.iter().any(|known| state.starts_with(known))
}

/// The last partition in sbatch's arguments.
pub(crate) fn partition(arguments: &[OsString]) -> Option<OsString> {
    last(arguments, "-p", "--partition")
}

/// The excluded nodes in sbatch's arguments.
pub(crate) fn left_out(arguments: &[OsString]) -> Option<OsString> {
    last(arguments, "-x", "--exclude")
}

/// The last value of an option of sbatch.
fn last(arguments: &[OsString], short: &str, long: &str) -> Option<OsString> {
    let mut given = None;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let bytes = argument.as_bytes();
        let behind = |option: &str| bytes.strip_prefix(option.as_bytes());
        if bytes == short.as_bytes() || bytes == long.as_bytes() {
            given = rest.next().cloned();
        } else if let Some(value) =
            behind(long).and_then(|value| value.strip_prefix(b"=")).or_else(|| behind(short))
        {
            given = Some(OsStr::from_bytes(value).to_os_string());
        }
    }
    given.filter(|value| !value.is_empty())
}

/// The state of an array's elements, from squeue's rows in the columns of [`FORMAT`]. Rows of another array that has got the
/// same id are skipped.
///
/// Elements that were cancelled before they began have one row together, without an index.
pub(crate) fn seen(rows: &[u8], job: &str, name: &str) -> ArrayState {
    let name = name.as_bytes();
    let name = &name[..name.len().min(NAME)];
    let mut seen = ArrayState::default();
    for row in rows.split(|byte| *byte == b'\n') {
        let columns = columns(row);
        if columns[5] != name.trim_ascii() {
            continue;
        }
        let [index, state, exit, node, reason, _] = columns.map(String::from_utf8_lossy);
        let node = Some(node.into_owned()).filter(|node| !node.is_empty() && node != "(null)");
        let state = state_of(&Row {
            job,
            index: &index,
            state: &state,
            exit: &exit,
            node,
            reason: &reason,
        });
        match (index.parse(), state) {
            (Ok(index), state) => seen.elements.push(Element { index, state }),
            (Err(_), State::Ended(fate)) => seen.others = Some(fate),
            (Err(_), _) => {}
        }
    }
    seen
}

/// Slurm's own word for this is `None`.
const NOT_CONSIDERED: &str = "not considered yet";

struct Row<'a> {
    job: &'a str,
    index: &'a str,
    state: &'a str,
    exit: &'a str,
    node: Option<String>,
    reason: &'a str,
}

fn columns(row: &[u8]) -> [&[u8]; 6] {
    let mut start = 0;
    WIDTHS.map(|width| {
        let column = row.get(start..row.len().min(start + width)).unwrap_or_default();
        start += width;
        column.trim_ascii()
    })
}

fn state_of(row: &Row<'_>) -> State {
    match row.state {
        "PENDING" | "REQUEUED" | "REQUEUE_FED" | "RESV_DEL_HOLD" => {
            let reason = if row.reason == "None" { NOT_CONSIDERED } else { row.reason };
            State::Waiting(Wait { reason: reason.to_owned(), remedy: None })
        }
        // Held after too many restarts, or because of its exit status.
        "REQUEUE_HOLD" | "SPECIAL_EXIT" => {
            State::Waiting(Wait { reason: row.state.to_owned(), remedy: None })
        }
        "SUSPENDED" | "STOPPED" => {
            let remedy = format!("scontrol resume {}_{}", row.job, row.index);
            State::Waiting(Wait {
                reason: row.state.to_owned(),
                remedy: Some(Remedy::Command(remedy)),
            })
        }
        "BOOT_FAIL" | "CANCELLED" | "COMPLETED" | "DEADLINE" | "FAILED" | "LAUNCH_FAILED" | "NODE_FAIL"
        | "OUT_OF_MEMORY" | "PREEMPTED" | "REVOKED" | "TIMEOUT" => State::Ended(fate_of(row)),
        // Including COMPLETING: its processes may still exist.
        _ => State::Running { node: row.node.clone().unwrap_or_default() },
    }
}

fn fate_of(row: &Row<'_>) -> Fate {
    let cause = match row.state {
        "CANCELLED" => Cause::Cancelled,
        "TIMEOUT" | "PREEMPTED" => Cause::Evicted,
        // The signal that it gets before its time is over: it ended by it, as intended.
        "FAILED" if signal(row.exit) == Some(SIGTERM) => Cause::Evicted,
        _ => Cause::Other,
    };
    let words = match (row.state, exit_words(row.exit)) {
        ("FAILED", _) if cause == Cause::Evicted => {
            "told to end by TERM, as before its time is over".to_owned()
        }
        ("COMPLETED", _) => "exit 0".to_owned(),
        ("FAILED", Some(exit)) => exit,
        // Here the reason is left over from the state before.
        ("CANCELLED", _) => row.state.to_owned(),
        (state, _) if ["", "None", "TimeLimit", "NodeDown"].contains(&row.reason) => state.to_owned(),
        (state, _) => format!("{state} ({})", row.reason),
    };
    Fate { node: row.node.clone(), words, cause }
}

const SIGTERM: u32 = 15;

/// The signal that has ended it.
fn signal(status: &str) -> Option<u32> {
    exit(status).map(|(_, signal)| signal)
}

/// The code and the signal of an exit status, given as in wait(2) or as `code:signal`.
fn exit(status: &str) -> Option<(u32, u32)> {
    if let Some((code, signal)) = status.split_once(':') {
        return Some((code.parse().ok()?, signal.parse().ok()?));
    }
    let status: u32 = status.parse().ok()?;
    Some((status >> 8, status & 0x7f))
}

/// An exit status as text; `None` if it is 0.
fn exit_words(status: &str) -> Option<String> {
    match exit(status)? {
        (0_u32, 0_u32) => None,
        (code, 0) => Some(format!("exit {code}")),
        (_, signal) => Some(format!("killed by signal {signal}")),
    }
}

#[cfg(test)]
mod tests;
