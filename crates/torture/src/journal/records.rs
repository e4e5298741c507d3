//! Whether a journal has exactly one success of each job, with what the job printed. It reads the journal
//! by its documentation, without procpool's own code.

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

/// A job's expected output.
pub(crate) struct Printed {
    pub(crate) key: String,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// The contents of a journal's two files.
pub(crate) struct Files<'a> {
    pub(crate) journal: &'a [u8],
    pub(crate) outputs: &'a [u8],
}

/// Checks the journal of a finished list.
///
/// # Errors
/// Names a job with a wrong record.
pub(crate) fn judge(jobs: &[Printed], files: &Files<'_>) -> Result<()> {
    let attempts = attempts(files.journal)?;
    let mut by_key: HashMap<&str, &Value> = HashMap::new();
    // A pool whose keeper was killed stops its jobs, and may still record that.
    for attempt in attempts.iter().filter(|attempt| attempt["outcome"] != "stopped") {
        let key = attempt["key"].as_str().context("an attempt without a key")?;
        ensure!(attempt["success"] == true, "{key} is recorded as {}: {attempt}", attempt["outcome"]);
        ensure!(by_key.insert(key, attempt).is_none(), "{key} is recorded twice");
    }
    for job in jobs {
        let key = &*job.key;
        let attempt = by_key.remove(key).with_context(|| format!("{key} is not recorded"))?;
        for (name, printed) in [("stdout", &job.stdout), ("stderr", &job.stderr)] {
            let recorded =
                output(attempt, name, files.outputs).with_context(|| format!("{name} of {key}"))?;
            ensure!(recorded == *printed, "{name} of {key} is not recorded as it was printed");
        }
    }
    ensure!(by_key.is_empty(), "these are no jobs of the list: {:?}", by_key.keys());
    Ok(())
}

/// The records of attempts, in order.
///
/// # Errors
/// A line is no valid record.
pub(crate) fn attempts(journal: &[u8]) -> Result<Vec<Value>> {
    ensure!(journal.ends_with(b"\n"), "the journal ends within a line");
    let mut attempts = Vec::new();
    for line in journal.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let record: Value = serde_json::from_slice(line).with_context(|| {
            format!("a line of the journal is no JSON: {}", String::from_utf8_lossy(line))
        })?;
        if record["record"] == "attempt" {
            attempts.push(record);
        }
    }
    Ok(attempts)
}

/// The recorded bytes of an output.
///
/// # Errors
/// They are missing, or recorded in two ways.
pub(crate) fn output(attempt: &Value, name: &str, outputs: &[u8]) -> Result<Vec<u8>> {
    let field = |suffix: &str| &attempt[format!("{name}{suffix}")];
    let length = usize::try_from(field("_bytes").as_u64().context("no number of bytes")?)?;
    let here = match (field("").as_str(), field("_base64").as_str(), field("_at").as_u64()) {
        (Some(text), None, None) => text.into(),
        (None, Some(base64), None) => BASE64_STANDARD.decode(base64).ok().context("no Base64")?,
        (None, None, Some(offset)) => {
            let offset = usize::try_from(offset)?;
            outputs.get(offset..offset + length).context("beyond the end of outputs")?.into()
        }
        (None, None, None) => Vec::new(),
        _ => bail!("recorded in two ways"),
    };
    ensure!(here.len() == length, "{} bytes instead of {length}", here.len());
    Ok(here)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str =
        r#"{"record":"attempt","success":true,"key":"a","stdout_bytes":2,"stdout":"hi","stderr_bytes":0}"#;
    const B: &str = r#"{"record":"attempt","success":true,"key":"b","stdout_bytes":1,"stdout_base64":"/w==","stderr_bytes":3,"stderr_at":1}"#;
    const RUN: &str = r#"{"record":"run"}"#;

    fn verdict(lines: &[&str]) -> Result<()> {
        let job = |key: &str, stdout: &[u8], stderr: &[u8]| Printed {
            key: key.into(),
            stdout: stdout.into(),
            stderr: stderr.into(),
        };
        let journal: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
        let files = Files { journal: journal.as_bytes(), outputs: b"-abc" };
        judge(&[job("a", b"hi", b""), job("b", b"\xff", b"abc")], &files)
    }

    #[test]
    fn each_job_once_with_what_it_printed_is_right_in_any_order() {
        verdict(&[RUN, A, B]).unwrap();
        let stopped = A.replace("\"success\":true", "\"outcome\":\"stopped\",\"success\":false");
        verdict(&[RUN, B, &stopped, RUN, A]).unwrap();
    }

    #[test]
    fn what_is_missing_twice_failed_or_other_than_it_was_is_found() {
        let failed = A.replace("true", "false");
        let longer = A.replace("\"hi\"", "\"high\"");
        let other = A.replace("\"hi\"", "\"ho\"");
        let beyond = B.replace("_at\":1", "_at\":2");
        let unknown = A.replace("\"a\"", "\"c\"");
        for (lines, complaint) in [
            (&[A][..], "b is not recorded"),
            (&[A, B, A], "a is recorded twice"),
            (&[A, B, &failed], "a is recorded as"),
            (&[&longer, B], "stdout of a"),
            (&[&other, B], "stdout of a is not recorded as it was printed"),
            (&[A, &beyond], "stderr of b"),
            (&[A, B, &unknown], "no jobs of the list: [\"c\"]"),
            (&[A, B, "x"], "no JSON: x"),
        ] {
            let error = format!("{:#}", verdict(lines).unwrap_err());
            assert!(error.contains(complaint), "{error}");
        }
    }
}
