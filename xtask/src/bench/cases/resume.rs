//! A resume of a long list with nothing left to run: the time to read the journal.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::bench::folder::BenchFolder;
use crate::bench::goal::Goal;
use crate::bench::program::Program;
use crate::bench::record::{Record, Row, Sample, Unit};
use crate::bench::setting::Setting;
use crate::bench::thousands::thousands;

const VALUES: &str = "values";
/// A journal that is being made; it is renamed when it is complete.
const UNFINISHED: &str = "journal-unfinished";

pub(crate) fn play(setting: &Setting) -> Result<Record> {
    let count = setting.size.pick(1_000_000, 10_000);
    let folder = &setting.folder;
    let journal = make_journal(folder, count)?;
    let program = Program::new("procpool", &format!("procpool resume {journal}"));
    resume(folder, &program, count)?;
    let series = setting.play(&[program], |program| resume(folder, program, count))?;
    let records = thousands(count);
    Ok(Record {
        case: String::new(),
        work: format!("resume over {records} records, with nothing left to run"),
        rows: vec![
            Row::new("wall", Unit::Seconds, &series[0].seconds()).with_goal(Goal::AtMost(1.0)),
            Row::new("peak memory", Unit::Megabytes, &series[0].peaks()).with_goal(Goal::AtMost(200.0)),
        ],
        notes: vec![format!(
            "The journal is that of a real run (`procpool run -j8 --journal {journal} -- ./noop`), kept \
             from one benchmark to the next."
        )],
        series,
    })
}

/// Runs the resume and checks that it found all records.
fn resume(folder: &BenchFolder, program: &Program, count: usize) -> Result<Sample> {
    let sample = folder.run(program)?;
    let said = folder.last_words();
    let expected = format!("{count} jobs: {count} succeeded");
    ensure!(said.contains(&expected), "`{program}` should say {expected:?} and says {said:?}");
    Ok(sample)
}

/// The name of a journal of `count` jobs, which is made again if the format's version has changed.
fn make_journal(folder: &BenchFolder, count: usize) -> Result<String> {
    record(folder, 1)?;
    let name = format!("journal-v{}-{count}", version(folder)?);
    if !folder.file(&name).exists() {
        println!("recording a run of {} jobs; it is kept", thousands(count));
        record(folder, count)?;
        fs::rename(folder.file(UNFINISHED), folder.file(&name)).context("can't name the journal")?;
    }
    folder.remove(UNFINISHED)?;
    Ok(name)
}

fn record(folder: &BenchFolder, count: usize) -> Result<()> {
    folder.write_numbers(VALUES, count)?;
    let line = format!("procpool run -j8 --journal {UNFINISHED} -- ./noop");
    folder.run(&Program::new("procpool", &line).reads(VALUES).makes(UNFINISHED))?;
    Ok(())
}

fn version(folder: &BenchFolder) -> Result<Value> {
    let journal = File::open(folder.file(UNFINISHED).join("journal.jsonl")).context("no journal was made")?;
    let mut line = String::new();
    BufReader::new(journal).read_line(&mut line)?;
    let line: Value = serde_json::from_str(&line).context("the journal's first line is no JSON")?;
    let version = line.get("version").cloned();
    version.with_context(|| format!("the journal's first line tells no version: {line}"))
}
