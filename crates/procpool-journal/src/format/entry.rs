//! A recorded attempt with all of its fields. Which of a job's attempts counts is decided elsewhere, in
//! `read::standing`.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use procpool_core::{Key, PeakMemory, Source};
use serde::{Deserialize, Serialize};

use crate::files::file::JournalFile;
use crate::format::attempt::{Kind, Start, Survivor};
use crate::format::brief::is_attempt;
use crate::format::line;
use crate::format::record::{Output, Outputs};
use crate::format::subject::{self, RecordedSubject};

/// The record of an attempt. All fields are documented in docs/journal.md.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    pub generation: u32,
    pub attempt: u32,
    pub job: String,
    pub fingerprint: String,
    pub ended: String,
    pub outcome: Kind,
    pub success: bool,
    pub status: Option<u8>,
    pub exit_code: Option<u8>,
    pub signal: Option<i32>,
    pub killer: Option<String>,
    pub error: Option<String>,
    pub errno: Option<i32>,
    #[serde(default, deserialize_with = "subject::known", skip_serializing_if = "Option::is_none")]
    pub subject: Option<RecordedSubject>,
    pub started: Option<String>,
    pub seconds: f64,
    pub user_seconds: f64,
    pub system_seconds: f64,
    /// In bytes, if the exact peak is known.
    pub peak_memory: Option<u64>,
    /// An upper bound in bytes, if the exact peak is unknown.
    #[serde(default = "not_told_apart")]
    pub peak_memory_below: Option<u64>,
    pub stdout_bytes: u64,
    pub stderr_bytes: u64,
    pub leaked: bool,
    pub output_complete: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub survivors: Vec<Survivor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Start>,
    pub seq: u64,
    pub slot: Option<usize>,
    pub waited_for: Option<String>,
    /// The cluster's name of the node on which it ran, if it ran on a cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    pub key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_base64: Option<String>,
    #[serde(flatten)]
    pub outputs: Outputs,
}

impl Entry {
    /// Parses the body of a line, which follows the check. `None` if it is not an attempt, or can't be
    /// parsed.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Entry> {
        if !is_attempt(body) {
            return None;
        }
        let entry: Entry = line::parse(body)?;
        Some(entry.with_peaks_told_apart())
    }

    /// Corrects a record from before exact peaks and upper bounds were distinguished: its figure may be
    /// procpool's own peak, so it is only an upper bound, and 0 means that nothing was started.
    fn with_peaks_told_apart(mut self) -> Entry {
        if self.peak_memory_below == not_told_apart() {
            self.peak_memory_below = self.peak_memory.take().filter(|bytes| *bytes > 0);
        }
        self
    }

    /// The most memory that it held at once, in bytes.
    #[must_use]
    pub fn peak_memory(&self) -> PeakMemory {
        match (self.peak_memory, self.peak_memory_below) {
            (Some(bytes), _) => PeakMemory::Known(bytes),
            (None, Some(bytes)) => PeakMemory::Below(bytes),
            (None, None) => PeakMemory::Unknown,
        }
    }

    /// The key of its job.
    pub fn key(&self) -> Key {
        let bytes = self.key_base64.as_ref().and_then(|base64| BASE64_STANDARD.decode(base64).ok());
        bytes.map_or_else(|| Key::from(self.key.as_str()), Key::from)
    }

    /// The node on which it ran, as completions from a cluster have it.
    pub fn node(&self) -> Option<Arc<str>> {
        self.node.as_deref().map(Arc::from)
    }

    /// The length of an output in bytes.
    #[must_use]
    pub fn length(&self, source: Source) -> u64 {
        match source {
            Source::Stdout => self.stdout_bytes,
            Source::Stderr => self.stderr_bytes,
        }
    }

    /// The offset of an output in the file of outputs, in bytes, if it is there.
    pub(crate) fn offset(&self, source: Source) -> Option<u64> {
        match self.output(source) {
            Output::At { offset, .. } => Some(offset),
            Output::Empty | Output::Here(_) => None,
        }
    }

    fn output(&self, source: Source) -> Output {
        match source {
            Source::Stdout => self.outputs.stdout(),
            Source::Stderr => self.outputs.stderr(),
        }
    }

    /// Reads an output from its start. Longer outputs are in the file `outputs`.
    ///
    /// # Errors
    /// If that file can't be opened.
    pub fn open(&self, source: Source, outputs: &JournalFile) -> io::Result<Box<dyn Read>> {
        open(&self.output(source), self.length(source), outputs)
    }
}

/// The value of `peak_memory_below` if the field is missing. No process has ever held that much.
#[expect(clippy::unnecessary_wraps, reason = "serde wants the type of the field")]
fn not_told_apart() -> Option<u64> {
    Some(u64::MAX)
}

/// Reads an output of an attempt whose longer outputs are in the file `outputs`.
///
/// # Errors
/// If that file can't be opened.
fn open(output: &Output, length: u64, outputs: &JournalFile) -> io::Result<Box<dyn Read>> {
    Ok(match output {
        Output::Empty => Box::new(io::empty()),
        Output::Here(bytes) => Box::new(io::Cursor::new(bytes.clone())),
        Output::At { offset, sum } => {
            let mut file = outputs.open()?;
            file.seek(SeekFrom::Start(*offset))?;
            Box::new(Checked {
                source: file.take(length),
                sum: *sum,
                hasher: crc32fast::Hasher::new(),
                left: length,
            })
        }
    })
}

/// An output whose last bytes are returned only if all of it is what was written.
struct Checked<R> {
    source: R,
    sum: u32,
    hasher: crc32fast::Hasher,
    left: u64,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        self.left -= count as u64;
        let is_wrong = match (count, self.left) {
            (0, 1..) if !buffer.is_empty() => true,
            (1.., 0) => self.hasher.clone().finalize() != self.sum,
            _ => false,
        };
        if is_wrong {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the output in the journal is damaged"));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::files::folder::Folder;
    use crate::testing::scripted;

    #[test]
    fn a_peak_that_was_recorded_before_it_was_known_whose_it_was_is_no_more_than_a_bound() {
        let peak = |fields: &str| {
            let says = serde_json::to_string(&scripted(&serde_json::Value::Null)).unwrap();
            let says = says.replace("\"peak_memory\":4096,\"peak_memory_below\":null", fields);
            let body = format!("\"record\":\"attempt\",{}", &says[1..]);
            Entry::parse(body.as_bytes()).unwrap().peak_memory()
        };
        assert_eq!(peak("\"peak_memory\":4096"), PeakMemory::Below(4096));
        assert_eq!(peak("\"peak_memory\":0"), PeakMemory::Unknown);
        assert_eq!(peak("\"peak_memory\":4096,\"peak_memory_below\":null"), PeakMemory::Known(4096));
        assert_eq!(peak("\"peak_memory\":null,\"peak_memory_below\":8192"), PeakMemory::Below(8192));
    }

    #[test]
    fn an_output_that_was_damaged_or_cut_is_not_given_out_as_whole() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let (folder, _) = Folder::make(temporary.path()).unwrap();
        let outputs = folder.own_files().outputs;
        let read = |bytes: &[u8]| {
            fs::write(outputs.path(), bytes).unwrap();
            let output = Output::At { offset: 1, sum: crc32fast::hash(b"hello") };
            let mut all = Vec::new();
            open(&output, 5, &outputs).unwrap().read_to_end(&mut all).map(|_| all)
        };
        assert_eq!(read(b"-hello-").unwrap(), b"hello");
        assert!(read(b"-hellp-").is_err());
        assert!(read(b"-hell").is_err());
    }
}
