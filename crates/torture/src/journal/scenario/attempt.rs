//! An attempt as the journal has it, checked: its lines must be whole and of one process.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sleeper::bytes::Stream;
use sleeper::lines::Mark;

use crate::journal::records;

/// An attempt that was recorded.
pub(crate) struct Attempt {
    pub(crate) key: String,
    pub(crate) generation: u64,
    pub(crate) is_success: bool,
    pub(crate) is_stopped: bool,
    /// The stream, the process and the number of lines of each output that is not empty.
    pub(crate) outputs: Vec<(Stream, u32, u64)>,
}

impl Attempt {
    /// # Errors
    /// A line is cut, or the recorded output is missing or of several processes.
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
