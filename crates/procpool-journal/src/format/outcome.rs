//! Converts a recorded attempt to the library's own type, so that it is described in the same words as when
//! it ended.

use std::io;
use std::time::{Duration, SystemTime};

use procpool_core::{End, Killer, NotStarted, Outcome, Ran, Signal, SpawnError, Status, Survivor, Usage};

use crate::format::attempt::{Kind, Start};
use crate::format::entry::Entry;
use crate::format::subject::of_old_record;

impl Entry {
    /// Its outcome, without its outputs. If it was not started, only the status is certain to be the same;
    /// [`words`](Entry::words) gives the recorded reason.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let status = self.process_status();
        let end = match self.outcome {
            Kind::NeverReached => return NotStarted::NeverReached.into(),
            // It ran, and other code has taken its status.
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

    /// Its outcome, in the words of the closing summary.
    #[must_use]
    pub fn words(&self) -> String {
        match (&self.outcome, &self.error) {
            (Kind::NotStarted, Some(error)) => format!("not started: {error}"),
            _ => self.outcome().to_string(),
        }
    }

    /// When it started; if it could not be started, when that was known.
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
            // A record that has neither must not look like a success.
            (None, None) => Status::Exited(u8::MAX),
        }
    }

    fn spawn_error(&self) -> SpawnError {
        let error = self.error.clone().unwrap_or_default();
        let source = self.errno.map_or_else(|| io::Error::other(error.clone()), io::Error::from_raw_os_error);
        let subject = match &self.subject {
            Some(subject) => subject.subject(),
            None => of_old_record(&error, &source.to_string()),
        };
        SpawnError { subject, source }
    }
}

fn length(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    use procpool_core::{PeakMemory, Subject};

    use super::*;
    use crate::format::attempt::Report;
    use crate::format::subject::RecordedSubject;
    use crate::testing::scripted;

    /// The entry that is read back from the record of an outcome.
    fn recorded(outcome: &Outcome) -> Entry {
        let mut says = serde_json::to_value(Report::of(outcome)).unwrap();
        says["subject"] = serde_json::to_value(RecordedSubject::of_outcome(outcome)).unwrap();
        scripted(&says)
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

    #[test]
    fn a_subject_of_a_later_version_is_as_if_there_were_none() {
        for later in [serde_json::json!("weather"), serde_json::json!({"program": 1}), serde_json::json!(7)] {
            let entry = scripted(&serde_json::json!({"outcome": "not_started", "subject": later}));
            assert!(entry.subject.is_none(), "{later}");
        }
    }

    #[test]
    fn a_record_without_the_subject_is_told_in_the_same_words_and_with_the_same_status() {
        let subjects = [
            Subject::Program("x y".into()),
            Subject::Directory("x".into()),
            Subject::Stdin("x: y".into()),
            Subject::Interpreter { script: "x".into(), interpreter: "y z".into() },
            Subject::Machine,
            Subject::Null,
            Subject::Call("clone".into()),
        ];
        for (subject, errno) in subjects.into_iter().flat_map(|subject| [(subject.clone(), 2), (subject, 13)])
        {
            let source = io::Error::from_raw_os_error(errno);
            let outcome = Outcome::from(NotStarted::Spawn(SpawnError { subject, source }));
            let mut entry = recorded(&outcome);
            entry.subject = None;
            let again = entry.outcome();
            assert_eq!(again.to_string(), outcome.to_string());
            assert_eq!(again.status(), outcome.status());
            assert_eq!(entry.words(), outcome.to_string());
        }
    }
}
