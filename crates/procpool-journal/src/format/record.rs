//! What stands in a journal's file: a header, runs, attempts, ends. Written and read by these types.
//! Knows nothing of files.

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

/// The version of all that this file describes.
pub(crate) const VERSION: u32 = 1;

/// A record, by the word after `record`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// The first line of each file.
    Journal(Header),
    /// Somebody begins to run jobs.
    Run(Box<Run>),
    /// Somebody has come to an orderly end.
    End(End),
    /// A round of slices is about to be given to a cluster.
    Round(Round),
    /// It was.
    Array(Array),
    /// Nothing of it is left there.
    RoundOver(RoundOver),
    /// Somebody begins to run one of its slices.
    Slice(SliceBegin),
}

/// A round of slices. It has its name before anybody else hears of it, so that it can be found again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    pub generation: u32,
    /// From 1 in each generation.
    #[serde(rename = "round")]
    pub number: u32,
    /// What it is called where it is given to.
    pub name: String,
    /// The list that its slices are parts of.
    pub list: u32,
    pub slices: u32,
}

/// A round was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Array {
    pub generation: u32,
    pub round: u32,
    /// By which the engine knows it.
    pub id: String,
}

/// A round has come to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundOver {
    pub generation: u32,
    pub round: u32,
}

/// Who runs a slice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SliceBegin {
    pub generation: u32,
    pub round: u32,
    /// From 0.
    pub slice: u32,
    /// How often it was begun, this time included.
    pub instance: u32,
    pub pid: u32,
    pub host: String,
    /// What the cluster calls the machine; not said by an older procpool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    pub started: String,
}

impl Round {
    /// What its files are called.
    #[must_use]
    pub fn tag(&self) -> String {
        tag(self.generation, self.number)
    }
}

/// What the files of a round are called.
#[must_use]
pub fn tag(generation: u32, round: u32) -> String {
    format!("{generation}-{round}")
}

/// Which file this is.
#[derive(Debug, Serialize, Deserialize)]
pub struct Header {
    pub(crate) version: u32,
    /// What wrote it.
    pub(crate) procpool: String,
    pub(crate) created: String,
}

/// A run over a list of jobs, or over what is left of it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Run {
    /// How often the list was begun, this time included.
    pub generation: u32,
    /// As jobs have it in `PROCPOOL_RUN`.
    #[serde(rename = "run")]
    pub name: String,
    pub pid: u32,
    #[serde(flatten)]
    pub whereabouts: Whereabouts,
    pub started: String,
    pub limit: usize,
    /// Where it was started.
    pub directory: Text<'static>,
    /// All that was typed.
    pub words: Vec<Text<'static>>,
    /// Of that, or of variables, the options: what a resume goes by.
    pub options: Vec<Text<'static>>,
    /// What a tag may name.
    pub names: Option<NamesLine>,
    /// The list that this run is about.
    pub list: u32,
}

/// How a run ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct End {
    pub generation: u32,
    pub ended: String,
    /// As a shell has it in `$?`.
    pub status: i32,
    /// What jobs had left behind, and was ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<LeakedProcess>,
}

impl Record {
    /// As a line of a file.
    #[must_use]
    pub fn line(&self) -> Vec<u8> {
        sealed(self)
    }

    /// Reads the body of a line. `None` if it is another record than these.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Record> {
        line::parse(body)
    }

    #[must_use]
    pub fn header() -> Record {
        Record::Journal(Header {
            version: VERSION,
            procpool: env!("CARGO_PKG_VERSION").to_owned(),
            created: time(SystemTime::now()),
        })
    }
}

/// Any record as a line of a file.
pub fn sealed(record: &impl Serialize) -> Vec<u8> {
    line::seal(&serde_json::to_vec(record).expect("BUG: a record that is no JSON"))
}

/// An attempt, as it is written. The first fields are read by `brief`, at the places where they stand here.
#[derive(Serialize)]
struct AttemptRecord<'a> {
    record: &'static str,
    generation: u32,
    attempt: u32,
    job: String,
    fingerprint: String,
    ended: String,
    /// Begins with outcome and success.
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

/// Where an output is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Output {
    #[default]
    Empty,
    /// In the record itself.
    Here(Vec<u8>),
    /// In the file of outputs, from this byte on.
    At { offset: u64, sum: u32 },
}

/// Where the outputs of an attempt are. Of the fields of each one at most is there, beside the sum.
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

/// What else there is to say of an attempt.
pub struct Circumstances {
    pub generation: u32,
    pub identity: Identity,
    pub ended: SystemTime,
    pub waited_for: Option<&'static str>,
}

/// An attempt that has just ended, as a line of a file.
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
