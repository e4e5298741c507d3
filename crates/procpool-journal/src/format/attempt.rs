//! The fields that describe an ended attempt. The journal, the events, result files and exports all take them
//! from here, so that they use the same words.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use procpool_core::{
    Completion, End, Key, Killer, Live, NotStarted, Outcome, PeakMemory, Ran, Retried, Seq, Slot, Started,
    Status,
};
use serde::{Deserialize, Serialize};

/// An attempt of a job that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    pub key: &'a Key,
    /// The job's position in the list, from 1.
    pub seq: Seq,
    /// The slot in which it ran, from 1, if it had one.
    pub slot: Option<Slot>,
    /// The number of the attempt, from 1. Higher numbers are retries.
    pub number: u32,
    pub outcome: &'a Outcome,
    /// The node on which it ran, if it ran on another machine.
    pub node: Option<&'a str>,
}

impl<'a> Attempt<'a> {
    /// The last attempt of a job.
    pub fn last<W>(completion: &'a Completion<W>) -> Attempt<'a> {
        Attempt {
            key: completion.key(),
            seq: completion.seq,
            slot: completion.slot,
            number: completion.attempt,
            outcome: &completion.outcome,
            node: completion.node.as_deref(),
        }
    }
}

impl<'a> From<&'a Retried> for Attempt<'a> {
    /// An attempt after which the job is retried.
    fn from(retried: &'a Retried) -> Attempt<'a> {
        Attempt {
            key: &retried.key,
            seq: retried.seq,
            slot: Some(retried.slot),
            number: retried.attempt,
            outcome: &retried.outcome,
            node: retried.node.as_deref(),
        }
    }
}

/// Identifies the attempt at the start of each record.
#[derive(Debug, Serialize)]
pub struct AttemptHeader<'a> {
    #[serde(flatten)]
    key: KeyText<'a>,
    seq: u64,
    slot: Option<usize>,
    attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'a str>,
}

/// A key as text.
#[derive(Debug, Serialize)]
pub struct KeyText<'a> {
    key: Cow<'a, str>,
    /// All bytes of the key in Base64, if they are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_base64: Option<String>,
}

impl<'a> KeyText<'a> {
    /// Encodes a key. Invalid UTF-8 becomes U+FFFD in the text.
    #[must_use]
    pub fn of(key: &'a Key) -> KeyText<'a> {
        let lossy = String::from_utf8_lossy(key.as_bytes());
        KeyText {
            key_base64: matches!(lossy, Cow::Owned(_)).then(|| BASE64_STANDARD.encode(key.as_bytes())),
            key: lossy,
        }
    }

    /// The text, and the bytes in Base64 if they are not UTF-8.
    #[must_use]
    pub fn into_parts(self) -> (String, Option<String>) {
        (self.key.into_owned(), self.key_base64)
    }
}

impl<'a> AttemptHeader<'a> {
    fn new(key: &'a Key, seq: Seq, slot: Option<Slot>, attempt: u32) -> AttemptHeader<'a> {
        AttemptHeader {
            key: KeyText::of(key),
            seq: seq.get(),
            slot: slot.map(Slot::get),
            attempt,
            node: None,
        }
    }

    fn on(self, node: Option<&'a str>) -> AttemptHeader<'a> {
        AttemptHeader { node, ..self }
    }
}

impl<'a> From<Attempt<'a>> for AttemptHeader<'a> {
    fn from(attempt: Attempt<'a>) -> AttemptHeader<'a> {
        AttemptHeader::new(attempt.key, attempt.seq, attempt.slot, attempt.number).on(attempt.node)
    }
}

impl<'a> From<&'a Started> for AttemptHeader<'a> {
    fn from(started: &'a Started) -> AttemptHeader<'a> {
        AttemptHeader::new(&started.key, started.seq, Some(started.slot), started.attempt)
            .on(started.node.as_deref())
    }
}

impl<'a> From<&'a Live> for AttemptHeader<'a> {
    fn from(live: &'a Live) -> AttemptHeader<'a> {
        AttemptHeader::new(&live.key, live.seq, Some(live.slot), live.attempt)
    }
}

/// How an attempt ended and what it used.
#[derive(Debug, Serialize)]
pub struct Report {
    outcome: Kind,
    success: bool,
    /// As in a shell's `$?`; `None` if its turn never came.
    status: Option<u8>,
    exit_code: Option<u8>,
    signal: Option<i32>,
    killer: Option<&'static str>,
    /// Why it was not started, or its output is incomplete.
    error: Option<String>,
    errno: Option<i32>,
    started: Option<String>,
    seconds: f64,
    user_seconds: f64,
    system_seconds: f64,
    /// In bytes; `None` if the exact peak is unknown.
    peak_memory: Option<u64>,
    /// An upper bound in bytes, if the exact peak is unknown.
    peak_memory_below: Option<u64>,
    stdout_bytes: u64,
    stderr_bytes: u64,
    leaked: bool,
    output_complete: bool,
    /// Those of its processes that could not be killed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    survivors: Vec<Survivor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<Start>,
}

/// How far an attempt's start had come, if that is unusual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// It was ended before its program was loaded.
    Hung,
}

/// A process of a job that could not be killed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Survivor {
    pub(crate) pid: u32,
    pub(crate) program: String,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Its process exited, with any exit code.
    Exited,
    /// A signal killed its process.
    Signalled,
    /// It ran into its timeout.
    TimedOut,
    /// procpool ended it together with the run.
    Stopped,
    /// Its process could not be started.
    NotStarted,
    /// It was never started, because the run was over. Such attempts have no record.
    NeverReached,
    /// It ran on a cluster, and its outcome is unknown.
    Lost,
}

impl Kind {
    /// Classifies an outcome.
    #[must_use]
    pub fn of(outcome: &Outcome) -> Kind {
        match outcome {
            Outcome::Ran(ran) => match ran.end {
                End::Itself(Status::Exited(_)) => Kind::Exited,
                End::Itself(Status::Signalled(_)) => Kind::Signalled,
                End::TimedOut(_) => Kind::TimedOut,
                End::Stopped(_) => Kind::Stopped,
                End::Unknown => Kind::Lost,
            },
            Outcome::NotStarted(NotStarted::Spawn(_)) => Kind::NotStarted,
            Outcome::NotStarted(NotStarted::NeverReached) => Kind::NeverReached,
            Outcome::Lost(_) => Kind::Lost,
        }
    }

    /// Its name in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Kind::Exited => "exited",
            Kind::Signalled => "signalled",
            Kind::TimedOut => "timed_out",
            Kind::Stopped => "stopped",
            Kind::NotStarted => "not_started",
            Kind::NeverReached => "never_reached",
            Kind::Lost => "lost",
        }
    }
}

impl Report {
    /// Collects the fields of an outcome.
    pub fn of(outcome: &Outcome) -> Report {
        let report = Report {
            outcome: Kind::of(outcome),
            success: outcome.is_success(),
            status: outcome.status(),
            exit_code: None,
            signal: None,
            killer: None,
            error: None,
            errno: None,
            started: None,
            seconds: 0.0,
            user_seconds: 0.0,
            system_seconds: 0.0,
            peak_memory: None,
            peak_memory_below: None,
            stdout_bytes: 0,
            stderr_bytes: 0,
            leaked: false,
            output_complete: true,
            survivors: Vec::new(),
            start: None,
        };
        match outcome {
            Outcome::Ran(ran) => {
                let report = Report { error: outcome.lost().map(str::to_owned), ..report };
                report.with_figures(ran)
            }
            Outcome::NotStarted(NotStarted::Spawn(error)) => Report {
                error: Some(error.to_string()),
                errno: error.source.raw_os_error(),
                ..report
            },
            Outcome::NotStarted(NotStarted::NeverReached) => report,
            Outcome::Lost(why) => Report { error: Some(why.clone()), output_complete: false, ..report },
        }
    }

    fn with_figures(self, ran: &Ran) -> Report {
        let (exit_code, signal) = match status(ran) {
            Some(Status::Exited(code)) => (Some(code), None),
            Some(Status::Signalled(signal)) => (None, Some(signal.number())),
            None => (None, None),
        };
        let (peak_memory, peak_memory_below) = match ran.usage.peak_memory {
            PeakMemory::Known(bytes) => (Some(bytes), None),
            PeakMemory::Below(bytes) => (None, Some(bytes)),
            PeakMemory::Unknown => (None, None),
        };
        let survivors = ran.survivors.iter();
        Report {
            exit_code,
            signal,
            killer: ran.killer.and_then(killer_word),
            error: ran.lost.as_ref().map(ToString::to_string).or(self.error),
            errno: ran.lost.as_ref().and_then(std::io::Error::raw_os_error),
            started: Some(time(ran.started)),
            seconds: ran.elapsed.as_secs_f64(),
            user_seconds: ran.usage.user.as_secs_f64(),
            system_seconds: ran.usage.system.as_secs_f64(),
            peak_memory,
            peak_memory_below,
            stdout_bytes: ran.stdout.len(),
            stderr_bytes: ran.stderr.len(),
            leaked: ran.leaked,
            output_complete: ran.lost.is_none(),
            survivors: survivors
                .map(|left| Survivor { pid: left.pid, program: left.program.clone() })
                .collect(),
            start: ran.start_hung.then_some(Start::Hung),
            ..self
        }
    }
}

fn killer_word(killer: Killer) -> Option<&'static str> {
    match killer {
        Killer::OutOfMemory => Some("out_of_memory"),
        _ => None,
    }
}

/// How the process itself ended, whoever ended it; `None` if other code has taken its status.
#[must_use]
pub fn status(ran: &Ran) -> Option<Status> {
    match ran.end {
        End::Itself(status) | End::TimedOut(status) | End::Stopped(status) => Some(status),
        End::Unknown => None,
    }
}

/// A time as records contain it: RFC 3339, in UTC, truncated to the millisecond.
#[must_use]
pub fn time(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}

/// A time in seconds since 1970. It is truncated to the millisecond like [`time`], so that what is written
/// during a run equals what its journal says afterwards.
#[must_use]
pub fn unix_seconds(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}.{:03}", since.as_secs(), since.subsec_millis())
}

/// A duration in seconds, rounded to the millisecond. It is computed in whole numbers: a record keeps a
/// fraction whose last bit may change when it is read back.
#[must_use]
pub fn seconds(length: Duration) -> String {
    let millis = (length.as_nanos() + 500_000) / 1_000_000;
    format!("{}.{:03}", millis / 1000, millis % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_cut_and_a_length_rounded_to_the_millisecond() {
        let moment = UNIX_EPOCH + Duration::from_micros(1_700_000_000_999_600);
        assert_eq!(unix_seconds(moment), "1700000000.999");
        assert_eq!(time(moment), "2023-11-14T22:13:20.999Z");
        let length = |nanos| seconds(Duration::from_nanos(nanos));
        assert_eq!(length(0), "0.000");
        assert_eq!(length(1_499_999), "0.001");
        assert_eq!(length(1_500_000), "0.002");
        assert_eq!(length(59_999_600_000), "60.000");
    }
}
