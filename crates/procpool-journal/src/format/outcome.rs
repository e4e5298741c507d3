//! What came of a recorded attempt, in the library's own type, so that it is told in the same words as when it ended.
//! Knows nothing of its outputs.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::time::{Duration, SystemTime};

use procpool_core::{
    End, Killer, NotStarted, Outcome, Ran, Signal, SpawnError, Status, Subject, Survivor, Usage,
};

use crate::format::attempt::{Kind, Start};
use crate::format::entry::Entry;

impl Entry {
    /// Its outcome, without what it has written. Of one that was not started only the status is the same; why, says
    /// [`words`](Entry::words).
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let status = self.process_status();
        let end = match self.outcome {
            Kind::NeverReached => return NotStarted::NeverReached.into(),
            // It ran, and its status was taken by others.
            Kind::Lost if self.started.is_some() => End::Unknown,
            Kind::Lost => return Outcome::Lost(self.error.clone().unwrap_or_default()),
            Kind::NotStarted => return NotStarted::Spawn(self.spawn_error()).into(),
            Kind::Exited | Kind::Signalled => End::Itself(status),
            Kind::TimedOut => End::TimedOut(status),
            Kind::Stopped => End::Stopped(status),
        };
        let mut ran = Ran::new(end);
        ran.started = self.started().unwrap_or(ran.started);
        ran.elapsed = self.elapsed();
        ran.usage = Usage {
            user: length(self.user_seconds),
            system: length(self.system_seconds),
            peak_memory: self.peak_memory(),
        };
        ran.killer = (self.killer.as_deref() == Some("out_of_memory")).then_some(Killer::OutOfMemory);
        ran.leaked = self.leaked;
        ran.start_hung = self.start == Some(Start::Hung);
        let survivors = self.survivors.iter();
        ran.survivors =
            survivors.map(|left| Survivor { pid: left.pid, program: left.program.clone() }).collect();
        ran.lost = (!self.output_complete)
            .then(|| io::Error::other(self.error.clone().unwrap_or_else(|| "nobody knows why".to_owned())));
        ran.into()
    }

    /// What came of it, in the words of the closing summary.
    #[must_use]
    pub fn words(&self) -> String {
        match (&self.outcome, &self.error) {
            (Kind::NotStarted, Some(error)) => format!("not started: {error}"),
            _ => self.outcome().to_string(),
        }
    }

    /// When it started; where it did not, when that was known.
    pub(crate) fn started(&self) -> Option<SystemTime> {
        humantime::parse_rfc3339(self.started.as_ref().unwrap_or(&self.ended)).ok()
    }

    /// How long it ran.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        length(self.seconds)
    }

    /// When it ended.
    #[must_use]
    pub fn ended(&self) -> Option<SystemTime> {
        humantime::parse_rfc3339(&self.ended).ok()
    }

    fn process_status(&self) -> Status {
        match (self.exit_code, self.signal.and_then(Signal::from_number)) {
            (Some(code), _) => Status::Exited(code),
            (None, Some(signal)) => Status::Signalled(signal),
            // Nothing but a success may look like one.
            (None, None) => Status::Exited(u8::MAX),
        }
    }

    fn spawn_error(&self) -> SpawnError {
        let error = self.error.clone().unwrap_or_default();
        let source = self.errno.map_or_else(|| io::Error::other(error.clone()), io::Error::from_raw_os_error);
        SpawnError { subject: subject(&error).unwrap_or(Subject::Machine), source }
    }
}

/// What a start failed for, by the words in which that is told.
fn subject(error: &str) -> Option<Subject> {
    let after = |word: &str| quoted(error.strip_prefix(word)?);
    if let Some((program, _)) = after("program ") {
        return Some(Subject::Program(program));
    }
    if let Some((directory, _)) = after("directory ") {
        return Some(Subject::Directory(directory.into()));
    }
    if let Some((input, _)) = after("standard input ") {
        return Some(Subject::Stdin(input.into()));
    }
    if error.starts_with("/dev/null can't be opened: ") {
        return Some(Subject::Null);
    }
    let Some((interpreter, rest)) = after("interpreter ") else {
        let (call, _) =
            error.split_once(": ").filter(|(before, _)| *before != "no room for another process")?;
        return Some(Subject::Call(call.to_owned().into()));
    };
    let (script, _) = quoted(rest.strip_prefix(" of script ")?)?;
    Some(Subject::Interpreter { script: script.into(), interpreter })
}

/// The text in the quotes with which this begins, as `{:?}` writes an `OsStr`, and what follows it.
fn quoted(text: &str) -> Option<(OsString, &str)> {
    let mut rest = text.strip_prefix('"')?;
    let mut bytes = Vec::new();
    loop {
        let end = rest.find(['"', '\\'])?;
        bytes.extend_from_slice(&rest.as_bytes()[..end]);
        let is_over = rest.as_bytes()[end] == b'"';
        rest = &rest[end + 1..];
        if is_over {
            return Some((OsString::from_vec(bytes), rest));
        }
        rest = unescape(rest, &mut bytes)?;
    }
}

/// Adds what stands behind a backslash, and says what follows.
fn unescape<'a>(text: &'a str, bytes: &mut Vec<u8>) -> Option<&'a str> {
    let (kind, rest) = text.split_at_checked(1)?;
    match kind {
        "n" => bytes.push(b'\n'),
        "r" => bytes.push(b'\r'),
        "t" => bytes.push(b'\t'),
        "0" => bytes.push(0),
        "x" => {
            let (digits, rest) = rest.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            return Some(rest);
        }
        "u" => {
            let (digits, rest) = rest.strip_prefix('{')?.split_once('}')?;
            let character = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(rest);
        }
        other => bytes.extend_from_slice(other.as_bytes()),
    }
    Some(rest)
}

fn length(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use procpool_core::PeakMemory;

    use super::*;
    use crate::format::attempt::Report;
    use crate::testing::scripted;

    /// An outcome as it comes back from its record.
    fn recorded(outcome: &Outcome) -> Entry {
        scripted(&serde_json::to_value(Report::of(outcome)).unwrap())
    }

    #[test]
    fn whatever_came_of_an_attempt_is_told_as_when_it_ended() {
        let (code, killed) = (Status::Exited(3), Status::Signalled(Signal::KILL));
        let ends = [code, killed].into_iter().flat_map(|status| {
            [End::Itself(status), End::TimedOut(status), End::Stopped(status)].map(Ran::new)
        });
        let mut lost = Ran::new(End::Itself(Status::Exited(0)));
        lost.lost = Some(io::ErrorKind::StorageFull.into());
        let mut leaked = Ran::new(End::Itself(killed));
        leaked.leaked = true;
        leaked.killer = Some(Killer::OutOfMemory);
        leaked.elapsed = Duration::from_millis(1500);
        let mut left = Ran::new(End::TimedOut(killed));
        left.survivors = vec![Survivor { pid: 7, program: "su".to_owned() }];
        left.start_hung = true;
        left.usage.peak_memory = PeakMemory::Below(6_000_000);
        let success = Ran::new(End::Itself(Status::Exited(0)));
        let taken = Ran::new(End::Unknown);
        for outcome in ends.chain([lost, leaked, left, success, taken]).map(Outcome::from) {
            let entry = recorded(&outcome);
            let again = entry.outcome();
            assert_eq!(entry.words(), outcome.to_string());
            assert_eq!(again.to_string(), outcome.to_string());
            assert_eq!((again.is_success(), again.status()), (outcome.is_success(), outcome.status()));
            assert_eq!(Kind::of(&again), Kind::of(&outcome));
            assert_eq!(again.ran().map(|ran| ran.elapsed), outcome.ran().map(|ran| ran.elapsed));
            assert_eq!(
                again.ran().map(|ran| ran.usage.peak_memory),
                outcome.ran().map(|ran| ran.usage.peak_memory)
            );
        }
    }

    #[test]
    fn why_something_was_not_started_is_told_too() {
        let odd = OsString::from_vec(b"x \"y\\\n\xff\xc3\xa9\x1b'\0".to_vec());
        let subjects = [
            Subject::Program(odd.clone()),
            Subject::Directory(odd.clone().into()),
            Subject::Stdin(odd.clone().into()),
            Subject::Interpreter { script: odd.clone().into(), interpreter: odd },
            Subject::Machine,
            Subject::Null,
            Subject::Call("clone".into()),
        ];
        for subject in subjects {
            let source = io::Error::from_raw_os_error(2);
            let outcome = Outcome::from(NotStarted::Spawn(SpawnError { subject: subject.clone(), source }));
            let entry = recorded(&outcome);
            assert_eq!(entry.outcome().to_string(), outcome.to_string());
            let again = entry.outcome();
            let Outcome::NotStarted(NotStarted::Spawn(error)) = again else { panic!("{again}") };
            assert_eq!(error.subject, subject);
            assert_eq!(entry.words(), outcome.to_string());
            assert_eq!(entry.outcome().status(), outcome.status());
        }
    }
}
