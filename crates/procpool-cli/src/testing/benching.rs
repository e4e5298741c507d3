//! The functions that benchmarks call: they make commands from templates, and write and read a journal's
//! lines for each job. This is not a public interface and may change at any time.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use procpool_core::{Command, Completion, Context, End, Job, Limit, Outcome, Pool, Ran, Runner, Status};

use crate::job::terms::Terms;
use crate::job::work::{JobContext, Values, Work};
use crate::shell::quote::{QuoteStyle, command_line};
use crate::template::{self, Names, Several};
use procpool_journal::files::folder::{Folder, Purpose};
use procpool_journal::files::inputs::Inputs;
use procpool_journal::format::attempt::Attempt;
use procpool_journal::format::brief;
use procpool_journal::format::codec::{Defaults, JobCodec, Keep};
use procpool_journal::format::identity::Identity;
use procpool_journal::format::line;
use procpool_journal::format::list;
use procpool_journal::format::record::{Circumstances, Output, Outputs, Record, attempt_line};
use procpool_journal::read::history::Past;
use procpool_journal::read::scan::{Found, Scanner};
use procpool_journal::resume::decision::{Class, Decision, Resume};

/// A command with placeholders, for jobs of one value.
pub struct OneValueTemplate(Arc<template::Template>);

impl OneValueTemplate {
    /// # Panics
    /// If it has a placeholder that jobs of one value don't have.
    #[must_use]
    pub fn parse(command: &[OsString]) -> OneValueTemplate {
        let parsed = template::Template::parse(command, &Names::Lists(1), Several::Combined);
        OneValueTemplate(Arc::new(parsed.expect("placeholders of jobs with one value")))
    }

    /// The command of a job.
    #[must_use]
    pub fn render(&self, value: &OsString) -> Command {
        let job = JobContext { key: value, seq: 12, slot: 3 };
        self.0.render(std::slice::from_ref(value), job)
    }
}

/// A command as a shell reads it back.
#[must_use]
pub fn quoted(command: &Command) -> OsString {
    command_line(command, QuoteStyle::Shell)
}

/// A job that has run, and what a journal records of it.
pub struct Recorded {
    codec: JobCodec,
    done: Completion<Work>,
    outputs: Outputs,
    circumstances: Circumstances,
}

/// Starts no process and reports success. Only a pool can create a job's number and slot, so it needs a
/// runner.
struct Pretence;

impl Runner for Pretence {
    type Work = Work;

    fn run(&self, _: &Job<Work>, _: &Context) -> Outcome {
        Ran::new(End::Itself(Status::Exited(0))).into()
    }
}

fn codec() -> JobCodec {
    JobCodec {
        here: "/home/somebody/project".into(),
        defaults: Defaults::default(),
        values: Keep::Values,
        inputs: Inputs::none(),
    }
}

impl Recorded {
    /// A job that has run the template for this value, and has printed this.
    ///
    /// # Panics
    /// If no thread can be created.
    #[must_use]
    pub fn new(template: &OneValueTemplate, value: &str, printed: &str) -> Recorded {
        let mut all = Recorded::all(template, vec![value.to_owned()], printed);
        all.next().expect("one job")
    }

    /// The same for many values.
    ///
    /// # Panics
    /// If no thread can be created.
    pub fn all(
        template: &OneValueTemplate,
        values: Vec<String>,
        printed: &str,
    ) -> impl Iterator<Item = Recorded> {
        let template = Arc::clone(&template.0);
        let terms = Arc::<Terms>::default();
        let jobs = values.into_iter().map(move |value| {
            let (template, terms) = (Arc::clone(&template), Arc::clone(&terms));
            let values = Values::One(value.clone().into());
            Job::new(value, Work::Values { template, terms, values })
        });
        let pool = Pool::with_runner(Limit::new(1).expect("a limit"), Pretence);
        let run = pool.run(jobs).expect("threads");
        let outputs = Outputs::new(Output::Here(printed.into()), Output::Empty);
        run.map(move |done| {
            let codec = codec();
            let (_, identity) = codec.line(&done.job, done.seq.get()).expect("no input to be kept");
            let ended = SystemTime::now();
            let circumstances = Circumstances { generation: 1, identity, ended, waited_for: None };
            Recorded { codec, done, outputs: outputs.clone(), circumstances }
        })
    }

    /// The record of its attempt.
    #[must_use]
    pub fn attempt_line(&self) -> Vec<u8> {
        attempt_line(Attempt::last(&self.done), &self.circumstances, &self.outputs)
    }

    /// Its line in the list.
    ///
    /// # Panics
    /// If an input can't be kept; these jobs have none.
    #[must_use]
    pub fn list_line(&self) -> Vec<u8> {
        self.codec.line(&self.done.job, 1).expect("no input to be kept").0
    }

    /// Makes a job from a line of the list, and returns whether that was possible.
    #[must_use]
    pub fn is_job(&self, list_line: &[u8]) -> bool {
        let body = line::open(list_line.trim_ascii_end());
        match body.and_then(list::parse) {
            Some(list::Line::Job(line)) => self.codec.job(*line).is_ok(),
            Some(list::Line::End { .. }) | None => false,
        }
    }

    /// Computes the hashes of its key and this command. The comparison only makes sure that they are
    /// computed.
    #[must_use]
    pub fn is_identified(&self, command: &Command) -> bool {
        let identity = Identity::of(&self.done.job.key, command, &self.codec.here);
        identity == self.circumstances.identity
    }
}

/// Makes a line of a journal's file from a JSON object.
#[must_use]
pub fn seal(object: &[u8]) -> Vec<u8> {
    line::seal(object)
}

/// The number of whole lines.
///
/// # Panics
/// If the bytes can't be read, which doesn't happen.
#[must_use]
pub fn lines_in(bytes: &[u8]) -> u64 {
    let mut scanner = Scanner::new(bytes);
    let mut lines = 0;
    while let Found::Line { .. } = scanner.next_line().expect("bytes can be read") {
        lines += 1;
    }
    lines
}

/// Creates a journal's folder with these records.
///
/// # Panics
/// If it can't be created.
pub fn write_records(folder: &Path, attempts: &[u8]) {
    let (folder, _) = Folder::make(folder).expect("a new folder");
    let records = [&Record::header().line(), attempts].concat();
    fs::write(folder.own_files().journal.path(), records).expect("room for the records");
}

/// Reads the records of a journal's folder, and decides on each job of the list. Returns how many are to run.
///
/// # Panics
/// If the folder or the list can't be read.
#[must_use]
pub fn still_to_run(folder: &Path, list: &[u8]) -> u64 {
    let folder = Folder::open(folder, Purpose::Run).expect("a directory").expect("a folder");
    let past = Past::read(&folder).expect("records");
    let mut scanner = Scanner::new(list);
    let mut to_run = 0;
    while let Found::Line { body, .. } = scanner.next_line().expect("bytes can be read") {
        let identity = brief::identity_of(body).expect("the line of a job");
        let class = Class::of(past.jobs.get(&identity.job), &identity);
        to_run += u64::from(class.decide(Resume::NotSucceeded, None) == Decision::Run);
    }
    to_run
}
