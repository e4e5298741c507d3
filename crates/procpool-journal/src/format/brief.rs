//! Reads the few fields of a line that a resume needs: the outcome of an attempt in short, the identity of a
//! job. A journal may have millions of lines, so the fields are read at the positions where this version
//! writes them, a million lines a second. JSON is parsed only if they are not there, because another version
//! may write them in another order.

use std::str;
use std::time::SystemTime;

use serde::Deserialize;

use crate::format::attempt::time;
use crate::format::identity::{Hash, Identity};
use crate::format::line;

/// The summary of a recorded attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brief {
    /// The run in which it ran, from 1.
    pub generation: u32,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    pub identity: Identity,
    /// Its outcome.
    pub came_of_it: OutcomeClass,
    /// As in a shell's `$?`; 0 if the record has none.
    pub(crate) status: u8,
    /// When it ended, to the millisecond: the digits of the time in UTC as one number, such as
    /// 20260102030405678.
    pub ended: u64,
}

/// The outcome of an attempt, as far as it matters to a resume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomeClass {
    Succeeded,
    Failed,
    /// procpool ended it, or its outcome is unknown.
    Stopped,
}

/// How the lines begin whose fields are read by position.
const ATTEMPT: &[u8] = br#""record":"attempt","#;
const JOB: &[u8] = br#""record":"job","#;
const RECORD: &[u8] = br#""record":""#;

/// The fields of a summary, in any order.
#[derive(Deserialize)]
struct AttemptFields {
    record: String,
    generation: u32,
    attempt: u32,
    job: String,
    fingerprint: String,
    ended: String,
    outcome: String,
    success: bool,
    status: Option<u8>,
}

/// The fields of a job's identity, in any order.
#[derive(Deserialize)]
struct IdentityFields {
    record: String,
    job: String,
    fingerprint: String,
}

#[derive(Deserialize)]
struct RecordField {
    record: String,
}

impl Brief {
    /// Reads the body of a line. `None` if it is not an attempt, or lacks a field.
    #[must_use]
    pub fn of(body: &[u8]) -> Option<Brief> {
        if is_other_record(body, ATTEMPT) {
            return None;
        }
        Brief::by_position(body).or_else(|| Brief::by_name(body))
    }

    /// Reads fields in the order in which this version writes them. `None` does not mean that the line is no
    /// attempt.
    fn by_position(body: &[u8]) -> Option<Brief> {
        let mut fields = FieldReader(body.strip_prefix(ATTEMPT)?);
        let generation = fields.number(br#""generation":"#)?;
        let attempt = fields.number(br#","attempt":"#)?;
        let job = Hash::parse(fields.text(br#","job":""#)?)?;
        let fingerprint = Hash::parse(fields.text(br#","fingerprint":""#)?)?;
        let ended = digits(fields.text(br#","ended":""#)?)?;
        let outcome = fields.text(br#","outcome":""#)?;
        let success = fields.boolean(br#","success":"#)?;
        let status = fields.number_or_null(br#","status":"#)?;
        Some(Brief {
            generation,
            attempt,
            identity: Identity { job, fingerprint },
            came_of_it: OutcomeClass::of(outcome, success),
            status,
            ended,
        })
    }

    fn by_name(body: &[u8]) -> Option<Brief> {
        let fields: AttemptFields = line::parse(body)?;
        (fields.record == "attempt").then_some(())?;
        Some(Brief {
            generation: fields.generation,
            attempt: fields.attempt,
            identity: identity(&fields.job, &fields.fingerprint)?,
            came_of_it: OutcomeClass::of(fields.outcome.as_bytes(), fields.success),
            status: fields.status.unwrap_or_default(),
            ended: digits(fields.ended.as_bytes())?,
        })
    }
}

impl OutcomeClass {
    fn of(outcome: &[u8], success: bool) -> OutcomeClass {
        match outcome {
            b"stopped" | b"lost" => OutcomeClass::Stopped,
            _ if success => OutcomeClass::Succeeded,
            _ => OutcomeClass::Failed,
        }
    }
}

/// The identity of the job in a line of a list; `None` if the line is not a job.
#[must_use]
pub fn identity_of(body: &[u8]) -> Option<Identity> {
    if is_other_record(body, JOB) {
        return None;
    }
    let by_position = || {
        let mut fields = FieldReader(body.strip_prefix(JOB)?);
        let job = Hash::parse(fields.text(br#""job":""#)?)?;
        let fingerprint = Hash::parse(fields.text(br#","fingerprint":""#)?)?;
        Some(Identity { job, fingerprint })
    };
    by_position().or_else(|| {
        let fields: IdentityFields = line::parse(body)?;
        (fields.record == "job").then_some(())?;
        identity(&fields.job, &fields.fingerprint)
    })
}

/// Whether a line is an attempt.
pub(crate) fn is_attempt(body: &[u8]) -> bool {
    let is_named = || line::parse(body).is_some_and(|RecordField { record }| record == "attempt");
    body.starts_with(ATTEMPT) || !is_other_record(body, ATTEMPT) && is_named()
}

/// Whether the first field of a line shows that it is another record than those with this beginning.
fn is_other_record(body: &[u8], beginning: &[u8]) -> bool {
    body.starts_with(RECORD) && !body.starts_with(beginning)
}

fn identity(job: &str, fingerprint: &str) -> Option<Identity> {
    Some(Identity {
        job: Hash::parse(job.as_bytes())?,
        fingerprint: Hash::parse(fingerprint.as_bytes())?,
    })
}

/// Rewrites the line of an attempt as if procpool had stopped it with the run. `None` unless the process
/// exited or a signal killed it: with any other outcome, nobody but procpool can have ended it.
#[must_use]
pub fn as_stopped(line: &[u8]) -> Option<Vec<u8>> {
    let body = line::open(line.strip_suffix(b"\n")?)?;
    let at = memchr::memmem::find(body, OUTCOME)?;
    let mut fields = FieldReader(&body[at..]);
    let outcome = fields.text(OUTCOME)?;
    fields.boolean(br#","success":"#)?;
    let rest = fields.0.strip_prefix(b",")?;
    if ![&b"exited"[..], b"signalled"].contains(&outcome) {
        return None;
    }
    // A stopped attempt never has status 0 (`Outcome::status`).
    let (status, rest) = match rest.strip_prefix(br#""status":0,"#) {
        Some(rest) => (&br#""status":143,"#[..], rest),
        None => (&b""[..], rest),
    };
    Some(line::seal_body(&[&body[..at], OUTCOME, br#"stopped","success":false,"#, status, rest].concat()))
}

/// What precedes the name of the outcome. No key comes before it in the line, so the first match is the
/// field.
const OUTCOME: &[u8] = br#","outcome":""#;

/// A time as the number in [`Brief::ended`].
#[must_use]
pub fn moment(at: SystemTime) -> u64 {
    digits(time(at).as_bytes()).unwrap_or_default()
}

/// Reads fields in the order in which they are written. Each method skips `before`, which includes the
/// field's name.
struct FieldReader<'a>(&'a [u8]);

impl<'a> FieldReader<'a> {
    fn number<N: str::FromStr>(&mut self, before: &[u8]) -> Option<N> {
        let text = self.0.strip_prefix(before)?;
        let end = text.iter().position(|byte| !byte.is_ascii_digit())?;
        let (number, rest) = text.split_at(end);
        self.0 = rest;
        str::from_utf8(number).ok()?.parse().ok()
    }

    /// Reads `null` as 0.
    fn number_or_null(&mut self, before: &[u8]) -> Option<u8> {
        match self.0.strip_prefix(before)?.strip_prefix(b"null") {
            Some(rest) => {
                self.0 = rest;
                Some(0)
            }
            None => self.number(before),
        }
    }

    fn boolean(&mut self, before: &[u8]) -> Option<bool> {
        let text = self.0.strip_prefix(before)?;
        let (value, rest) = match text.strip_prefix(b"true") {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix(b"false")?),
        };
        self.0 = rest;
        Some(value)
    }

    /// Reads a string without escapes, up to its closing quote.
    fn text(&mut self, before: &[u8]) -> Option<&'a [u8]> {
        let text = self.0.strip_prefix(before)?;
        let end = memchr::memchr2(b'"', b'\\', text).filter(|end| text[*end] == b'"')?;
        let (text, rest) = text.split_at(end);
        self.0 = &rest[1..];
        Some(text)
    }
}

/// The digits of a time such as `2026-01-02T03:04:05.678Z`, as one number.
fn digits(time: &[u8]) -> Option<u64> {
    let digits = time.iter().filter(|byte| byte.is_ascii_digit());
    digits
        .take(17)
        .try_fold(0_u64, |number, digit| number.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use procpool_core::{Completion, End, Job, Key, Outcome, Ran, Signal, Status};
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::*;
    use crate::format::attempt::Attempt;
    use crate::format::record::{Circumstances, Outputs, attempt_line};

    fn outcome() -> impl Strategy<Value = Outcome> {
        let status =
            prop_oneof![any::<u8>().prop_map(Status::Exited), Just(Status::Signalled(Signal::KILL)),];
        let ran = (status, 0..4_u8).prop_map(|(status, how)| match how {
            0 => End::Itself(status),
            1 => End::TimedOut(status),
            2 => End::Stopped(status),
            _ => End::Unknown,
        });
        prop_oneof![
            4 => ran.prop_map(|end| Outcome::from(Ran::new(end))),
            1 => ".*".prop_map(Outcome::Lost),
        ]
    }

    /// The body of an attempt's line as this version writes it, without the check.
    fn attempt() -> impl Strategy<Value = Vec<u8>> {
        let key = proptest::collection::vec(1..=255_u8, 0..20);
        let number = 1..=u32::MAX;
        (key, outcome(), number.clone(), number, 0..4_000_000_000_000_u64).prop_map(
            |(key, outcome, generation, attempt, millis)| {
                let key = Key::from(key);
                let command = procpool_core::Command::new("x");
                let identity = Identity::of(&key, &command, "/".as_ref());
                let completion = Completion::nowhere(Job::new(key, command).position(7), outcome).unwrap();
                let ended = UNIX_EPOCH + std::time::Duration::from_millis(millis);
                let circumstances = Circumstances { generation, identity, ended, waited_for: None };
                let attempt = Attempt { number: attempt, ..Attempt::last(&completion) };
                let line = attempt_line(attempt, &circumstances, &Outputs::default());
                line::open(&line[..line.len() - 1]).unwrap().to_vec()
            },
        )
    }

    /// The same fields in another order, which is determined by `seed`.
    fn reordered(body: &[u8], seed: &[prop::sample::Index]) -> Vec<u8> {
        let mut fields: Vec<(String, Value)> = line::parse::<Map<_, _>>(body).unwrap().into_iter().collect();
        for (place, index) in seed.iter().enumerate().take(fields.len()) {
            let other = index.index(fields.len());
            fields.swap(place, other);
        }
        let fields: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}:{value}", Value::from(name.as_str()))).collect();
        format!("{}}}", fields.join(",")).into_bytes()
    }

    proptest! {
        #[test]
        fn an_attempt_is_read_the_same_at_its_places_and_by_its_names_in_any_order(
            body in attempt(),
            seed in proptest::collection::vec(any::<prop::sample::Index>(), 40),
        ) {
            let fast = Brief::by_position(&body);
            prop_assert!(fast.is_some(), "{}", String::from_utf8_lossy(&body));
            prop_assert_eq!(Brief::by_name(&body), fast);
            let reordered = reordered(&body, &seed);
            prop_assert_eq!(Brief::of(&reordered), fast, "{}", String::from_utf8_lossy(&reordered));
            prop_assert!(is_attempt(&body) && is_attempt(&reordered));
            prop_assert_eq!(identity_of(&body), None);
            // The record of an attempt that exited or was killed can be rewritten as stopped.
            let may_be_stopped = [&br#","outcome":"exited""#[..], br#","outcome":"signalled""#]
                .iter()
                .any(|word| memchr::memmem::find(&body, word).is_some());
            let stopped = as_stopped(&line::seal_body(&body));
            prop_assert_eq!(stopped.is_some(), may_be_stopped);
            let class = stopped.map(|line| Brief::of(line::open(&line[..line.len() - 1]).unwrap()).unwrap().came_of_it);
            prop_assert!(class.is_none_or(|class| class == OutcomeClass::Stopped));
        }

        #[test]
        fn the_identity_of_a_job_is_read_in_any_order_of_its_fields(
            key in "[a-z\"\\\\é]{0,9}",
            seed in proptest::collection::vec(any::<prop::sample::Index>(), 8),
        ) {
            let hash = Hash::of_key(&Key::from(key.as_str()));
            let record = serde_json::json!({"key": key, "command": ["x", key]});
            let record = record.to_string();
            let body = format!(r#""record":"job","job":"{hash}","fingerprint":"{hash}",{}"#, &record[1..]);
            let identity = Some(Identity { job: hash, fingerprint: hash });
            prop_assert_eq!(identity_of(body.as_bytes()), identity);
            prop_assert_eq!(identity_of(&reordered(body.as_bytes(), &seed)), identity);
            prop_assert_eq!(Brief::of(body.as_bytes()), None);
        }
    }

    #[test]
    fn an_attempt_as_stopped_is_the_same_but_for_that() {
        let line = |outcome: &str, success: &str, status: u8| {
            let text = format!(
                r#"{{"record":"attempt","generation":2,"attempt":3,"job":"{job}","fingerprint":"{job}","ended":"2026-01-02T03:04:05.678Z","outcome":"{outcome}","success":{success},"status":{status},"key":",\"outcome\":\"exited\""}}"#,
                job = "0".repeat(32)
            );
            line::seal(text.as_bytes())
        };
        // The status of a stopped success is 143, as in `Outcome::status`.
        assert_eq!(as_stopped(&line("exited", "true", 0)), Some(line("stopped", "false", 143)));
        assert_eq!(as_stopped(&line("exited", "false", 7)), Some(line("stopped", "false", 7)));
        assert_eq!(as_stopped(&line("signalled", "false", 137)), Some(line("stopped", "false", 137)));
        for own in ["timed_out", "not_started", "lost", "stopped"] {
            assert_eq!(as_stopped(&line(own, "false", 124)), None, "{own}");
        }
        assert_eq!(as_stopped(b"{}\n"), None);
    }

    #[test]
    fn what_is_no_attempt_or_says_it_otherwise_is_none() {
        let line = |outcome: &str, success: &str| {
            format!(
                r#""record":"attempt","generation":2,"attempt":3,"job":"{job}","fingerprint":"{job}","ended":"2026-01-02T03:04:05.678Z","outcome":"{outcome}","success":{success},"key":"a"}}"#,
                job = "0".repeat(32)
            )
        };
        let brief = |text: &str| Brief::of(text.as_bytes());
        let exited = brief(&line("exited", "true")).unwrap();
        assert_eq!((exited.generation, exited.attempt, exited.ended), (2, 3, 20_260_102_030_405_678));
        assert_eq!(exited.came_of_it, OutcomeClass::Succeeded);
        assert_eq!(brief(&line("exited", "false")).unwrap().came_of_it, OutcomeClass::Failed);
        assert_eq!(brief(&line("stopped", "false")).unwrap().came_of_it, OutcomeClass::Stopped);
        let whole = line("exited", "true");
        for end in 0..whole.len() - r#","key":"a"}"#.len() {
            let cut = brief(&whole[..end]);
            assert!(cut.is_none_or(|brief| brief.came_of_it != OutcomeClass::Succeeded), "{}", &whole[..end]);
        }
        assert_eq!(brief(&whole.replace("\"attempt\",", "\"run\",")), None);
        assert_eq!(brief(&whole.replace("000\"", "00\"")), None);
    }
}
