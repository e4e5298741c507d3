//! What could not be used when a start failed, as a record stores it. Without this, a reader would have to
//! parse the text of the error.

use std::ffi::OsStr;

use procpool_core::{NotStarted, Outcome, Subject};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::format::text::Text;

/// A [`Subject`] in JSON: `{"program":"x"}`, `"machine"`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordedSubject {
    Program(Text<'static>),
    Interpreter { script: Text<'static>, interpreter: Text<'static> },
    Directory(Text<'static>),
    Stdin(Text<'static>),
    Machine,
    DevNull,
    Call(String),
}

impl RecordedSubject {
    /// `None` unless the outcome is a failed start.
    pub(crate) fn of_outcome(outcome: &Outcome) -> Option<RecordedSubject> {
        match outcome {
            Outcome::NotStarted(NotStarted::Spawn(error)) => Some(RecordedSubject::of(&error.subject)),
            _ => None,
        }
    }

    fn of(subject: &Subject) -> RecordedSubject {
        let text = |name: &OsStr| Text::from(name).into_owned();
        match subject {
            Subject::Program(program) => RecordedSubject::Program(text(program)),
            Subject::Interpreter { script, interpreter } => RecordedSubject::Interpreter {
                script: text(script.as_os_str()),
                interpreter: text(interpreter),
            },
            Subject::Directory(path) => RecordedSubject::Directory(text(path.as_os_str())),
            Subject::Stdin(path) => RecordedSubject::Stdin(text(path.as_os_str())),
            Subject::Machine => RecordedSubject::Machine,
            Subject::Null => RecordedSubject::DevNull,
            Subject::Call(name) => RecordedSubject::Call(name.clone().into_owned()),
        }
    }

    pub(crate) fn subject(&self) -> Subject {
        let name = |text: &Text<'static>| text.clone().into_os_string();
        match self {
            RecordedSubject::Program(program) => Subject::Program(name(program)),
            RecordedSubject::Interpreter { script, interpreter } => {
                Subject::Interpreter { script: name(script).into(), interpreter: name(interpreter) }
            }
            RecordedSubject::Directory(path) => Subject::Directory(name(path).into()),
            RecordedSubject::Stdin(path) => Subject::Stdin(name(path).into()),
            RecordedSubject::Machine => Subject::Machine,
            RecordedSubject::DevNull => Subject::Null,
            RecordedSubject::Call(call) => Subject::Call(call.clone().into()),
        }
    }
}

/// Reads the field. A subject that only a later version knows counts as missing.
pub(crate) fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RecordedSubject>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

/// The subject of a record from a procpool that did not write one. Programs and interpreters are
/// distinguished, because statuses and retries depend on them, and so is a lack of room. Any other subject is
/// a call whose name is the text, so that the error reads as it did.
pub(crate) fn of_old_record(error: &str, source: &str) -> Subject {
    let text = error.strip_suffix(source).and_then(|text| text.strip_suffix(": ")).unwrap_or(error);
    let quoted = |word| text.strip_prefix(word)?.strip_prefix('"')?.strip_suffix('"');
    if let Some(program) = quoted("program ") {
        return Subject::Program(program.into());
    }
    match quoted("interpreter ").and_then(|both| both.split_once("\" of script \"")) {
        Some((interpreter, script)) => {
            Subject::Interpreter { script: script.into(), interpreter: interpreter.into() }
        }
        None if text == "no room for another process" => Subject::Machine,
        None => Subject::Call(text.to_owned().into()),
    }
}
