//! The ways in for fuzzers: each takes the bytes of a file and panics where what is made of them can't be right.
//! Knows nothing of fuzzers. No interface for anybody else: it is another one tomorrow.

use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt;
use std::str;
use std::time::Duration;

use procpool_core::{Command, Job, Stdin};

use crate::exit;
use crate::input::job_file::{Format, stream};
use crate::journal::brief::{Brief, CameOfIt};
use crate::journal::entry::Entry;
use crate::journal::identity::Identity;
use crate::journal::list::{self, Inputs, Keep, Ledger};
use crate::journal::scan::{Found, Scanner};
use crate::journal::{line, past};
use crate::quote::{Reader, line_with_input};
use crate::terms::Terms;
use crate::work::{Work, command_of};

/// A job file in JSON.
///
/// # Panics
/// Where a job of it could not be run, or an error not be shown.
pub fn job_file_json(bytes: &[u8]) {
    job_file(Format::Json, bytes);
}

/// A job file in TOML.
///
/// # Panics
/// Where a job of it could not be run, or an error not be shown.
pub fn job_file_toml(bytes: &[u8]) {
    job_file(Format::Toml, bytes);
}

/// A job file in JSONL, read as a stream.
///
/// # Panics
/// Where a job of it could not be run, an error not be shown, or a file would be read in another way.
pub fn job_file_jsonl(bytes: &[u8]) {
    let streamed: Result<Vec<Job<Work>>, _> = stream(bytes, Terms::default()).collect();
    let count = streamed.as_ref().ok().map(Vec::len);
    judge(streamed);
    if let Ok(text) = str::from_utf8(bytes) {
        let read = Format::JsonLines.read(text, Terms::default());
        assert_eq!(read.ok().map(|jobs| jobs.len()), count, "a file and a stream differ");
    }
}

/// A file of a journal: records or a list. Each line of the input is read as it is, and once more as the body of a line
/// whose length and sum are right, for no fuzzer finds those.
///
/// # Panics
/// Where what was damaged is taken for whole, or what is read in short is not what is read in full.
pub fn journal(bytes: &[u8]) {
    judge_scan(bytes);
    let sealed: Vec<u8> = bytes
        .split(|byte| *byte == b'\n')
        .filter(|body| !body.is_empty())
        .flat_map(|body| line::seal(&[b"{", body].concat()))
        .collect();
    let bodies = judge_scan(&sealed);
    assert_eq!(bodies, bytes.split(|byte| *byte == b'\n').filter(|body| !body.is_empty()).count());
}

/// Reads all whole lines, and says how many there are.
fn judge_scan(bytes: &[u8]) -> usize {
    let mut scanner = Scanner::new(bytes);
    let mut lines = 0;
    loop {
        match scanner.next().expect("bytes can be read") {
            Found::Line { body, .. } => {
                lines += 1;
                judge_record(body);
                judge_list_line(body);
            }
            Found::End { offset } => {
                assert_eq!(offset, bytes.len() as u64);
                return lines;
            }
            Found::Torn { offset } | Found::Damaged { offset } => {
                assert!(offset < bytes.len() as u64);
                return lines;
            }
        }
    }
}

fn judge_record(body: &[u8]) {
    let (brief, entry) = (Brief::of(body), Entry::parse(body));
    if let (Some(brief), Some(entry)) = (brief, entry) {
        let is_success = brief.came_of_it == CameOfIt::Succeeded;
        assert!(!is_success || entry.success, "a success in short that is none in full");
        assert_eq!((brief.generation, brief.attempt), (entry.generation, entry.attempt));
        assert_eq!(brief.identity.job.to_string(), entry.job);
    }
    // Nothing is to be said of it but that it can be read.
    let _ = past::parse(body);
}

fn judge_list_line(body: &[u8]) {
    let Some(list::Line::Job(line)) = list::parse(body) else { return };
    let ledger = Ledger {
        here: "/".into(),
        terms: Terms::default(),
        values: Keep::Values,
        inputs: Inputs::new("/nonexistent".into()),
    };
    let Ok(job) = ledger.job(*line) else { return };
    let Ok((again, _)) = ledger.line(&job, 1) else { return };
    let again = line::open(&again[..again.len() - 1]).and_then(list::parse);
    let Some(list::Line::Job(again)) = again else { panic!("a job that can't be written down again") };
    let again = ledger.job(*again).expect("what was written down can be read");
    let identity = |job: &Job<Work>| match &job.work {
        // What was damaged in a way that its sum agrees with may say another identity than it has.
        Work::Stored(stored) => Identity::of(&job.key, &stored.command, "/".as_ref()),
        _ => panic!("another kind of job"),
    };
    assert_eq!(identity(&again), identity(&job), "what is read back is another job");
}

/// What is no UTF-8 has been refused before a file gets there.
fn job_file(format: Format, bytes: &[u8]) {
    if let Ok(text) = str::from_utf8(bytes) {
        judge(format.read(text, Terms::default()));
    }
}

fn judge(read: anyhow::Result<Vec<Job<Work>>>) {
    match read {
        Ok(jobs) => judge_jobs(&jobs),
        Err(error) => {
            let words = exit::words(&error);
            let is_harmless = |character: char| matches!(character, '\n' | '\t') || !character.is_control();
            assert!(words.chars().all(is_harmless), "an error that controls a terminal: {words:?}");
        }
    }
}

fn judge_jobs(jobs: &[Job<Work>]) {
    let mut keys = HashSet::new();
    for (job, seq) in jobs.iter().zip(1..) {
        assert!(keys.insert(&job.key), "two jobs are called {}", job.key);
        assert!(job.timeout != Some(Duration::ZERO), "{} has no time at all", job.key);
        let command = command_of(job, seq);
        assert!(!command.program().is_empty(), "{} has no program", job.key);
        assert!(!holds_nul(job.key.as_bytes(), &command), "{} has a NUL byte", job.key);
        assert!(!line_with_input(&command, Reader::Shell).is_empty(), "{} can't be shown", job.key);
    }
}

/// Whether there is a NUL byte where the system takes none.
fn holds_nul(key: &[u8], command: &Command) -> bool {
    let words = command.arguments().iter().map(|word| word.as_bytes());
    let variables = command.environment_changes();
    let variables =
        variables.flat_map(|(name, value)| [name.as_bytes(), value.unwrap_or_default().as_bytes()]);
    let directory = command.working_directory().map(|path| path.as_os_str().as_bytes());
    let file = match command.standard_input() {
        Stdin::File(path) => Some(path.as_os_str().as_bytes()),
        Stdin::Nothing | Stdin::Bytes(_) => None,
    };
    let all = [key, command.program().as_bytes()].into_iter().chain(words).chain(variables);
    all.chain(directory).chain(file).any(|bytes| bytes.contains(&0))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    type Target = fn(&[u8]);

    /// By name, which is that of the function.
    const TARGETS: [(&str, Target); 4] = [
        ("job_file_json", job_file_json),
        ("job_file_jsonl", job_file_jsonl),
        ("job_file_toml", job_file_toml),
        ("journal", journal),
    ];

    fn entries(folder: &Path) -> Vec<PathBuf> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn each_target_has_seeds_and_none_of_them_makes_it_panic() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        let sources = entries(&fuzz.join("fuzz_targets"));
        let names: Vec<_> = sources.iter().map(|path| path.file_stem().unwrap().to_str().unwrap()).collect();
        let targets = BTreeMap::from(TARGETS);
        assert_eq!(names.len(), targets.len(), "{names:?} are not the targets that are known here");
        for name in names {
            let seeds = entries(&fuzz.join("seeds").join(name));
            assert!(!seeds.is_empty(), "{name} has no seeds");
            for seed in seeds {
                targets[name](&fs::read(seed).unwrap());
            }
        }
    }

    #[test]
    fn what_can_not_be_right_is_found() {
        let job = |key: &str, command| Job::new(key, Work::Command(command));
        let is_found = |jobs: &[Job<Work>]| std::panic::catch_unwind(|| judge_jobs(jobs)).is_err();
        let good = || job("a", Command::new("x").arg("y").env("A", "").directory("d"));
        assert!(!is_found(&[good(), job("b", Command::new("x"))]));
        assert!(is_found(&[good(), good()]), "two jobs of one name");
        assert!(is_found(&[good().timeout(Duration::ZERO)]));
        assert!(is_found(&[job("a\0", Command::new("x"))]));
        for command in [
            Command::new(""),
            Command::new("x").arg("\0"),
            Command::new("x").env("A", "\0"),
            Command::new("x").directory("\0"),
            Command::new("x").stdin(Stdin::File("\0".into())),
        ] {
            assert!(is_found(&[job("a", command.clone())]), "{command:?}");
        }
    }
}
