//! The lines of the event stream, as docs/events.schema.json defines them.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;

use crate::guard::LeakedProcess;
use procpool_journal::format::attempt::{AttemptHeader, Report};

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum EventLine<'a> {
    RunStarted {
        version: u32,
        procpool: &'static str,
        time: String,
        run: String,
        limit: usize,
        command: String,
    },
    JobStarted {
        time: String,
        #[serde(flatten)]
        whose: AttemptHeader<'a>,
    },
    Output {
        time: String,
        #[serde(flatten)]
        whose: AttemptHeader<'a>,
        stream: StreamName,
        #[serde(flatten)]
        piece: Piece<'a>,
    },
    JobFinished {
        time: String,
        #[serde(flatten)]
        whose: AttemptHeader<'a>,
        #[serde(flatten)]
        report: Box<Report>,
        #[serde(skip_serializing_if = "Option::is_none")]
        command: Option<String>,
        will_retry: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        pause_seconds: Option<f64>,
    },
    RunFinished {
        time: String,
        jobs: u64,
        succeeded: u64,
        failed: u64,
        stopped: u64,
        unrun: u64,
        input_read: bool,
        leaked: u64,
        left: &'a [LeakedProcess],
        seconds: f64,
        status: i32,
        signal: Option<i32>,
    },
}

/// Which output of a job.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StreamName {
    Stdout,
    Stderr,
}

/// A piece of output: as text if it is UTF-8, otherwise in Base64.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Piece<'a> {
    Text(&'a str),
    Base64(String),
}

impl<'a> From<&'a [u8]> for Piece<'a> {
    fn from(bytes: &'a [u8]) -> Piece<'a> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Piece::Text(text),
            Err(_) => Piece::Base64(BASE64_STANDARD.encode(bytes)),
        }
    }
}
