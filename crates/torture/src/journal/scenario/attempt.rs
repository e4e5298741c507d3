//! What a journal has of an attempt, and whether the lines in it are whole and of one process.
//! Does not know which attempt counts.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sleeper::bytes::Stream;
use sleeper::lines::Mark;

use crate::journal::records;

/// The record of an attempt.
pub(crate) struct Attempt {
    pub(crate) key: String,
    pub(crate) generation: u64,
    pub(crate) is_success: bool,
    pub(crate) is_stopped: bool,
    /// What it wrote to each stream, if anything: which process, and how many lines.
    pub(crate) outputs: Vec<(Stream, u32, u64)>,
}

impl Attempt {
    /// # Errors
    /// Where it is not whole, or what it says was written is not.
    pub(crate) fn read(value: &Value, outputs: &[u8]) -> Result<Attempt> {
        let mut attempt = Attempt {
            key: value["key"].as_str().context("no key")?.to_owned(),
            generation: value["generation"].as_u64().context("no generation")?,
            is_success: value["success"] == true,
            is_stopped: value["outcome"] == "stopped",
            outputs: Vec::new(),
        };
        for (name, stream) in [("stdout", Stream::Stdout), ("stderr", Stream::Stderr)] {
            let bytes = records::output(value, name, outputs)?;
            let lines: Vec<&[u8]> =
                bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
            let marks: Vec<Option<Mark>> = lines.iter().map(|line| Mark::read(line)).collect();
            let Some(Some(first)) = marks.first() else {
                ensure!(bytes.is_empty() || attempt.is_stopped, "what is recorded is torn");
                continue;
            };
            let is_right = |(number, mark): (u64, &Option<Mark>)| {
                mark.as_ref().is_some_and(|mark| {
                    mark.number == number && mark.pid == first.pid && mark.stream == stream
                })
            };
            ensure!(
                (1..).zip(&marks).all(is_right) || attempt.is_stopped,
                "what is recorded is mixed or torn"
            );
            ensure!(marks.len() as u64 == first.count || attempt.is_stopped, "what is recorded is not whole");
            attempt.outputs.push((stream, first.pid, first.count));
        }
        Ok(attempt)
    }
}
