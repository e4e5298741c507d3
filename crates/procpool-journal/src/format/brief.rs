//! What a resume has to know of an attempt, from the beginning of its line, where it stands at fixed places.
//! Knows nothing of the rest: a million lines are read in a second, and JSON would take as long again.

use std::str;
use std::time::SystemTime;

use crate::format::attempt::time;
use crate::format::identity::{Hash, Identity};
use crate::format::line;

/// What a line says in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brief {
    pub generation: u32,
    pub attempt: u32,
    pub identity: Identity,
    pub came_of_it: CameOfIt,
    /// As a shell would have it.
    pub(crate) status: u8,
    /// When it ended: the digits of the time, to the millisecond, as one number.
    pub ended: u64,
}

/// What came of an attempt, as far as it matters for what is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CameOfIt {
    Succeeded,
    Failed,
    /// We ended it ourselves, or nobody knows.
    Stopped,
}

/// What all lines of attempts begin with, after the check.
pub(crate) const ATTEMPT: &[u8] = br#""record":"attempt","#;

impl Brief {
    /// `None` where the line is of no attempt, or says it in another way than procpool does.
    #[must_use]
    pub fn of(body: &[u8]) -> Option<Brief> {
        let mut rest = Rest(body.strip_prefix(ATTEMPT)?);
        let generation = rest.number(br#""generation":"#)?;
        let attempt = rest.number(br#","attempt":"#)?;
        let job = Hash::parse(rest.text(br#","job":""#)?)?;
        let fingerprint = Hash::parse(rest.text(br#","fingerprint":""#)?)?;
        let ended = digits(rest.text(br#","ended":""#)?)?;
        let outcome = rest.text(br#","outcome":""#)?;
        let is_success = rest.0.starts_with(br#","success":true,"#);
        let status = rest.number(if is_success {
            &br#","success":true,"status":"#[..]
        } else {
            br#","success":false,"status":"#
        });
        Some(Brief {
            generation,
            attempt,
            identity: Identity { job, fingerprint },
            came_of_it: match outcome {
                b"stopped" | b"lost" => CameOfIt::Stopped,
                _ if is_success => CameOfIt::Succeeded,
                _ => CameOfIt::Failed,
            },
            status: status.unwrap_or_default(),
            ended,
        })
    }
}

/// The line of an attempt as if procpool had ended it with the run. `None` where nothing else may have: it was none of a process
/// that ended by itself, or by somebody's signal.
#[must_use]
pub fn as_stopped(line: &[u8]) -> Option<Vec<u8>> {
    let body = line::open(line.strip_suffix(b"\n")?)?;
    let at = memchr::memmem::find(body, OUTCOME)?;
    let mut rest = Rest(&body[at..]);
    let outcome = rest.text(OUTCOME)?;
    let success = if rest.0.starts_with(br#","success":true,"#) { "true" } else { "false" };
    let rest = rest.0.strip_prefix(format!(",\"success\":{success},").as_bytes())?;
    if ![&b"exited"[..], b"signalled"].contains(&outcome) {
        return None;
    }
    // As with any that was stopped (`Outcome::status`): it never has 0.
    let (status, rest) = match rest.strip_prefix(br#""status":0,"#) {
        Some(rest) => (&br#""status":143,"#[..], rest),
        None => (&b""[..], rest),
    };
    Some(line::seal_body(&[&body[..at], OUTCOME, br#"stopped","success":false,"#, status, rest].concat()))
}

/// What stands before the word for what came of an attempt. No key comes before it, so it is the first of its kind.
const OUTCOME: &[u8] = br#","outcome":""#;

/// A moment as the number that [`Brief::ended`] is.
#[must_use]
pub fn moment(at: SystemTime) -> u64 {
    digits(time(at).as_bytes()).unwrap_or_default()
}

/// What is left of a line.
pub(crate) struct Rest<'a>(pub(crate) &'a [u8]);

impl<'a> Rest<'a> {
    /// A number, after this.
    pub(crate) fn number<N: str::FromStr>(&mut self, after: &[u8]) -> Option<N> {
        let text = self.0.strip_prefix(after)?;
        let end = text.iter().position(|byte| !byte.is_ascii_digit())?;
        let (number, rest) = text.split_at(end);
        self.0 = rest;
        str::from_utf8(number).ok()?.parse().ok()
    }

    /// A text in which nothing is escaped, after this, which ends with its first quote.
    pub(crate) fn text(&mut self, after: &[u8]) -> Option<&'a [u8]> {
        let text = self.0.strip_prefix(after)?;
        let end = memchr::memchr2(b'"', b'\\', text).filter(|end| text[*end] == b'"')?;
        let (text, rest) = text.split_at(end);
        self.0 = &rest[1..];
        Some(text)
    }
}

/// The digits of `2026-01-02T03:04:05.678Z`.
fn digits(time: &[u8]) -> Option<u64> {
    let digits = time.iter().filter(|byte| byte.is_ascii_digit());
    digits
        .take(17)
        .try_fold(0_u64, |number, digit| number.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_as_stopped_is_the_same_but_for_that() {
        let line = |outcome: &str, success: &str, status: u8| {
            let text = format!(
                r#"{{"record":"attempt","generation":2,"attempt":3,"job":"{job}","fingerprint":"{job}","ended":"2026-01-02T03:04:05.678Z","outcome":"{outcome}","success":{success},"status":{status},"key":",\"outcome\":\"exited\""}}"#,
                job = "0".repeat(32)
            );
            line::seal(text.as_bytes())
        };
        // A success is 143, as in `Outcome::status`.
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
        assert_eq!(exited.came_of_it, CameOfIt::Succeeded);
        assert_eq!(brief(&line("exited", "false")).unwrap().came_of_it, CameOfIt::Failed);
        assert_eq!(brief(&line("stopped", "false")).unwrap().came_of_it, CameOfIt::Stopped);
        let whole = line("exited", "true");
        for end in 0..whole.len() - r#","key":"a"}"#.len() {
            let cut = brief(&whole[..end]);
            assert!(cut.is_none_or(|brief| brief.came_of_it != CameOfIt::Succeeded), "{}", &whole[..end]);
        }
        assert_eq!(brief(&whole.replace("\"attempt\",", "\"run\",")), None);
        assert_eq!(brief(&whole.replace("000\"", "00\"")), None);
    }
}
