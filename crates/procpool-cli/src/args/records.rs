//! Options about records of a run.

use std::ffi::OsString;
use std::os::fd::RawFd;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};

/// Records of a run, beside its output.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Records")]
pub(crate) struct RecordArgs {
    /// Keep each job's output and outcome in DIR
    ///
    /// In DIR/KEY/{stdout,stderr,meta.json}. If a job was tried several times, these are of the last attempt,
    /// and earlier ones are in DIR/KEY/attempt-1 and so on. In the folder's name `/`, `%`, a first `.`,
    /// control characters and what is no UTF-8 are written as %2F and so on, an empty key is %empty, and a
    /// name that would be too long is cut and ends with %~ and a hash of the key. The second job with the key
    /// a has the key a#2. Folders of an earlier run are replaced atomically; other files in their place are
    /// not touched and end the run with status 3. Only the owner may read results. They are written in a
    /// hidden folder .procpool-RUN of DIR until they are complete; the next run on DIR removes what a killed
    /// run has left there.
    ///
    /// No record may be a file that is also used for something else: another record, standard output, an
    /// input. This is refused before anything is changed. The umask applies to records that are single files.
    #[arg(long, value_name = "DIR")]
    pub(crate) results: Option<PathBuf>,

    /// Write a line for each job that has ended to FILE, as GNU parallel does
    ///
    /// One line per job, for its last attempt: Seq, Host, Starttime, JobRuntime, Send, Receive, Exitval,
    /// Signal and Command, separated by tabs. Host is `:`, or the node of a cluster. A job that was killed by
    /// signal N has Exitval 128+N and Signal N, one that timed out has -1 and 15. FILE is truncated when the
    /// run begins; /dev/stdout is standard output.
    #[arg(
        long,
        value_name = "FILE",
        value_parser = OsStringValueParser::new().try_map(log_file),
    )]
    pub(crate) joblog: Option<PathBuf>,

    /// Write a JUnit report to FILE at the end
    ///
    /// For Jenkins, GitLab and others: each job is a test case. FILE is replaced atomically, also when a
    /// signal ends the run.
    #[arg(
        long,
        value_name = "FILE",
        value_parser = OsStringValueParser::new().try_map(report_file),
    )]
    pub(crate) junit: Option<PathBuf>,

    /// Write events to FILE as JSON Lines when they happen; `-`: standard output, fd:N: descriptor N
    ///
    /// docs/events.md describes them. With `-` jobs' outputs are not printed, because the events contain
    /// them. The descriptor must be open already, as by `3> FILE` of a shell; jobs don't inherit it.
    #[arg(
        long,
        value_name = "FILE",
        allow_hyphen_values = true,
        value_parser = OsStringValueParser::new().try_map(parse_target),
    )]
    pub(crate) events: Option<EventTarget>,
}

/// Where events go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EventTarget {
    StandardOutput,
    /// An inherited one.
    Descriptor(RawFd),
    File(PathBuf),
}

/// Refuses `-`, which other tools take for standard output.
fn log_file(text: OsString) -> Result<PathBuf, &'static str> {
    match text {
        text if text == "-" => Err("standard output is /dev/stdout; a file of that name is ./-"),
        text => Ok(text.into()),
    }
}

fn report_file(text: OsString) -> Result<PathBuf, &'static str> {
    match text {
        text if text == "-" => Err("it replaces a file at the end, name one; a file of that name is ./-"),
        text => Ok(text.into()),
    }
}

fn parse_target(text: OsString) -> Result<EventTarget, String> {
    if text == "-" {
        return Ok(EventTarget::StandardOutput);
    }
    let Some(number) = text.to_str().and_then(|text| text.strip_prefix("fd:")) else {
        return Ok(EventTarget::File(text.into()));
    };
    // Digits only: `parse` accepts `+3`, a shell does not.
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    match number.parse() {
        Ok(number @ 3..) if is_number => Ok(EventTarget::Descriptor(number)),
        Ok(0..3) if is_number => {
            Err("descriptors 0 to 2 are the standard ones; open another, as with `3> FILE`, or write `-`"
                .to_owned())
        }
        _ => Err("write fd: and the number of an open descriptor, as fd:3; a file of that name is ./fd:…"
            .to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_file_unless_it_says_otherwise() {
        let parse = |text: &str| parse_target(text.into());
        assert_eq!(parse("-"), Ok(EventTarget::StandardOutput));
        assert_eq!(parse("fd:3"), Ok(EventTarget::Descriptor(3)));
        for file in ["fd", "./fd:3", "a b", "./-"] {
            assert_eq!(parse(file), Ok(EventTarget::File(file.into())));
        }
    }

    #[test]
    fn what_names_no_descriptor_is_refused() {
        for text in ["fd:", "fd:x", "fd:0", "fd:2", "fd:-1", "fd:+3", "fd:99999999999"] {
            assert!(parse_target(text.into()).is_err(), "{text}");
        }
    }
}
