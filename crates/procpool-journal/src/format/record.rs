//! The records of a journal's file, such as header, runs, attempts and ends. The same types write and read
//! them.

use std::time::SystemTime;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use crate::files::leaked_process::LeakedProcess;
use crate::files::whereabouts::Whereabouts;
use crate::format::attempt::{Attempt, KeyText, Report, time};
use crate::format::identity::Identity;
use crate::format::line;
use crate::format::names::NamesLine;
use crate::format::subject::RecordedSubject;
use crate::format::text::Text;

/// The version of the formats of all files of a journal.
pub(crate) const VERSION: u32 = 1;

/// A record; its field `record` says which.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// The first line of each file.
    Journal(Header),
    /// A process begins to run jobs.
    Run(Box<Run>),
    /// A run or a slice has ended by itself.
    End(End),
    /// A round of slices is about to be submitted to a cluster.
    Round(Round),
    /// The round was submitted.
    Array(Array),
    /// Nothing of the round is left on the cluster.
    RoundOver(RoundOver),
    /// A process begins to run one of its slices.
    Slice(SliceBegin),
}

/// A round of slices. Its name is recorded before it is submitted, so that it can be found again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    pub generation: u32,
    /// The number of the round, from 1 in each generation.
    #[serde(rename = "round")]
    pub number: u32,
    /// The name of its array job.
    pub name: String,
    /// The number of the list of which its slices are parts.
    pub list: u32,
    /// How many slices it has.
    pub slices: u32,
}

/// A round was submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Array {
    pub generation: u32,
    pub round: u32,
    /// The cluster's id of the array job.
    pub id: String,
}

/// A round has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundOver {
    pub generation: u32,
    pub round: u32,
}

/// The start of a slice, and the process that runs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SliceBegin {
    pub generation: u32,
    pub round: u32,
    /// The number of the slice, from 0.
    pub slice: u32,
    /// How many times it was started, including this time.
    pub instance: u32,
    pub pid: u32,
    pub host: String,
    /// The cluster's name of the machine. An older procpool didn't record it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    pub started: String,
}

impl Round {
    /// The tag that the names of its files contain.
    #[must_use]
    pub fn tag(&self) -> String {
        tag(self.generation, self.number)
    }
}

/// The tag that the names of a round's files contain.
#[must_use]
pub fn tag(generation: u32, round: u32) -> String {
    format!("{generation}-{round}")
}

/// The header of a file.
#[derive(Debug, Serialize, Deserialize)]
pub struct Header {
    pub(crate) version: u32,
    /// The version of procpool that created the file.
    pub(crate) procpool: String,
    pub(crate) created: String,
}

/// The start of a run over a list of jobs, or over what is left of it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Run {
    /// Which start of this journal this is, from 1: the first run and each resume count.
    pub generation: u32,
    /// The name of the run, which jobs have in `PROCPOOL_RUN`.
    #[serde(rename = "run")]
    pub name: String,
    pub pid: u32,
    #[serde(flatten)]
    pub whereabouts: Whereabouts,
    pub started: String,
    /// How many jobs run at once.
    pub limit: usize,
    /// The directory in which procpool was started.
    pub directory: Text<'static>,
    /// The whole command line.
    pub words: Vec<Text<'static>>,
    /// The options, typed or from variables, that a resume repeats.
    pub options: Vec<Text<'static>>,
    /// Which placeholders a tag may contain.
    pub names: Option<NamesLine>,
    /// The number of its list.
    pub list: u32,
}

/// How a run ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct End {
    pub generation: u32,
    pub ended: String,
    /// procpool's exit status, as in a shell's `$?`.
    pub status: i32,
    /// Processes that jobs had left behind and that were killed with the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<LeakedProcess>,
}

impl Record {
    /// Encodes it as a line of a file.
    #[must_use]
    pub fn line(&self) -> Vec<u8> {
        sealed(self)
    }

    /// Parses the body of a line. `None` if it is another record than these.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Record> {
        line::parse(body)
    }

    /// The header of a new file.
    #[must_use]
    pub fn header() -> Record {
        Record::Journal(Header {
            version: VERSION,
            procpool: env!("CARGO_PKG_VERSION").to_owned(),
            created: time(SystemTime::now()),
        })
    }
}

/// Encodes any record as a line of a file.
pub fn sealed(record: &impl Serialize) -> Vec<u8> {
    line::seal(&serde_json::to_vec(record).expect("BUG: a record that is no JSON"))
}

/// An attempt as it is written. `brief` reads the first fields at their positions here, so their order
/// matters.
#[derive(Serialize)]
struct AttemptRecord<'a> {
    record: &'static str,
    generation: u32,
    attempt: u32,
    job: String,
    fingerprint: String,
    ended: String,
    /// Begins with `outcome`, `success` and `status`.
    #[serde(flatten)]
    report: &'a Report,
    seq: u64,
    slot: Option<usize>,
    waited_for: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<RecordedSubject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'a str>,
    #[serde(flatten)]
    key: KeyText<'a>,
    #[serde(flatten)]
    outputs: &'a Outputs,
}

/// Where an output is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Output {
    #[default]
    Empty,
    /// In the record itself.
    Here(Vec<u8>),
    /// In the file of outputs, from this byte offset on; the sum is the CRC-32 of all of it.
    At { offset: u64, sum: u32 },
}

/// Where the outputs of an attempt are stored. At most one field per output is set, in addition to the sum.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outputs {
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout_sum: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr_sum: Option<u32>,
}

impl Outputs {
    #[must_use]
    pub fn new(stdout: Output, stderr: Output) -> Outputs {
        let (stdout, stdout_base64, stdout_at, stdout_sum) = stdout.into_fields();
        let (stderr, stderr_base64, stderr_at, stderr_sum) = stderr.into_fields();
        Outputs {
            stdout,
            stdout_base64,
            stdout_at,
            stdout_sum,
            stderr,
            stderr_base64,
            stderr_at,
            stderr_sum,
        }
    }

    pub(crate) fn stdout(&self) -> Output {
        Output::of_fields(self.stdout.as_ref(), self.stdout_base64.as_ref(), self.stdout_at, self.stdout_sum)
    }

    pub(crate) fn stderr(&self) -> Output {
        Output::of_fields(self.stderr.as_ref(), self.stderr_base64.as_ref(), self.stderr_at, self.stderr_sum)
    }
}

impl Output {
    fn into_fields(self) -> (Option<String>, Option<String>, Option<u64>, Option<u32>) {
        match self {
            Output::Empty => (None, None, None, None),
            Output::Here(bytes) => match String::from_utf8(bytes) {
                Ok(text) => (Some(text), None, None, None),
                Err(error) => (None, Some(BASE64_STANDARD.encode(error.as_bytes())), None, None),
            },
            Output::At { offset, sum } => (None, None, Some(offset), Some(sum)),
        }
    }

    fn of_fields(
        text: Option<&String>,
        base64: Option<&String>,
        offset: Option<u64>,
        sum: Option<u32>,
    ) -> Output {
        match (text, base64, offset) {
            (Some(text), _, _) => Output::Here(text.clone().into_bytes()),
            (_, Some(base64), _) => Output::Here(BASE64_STANDARD.decode(base64).unwrap_or_default()),
            (_, _, Some(offset)) => Output::At { offset, sum: sum.unwrap_or_default() },
            (None, None, None) => Output::Empty,
        }
    }
}

/// What a record says in addition to the attempt.
pub struct Circumstances {
    pub generation: u32,
    pub identity: Identity,
    pub ended: SystemTime,
    /// What delayed its start although a slot was free.
    pub waited_for: Option<&'static str>,
}

/// Encodes an attempt that has just ended as a line of a file.
pub fn attempt_line(attempt: Attempt<'_>, circumstances: &Circumstances, outputs: &Outputs) -> Vec<u8> {
    let Circumstances { generation, identity, ended, waited_for } = *circumstances;
    sealed(&AttemptRecord {
        record: "attempt",
        generation,
        attempt: attempt.number,
        job: identity.job.to_string(),
        fingerprint: identity.fingerprint.to_string(),
        ended: time(ended),
        report: &Report::of(attempt.outcome),
        seq: attempt.seq.get(),
        slot: attempt.slot.map(procpool_core::Slot::get),
        waited_for,
        subject: RecordedSubject::of_outcome(attempt.outcome),
        node: attempt.node,
        key: KeyText::of(attempt.key),
        outputs,
    })
}
