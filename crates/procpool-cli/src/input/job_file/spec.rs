//! What a job file says about one job, the same in all formats.

use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{bail, ensure};
use procpool_core::{Command, Job, Stdin};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor, value};

use crate::input::job_file::dictionary::Dictionary;
use crate::job::terms::Terms;
use crate::job::work::Work;
use crate::units::duration;

/// One job as it is written: a list of words, or a table with `cmd` or `shell` and other fields.
#[derive(Debug)]
pub(crate) struct Spec(Fields);

/// Values for all jobs of a file that don't set their own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Defaults {
    cwd: Option<PathBuf>,
    #[serde(default)]
    env: Dictionary<String>,
    stdin: Option<StdinSpec>,
    timeout: Option<Time>,
    retries: Option<u32>,
    #[serde(skip)]
    terms: Terms,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    key: Option<String>,
    cmd: Option<Words>,
    shell: Option<String>,
    cwd: Option<PathBuf>,
    #[serde(default)]
    env: Dictionary<String>,
    stdin: Option<StdinSpec>,
    timeout: Option<Time>,
    retries: Option<u32>,
}

/// A program and its arguments.
#[derive(Debug)]
struct Words(Vec<String>);

#[derive(Clone, Debug)]
enum StdinSpec {
    Text(String),
    File(PathBuf),
}

#[derive(Clone, Copy, Debug)]
struct Time(Duration);

impl Defaults {
    /// Adds the options for all jobs, which override the file's defaults.
    pub(crate) fn on(mut self, terms: Terms) -> Defaults {
        self.terms = terms;
        self
    }
}

impl Spec {
    /// Takes the key if it is a field of the job itself, as in JSONL. Elsewhere the key stands outside the
    /// job, and this field is refused.
    pub(crate) fn take_key(&mut self) -> Option<String> {
        self.0.key.take()
    }

    /// Builds the job, with the key that stood outside it or was taken from it.
    ///
    /// # Errors
    /// If it can't be run as it is written.
    pub(crate) fn into_job(self, key: &str, defaults: &Defaults) -> anyhow::Result<Job<Work>> {
        let fields = self.0;
        ensure!(fields.key.is_none(), "its key stands before it already: leave `key` out");
        refuse_nul(key)?;
        let mut command = command(fields.cmd, fields.shell)?;
        let terms = &defaults.terms;
        command = with_variables(terms.begin(command), &defaults.env)?;
        command = with_variables(terms.add_variables(command), &fields.env)?;
        let directory = fields.cwd.as_ref().or(terms.directory.as_ref()).or(defaults.cwd.as_ref());
        if let Some(directory) = directory {
            refuse_nul(&directory.to_string_lossy())?;
            command = command.directory(directory);
        }
        command = match fields.stdin.as_ref().or(defaults.stdin.as_ref()) {
            Some(StdinSpec::Text(text)) => command.stdin_bytes(text),
            Some(StdinSpec::File(path)) => {
                refuse_nul(&path.to_string_lossy())?;
                command.stdin(Stdin::File(path.clone()))
            }
            None => command,
        };
        let mut job = Job::new(key, Work::Command(command));
        job.timeout = match fields.timeout {
            Some(Time(timeout)) => Some(timeout),
            None => terms.timeout.or(defaults.timeout.map(|Time(timeout)| timeout)),
        };
        job.retries = fields.retries.or(terms.retries).or(defaults.retries);
        Ok(job)
    }
}

fn command(cmd: Option<Words>, shell: Option<String>) -> anyhow::Result<Command> {
    let words = match (cmd, shell) {
        (Some(Words(words)), None) => words,
        (None, Some(text)) => vec!["sh".to_owned(), "-c".to_owned(), text],
        (Some(_), Some(_)) => bail!("it has `cmd` and `shell`: leave one of them out"),
        (None, None) => {
            bail!("it has nothing to run: give `cmd`, a list of words, or `shell`, a text for sh")
        }
    };
    words.iter().try_for_each(|word| refuse_nul(word))?;
    let mut words = words.into_iter();
    match words.next() {
        Some(program) if !program.is_empty() => Ok(Command::new(program).args(words)),
        _ => bail!("its command has no program: the first word is missing or empty"),
    }
}

fn with_variables(command: Command, variables: &Dictionary<String>) -> anyhow::Result<Command> {
    check_variables(variables)?;
    Ok(variables.0.iter().fold(command, |command, (name, value)| command.env(name, value)))
}

fn check_variables(Dictionary(variables): &Dictionary<String>) -> anyhow::Result<()> {
    let mut names = HashSet::new();
    for (name, value) in variables {
        refuse_nul(name)?;
        refuse_nul(value)?;
        ensure!(!name.is_empty() && !name.contains('='), "{name:?} is no name for a variable");
        ensure!(names.insert(name), "the variable {name:?} stands twice in its `env`");
    }
    Ok(())
}

fn refuse_nul(text: &str) -> anyhow::Result<()> {
    ensure!(!text.contains('\0'), "{text:?} has a NUL byte, which no argument, variable or path can hold");
    Ok(())
}

impl<'de> Deserialize<'de> for Spec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Spec, D::Error> {
        struct SpecVisitor;

        impl<'de> Visitor<'de> for SpecVisitor {
            type Value = Spec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a job: a list of words, or a table with `cmd` or `shell`")
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<Spec, E> {
                Err(E::custom(TEXT_IS_NO_LIST))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, words: A) -> Result<Spec, A::Error> {
                let words = Vec::deserialize(value::SeqAccessDeserializer::new(words))?;
                Ok(Spec(Fields { cmd: Some(Words(words)), ..Fields::default() }))
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Spec, A::Error> {
                Fields::deserialize(value::MapAccessDeserializer::new(fields)).map(Spec)
            }
        }

        deserializer.deserialize_any(SpecVisitor)
    }
}

const TEXT_IS_NO_LIST: &str = "a command is a list of words, [\"PROGRAM\", \"ARGUMENT\"]; for a text that sh reads write {\"shell\": \"TEXT\"}";

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Words, D::Error> {
        struct WordsVisitor;

        impl<'de> Visitor<'de> for WordsVisitor {
            type Value = Words;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of words")
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<Words, E> {
                Err(E::custom(TEXT_IS_NO_LIST))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, words: A) -> Result<Words, A::Error> {
                Vec::deserialize(value::SeqAccessDeserializer::new(words)).map(Words)
            }
        }

        deserializer.deserialize_any(WordsVisitor)
    }
}

impl<'de> Deserialize<'de> for StdinSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<StdinSpec, D::Error> {
        struct StdinVisitor;

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct FromFile {
            file: PathBuf,
        }

        impl<'de> Visitor<'de> for StdinVisitor {
            type Value = StdinSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or {\"file\": PATH}")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<StdinSpec, E> {
                Ok(StdinSpec::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<StdinSpec, A::Error> {
                FromFile::deserialize(value::MapAccessDeserializer::new(fields))
                    .map(|FromFile { file }| StdinSpec::File(file))
            }
        }

        deserializer.deserialize_any(StdinVisitor)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        struct TimeVisitor;

        impl Visitor<'_> for TimeVisitor {
            type Value = Time;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time: seconds, or a text like \"30s\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Time, E> {
                duration::parse(text)
                    .map(Time)
                    .map_err(|advice| E::custom(format!("time {text:?}: {advice}")))
            }

            fn visit_u64<E: Error>(self, seconds: u64) -> Result<Time, E> {
                self.visit_str(&seconds.to_string())
            }

            fn visit_i64<E: Error>(self, seconds: i64) -> Result<Time, E> {
                self.visit_str(&seconds.to_string())
            }

            fn visit_f64<E: Error>(self, seconds: f64) -> Result<Time, E> {
                self.visit_str(&seconds.to_string())
            }
        }

        deserializer.deserialize_any(TimeVisitor)
    }
}
