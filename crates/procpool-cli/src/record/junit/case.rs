//! One test case of a report: a job and its outcome.

use std::io::{self, Write};
use std::time::Duration;

use anstream::adapter::strip_str;
use procpool_core::{Completion, Key, NotStarted, Outcome, Shown, Spool};
use quick_xml::Writer;
use quick_xml::events::BytesText;

use crate::job::work::Work;
use crate::run::tally::UnreadInput;
use procpool_journal::format::attempt::{Kind, seconds};

/// A job in the terms of JUnit.
pub(crate) struct Case {
    key: String,
    last: Try,
    /// The attempts before the last, all of which have failed.
    earlier: Vec<Try>,
}

/// An attempt of a job.
pub(crate) struct Try {
    elapsed: Duration,
    verdict: Verdict,
    kind: Kind,
    message: String,
    /// The end of its output, if that may tell why it failed.
    words: String,
}

/// The results that readers of such reports distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Success,
    /// The job itself reported it, or it timed out.
    Failure,
    /// The job could not be run to its end, or some of its output is missing.
    Error,
    /// The job was never reached.
    Skipped,
}

/// The name of the suite, and the class of all its cases.
pub(crate) const NAME: &str = "procpool";

/// How many bytes are shown of the end of an output.
pub(crate) const MOST_WORDS: usize = 8 * 1024;

impl Verdict {
    fn of(outcome: &Outcome) -> Verdict {
        match (outcome, Kind::of(outcome)) {
            (outcome, _) if outcome.is_success() => Verdict::Success,
            (Outcome::NotStarted(NotStarted::NeverReached), _) => Verdict::Skipped,
            (Outcome::NotStarted(NotStarted::Spawn(_)) | Outcome::Lost(_), _)
            | (_, Kind::Stopped | Kind::Lost) => Verdict::Error,
            (Outcome::Ran(ran), _) if ran.lost.is_some() => Verdict::Error,
            (Outcome::Ran(_), _) => Verdict::Failure,
        }
    }

    fn element(self, failure: &'static str, error: &'static str) -> &'static str {
        if self == Verdict::Error { error } else { failure }
    }
}

impl Try {
    pub(crate) fn of(outcome: &Outcome) -> Try {
        let words = match (outcome.ran(), Verdict::of(outcome)) {
            (Some(ran), Verdict::Failure | Verdict::Error) => last_words(&ran.stdout, &ran.stderr),
            _ => String::new(),
        };
        Try::said(outcome, &outcome.to_string(), words)
    }

    /// Like `of`, but with this message and this end of the output.
    pub(crate) fn said(outcome: &Outcome, message: &str, words: String) -> Try {
        Try {
            elapsed: outcome.ran().map_or(Duration::ZERO, |ran| ran.elapsed),
            verdict: Verdict::of(outcome),
            kind: Kind::of(outcome),
            message: allowed(message),
            words,
        }
    }

    /// Adds the node to the message, if the job ran on another machine.
    pub(crate) fn on(self, node: Option<&str>) -> Try {
        match node {
            Some(node) => Try {
                message: format!("{}, on {}", self.message, allowed(node)),
                ..self
            },
            None => self,
        }
    }

    /// Writes what is known of it as an element of its own.
    fn write<W: Write>(&self, writer: &mut Writer<W>, element: &str) -> io::Result<()> {
        let remark = writer
            .create_element(element)
            .with_attributes([("message", self.message.as_str()), ("type", self.kind.word())]);
        match self.words.as_str() {
            "" => remark.write_empty().map(drop),
            words => remark.write_text_content(BytesText::new(words)).map(drop),
        }
    }
}

impl Case {
    /// `earlier`: the attempts before the last.
    pub(crate) fn new(completion: &Completion<Work>, earlier: Vec<Try>) -> Case {
        let last = Try::of(&completion.outcome).on(completion.node.as_deref());
        Case::of(completion.key(), last, earlier)
    }

    /// The case of the job with this key.
    pub(crate) fn of(key: &Key, last: Try, earlier: Vec<Try>) -> Case {
        Case { key: name(key), last, earlier }
    }

    /// A case with this name, for jobs that never ran and have no key.
    pub(crate) fn skipped(name: String) -> Case {
        Case {
            key: name,
            last: Try::of(&NotStarted::NeverReached.into()),
            earlier: Vec::new(),
        }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        self.last.verdict
    }

    pub(crate) fn write<W: Write>(&self, writer: &mut Writer<W>) -> io::Result<()> {
        let elapsed = self.earlier.iter().chain([&self.last]).map(|tried| tried.elapsed).sum();
        let seconds = seconds(elapsed);
        let case = writer.create_element("testcase").with_attributes([
            ("name", self.key.as_str()),
            ("classname", NAME),
            ("time", seconds.as_str()),
        ]);
        match self.remarks().as_slice() {
            [] => case.write_empty().map(drop),
            remarks => case
                .write_inner_content(|writer| {
                    remarks.iter().try_for_each(|(element, tried)| tried.write(writer, element))
                })
                .map(drop),
        }
    }

    /// Uses the terms of Surefire: the first attempt that failed is the failure, and the later ones are
    /// reruns. Before a success they are flaky.
    fn remarks(&self) -> Vec<(&'static str, &Try)> {
        match self.last.verdict {
            Verdict::Success => self
                .earlier
                .iter()
                .map(|tried| (tried.verdict.element("flakyFailure", "flakyError"), tried))
                .collect(),
            Verdict::Skipped => vec![("skipped", &self.last)],
            Verdict::Failure | Verdict::Error => {
                let mut tries = self.earlier.iter().chain([&self.last]);
                let first = tries.next().map(|tried| (tried.verdict.element("failure", "error"), tried));
                let reruns = tries.map(|tried| (tried.verdict.element("rerunFailure", "rerunError"), tried));
                first.into_iter().chain(reruns).collect()
            }
        }
    }
}

/// The name of the case for jobs that were never read, if there are any or may be.
pub(crate) fn unread(jobs: u64, rest: UnreadInput) -> Option<String> {
    let more = match jobs {
        1 => "1 more job".to_owned(),
        jobs => format!("{jobs} more jobs"),
    };
    match (jobs, rest) {
        (0, UnreadInput::None) => None,
        (0, UnreadInput::Unknown) => Some("(the rest of the input)".to_owned()),
        (_, UnreadInput::None) => Some(format!("({more})")),
        (_, UnreadInput::Unknown) => Some(format!("({more}, and the rest of the input)")),
    }
}

/// The end of standard error or, if that is empty, of standard output. It is missing here if it can't be read
/// back: the delivery of the output reports that.
fn last_words(stdout: &Spool, stderr: &Spool) -> String {
    let spool = if stderr.is_empty() { stdout } else { stderr };
    words(spool.tail(MOST_WORDS).unwrap_or_default(), spool.len())
}

/// The end of an output of this length, as far as it can be shown.
pub(crate) fn words(mut end: Vec<u8>, length: u64) -> String {
    if length > end.len() as u64 {
        // The first line lacks its beginning.
        let line = end.iter().position(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        end.drain(..line);
    }
    allowed(&strip_str(&String::from_utf8_lossy(&end)).to_string())
}

/// The key as a name that no other key has, because readers of reports tell cases apart by name. Bytes that
/// are not UTF-8 are written as `\xff`. What XML can't hold, or what would control a terminal, is written as
/// `\u{1b}`. If the key itself contains such a text, the backslashes before it are doubled.
fn name(key: &Key) -> String {
    let mut name = Name { text: String::new(), backslashes: 0 };
    for chunk in key.as_bytes().utf8_chunks() {
        for (at, character) in chunk.valid().char_indices() {
            match character {
                '\u{fffe}' | '\u{ffff}' => name.escape(&character.escape_unicode().to_string()),
                control if Shown::controls(control) => name.escape(&control.escape_unicode().to_string()),
                plain => {
                    if is_like_escape(&chunk.valid()[at..]) {
                        name.double();
                    }
                    name.push(plain);
                }
            }
        }
        for byte in chunk.invalid() {
            name.escape(&format!("\\x{byte:02x}"));
        }
    }
    name.text
}

struct Name {
    text: String,
    /// How many backslashes it ends with.
    backslashes: usize,
}

impl Name {
    fn push(&mut self, character: char) {
        self.backslashes = if character == '\\' { self.backslashes + 1 } else { 0 };
        self.text.push(character);
    }

    fn double(&mut self) {
        self.text.push_str(&"\\".repeat(self.backslashes));
    }

    fn escape(&mut self, escaped: &str) {
        self.double();
        self.text.push_str(escaped);
        self.backslashes = 0;
    }
}

/// Whether this text after a backslash would look like an escape.
fn is_like_escape(text: &str) -> bool {
    let is_byte = |digits: &[u8]| digits.len() >= 2 && digits[..2].iter().all(u8::is_ascii_hexdigit);
    text.starts_with("u{") || text.strip_prefix('x').is_some_and(|digits| is_byte(digits.as_bytes()))
}

/// The part of a text that XML 1.0 can hold: no control characters except tab and newline, not even escaped.
fn allowed(text: &str) -> String {
    let is_allowed = |character: &char| match character {
        '\t' | '\n' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        other => !other.is_control(),
    };
    text.chars().filter(is_allowed).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_holds_nothing_that_xml_can_not() {
        assert_eq!(allowed("a\0\t\n\r\u{b}\u{1f}\u{7f}\u{85}\u{fffe}\u{ffff}ä𝄞"), "a\t\nä𝄞");
    }

    #[test]
    fn a_name_is_the_key_but_for_what_can_not_be_shown() {
        let name = |key: &[u8]| name(&Key::from(key));
        assert_eq!(name("a b/ä".as_bytes()), "a b/ä");
        assert_eq!(name(br"printf 'a\n' C:\new \x \u"), r"printf 'a\n' C:\new \x \u");
        assert_eq!(name(b"a\xff\xfeb"), r"a\xff\xfeb");
        assert_eq!(name("\x1b\n\u{9b}\u{202e}\u{fffe}".as_bytes()), r"\u{1b}\u{a}\u{9b}\u{202e}\u{fffe}");
        assert_eq!(name(br"\xff"), r"\\xff");
        assert_eq!(name(b"\\\xff"), r"\\\xff");
    }

    proptest! {
        #[test]
        fn two_keys_have_two_names(
            one in "([au{}xf1b\\\\\x1b\u{fffd}\u{fffe}]){0,6}", other in "([au{}xf1b\\\\\x1b\u{fffd}\u{fffe}]){0,6}",
        ) {
            // 'a' stands for a byte that is not UTF-8.
            let key = |text: &str| Key::from(text.bytes().map(|byte| if byte == b'a' { 0xff } else { byte }).collect::<Vec<u8>>());
            let (one, other) = (key(&one), key(&other));
            prop_assert_eq!(one == other, name(&one) == name(&other), "{:?} {:?}", one, other);
        }
    }

    #[test]
    fn the_last_words_are_those_of_standard_error_if_there_are_any() {
        assert_eq!(last_words(&"out\n".into(), &"err\n".into()), "err\n");
        assert_eq!(last_words(&"out\n".into(), &Spool::default()), "out\n");
    }

    #[test]
    fn of_long_last_words_whole_lines_are_left() {
        let text = "a line\n".repeat(10_000) + "the last\n";
        let words = last_words(&Spool::default(), &text.as_str().into());
        assert!(words.len() <= MOST_WORDS && words.starts_with("a line\n") && words.ends_with("the last\n"));
        assert_eq!(
            last_words(&Spool::default(), &"x".repeat(10_000).as_str().into()),
            "x".repeat(MOST_WORDS)
        );
    }

    #[test]
    fn jobs_that_nobody_has_read_are_told_in_one_name() {
        let name = |jobs, rest| unread(jobs, rest).unwrap_or_default();
        assert_eq!(name(0, UnreadInput::None), "");
        assert_eq!(name(1, UnreadInput::None), "(1 more job)");
        assert_eq!(name(2, UnreadInput::None), "(2 more jobs)");
        assert_eq!(name(0, UnreadInput::Unknown), "(the rest of the input)");
        assert_eq!(name(2, UnreadInput::Unknown), "(2 more jobs, and the rest of the input)");
    }

    #[test]
    fn colours_are_no_part_of_words() {
        assert_eq!(last_words(&Spool::default(), &"\x1b[31mred\x1b[0m\x1b]0;title\x07\n".into()), "red\n");
    }
}
