//! The functions that fuzz targets call: each takes the bytes of a file and panics if the result can't be
//! right. This is not a public interface and may change at any time.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::str;
use std::time::Duration;

use procpool_core::{Command, Job, Shown, Stdin};

use crate::input::job_file::{JobFileFormat, stream};
use crate::job::terms::Terms;
use crate::job::work::{Work, command_of};
use crate::shell::quote::{QuoteStyle, command_line, line_with_input};
use crate::terminal::shown::{self, EscapingWriter};
use procpool_journal::files::inputs::Inputs;
use procpool_journal::format::brief::{Brief, OutcomeClass};
use procpool_journal::format::codec::{Defaults, JobCodec, Keep, Stored};
use procpool_journal::format::entry::Entry;
use procpool_journal::format::identity::Identity;
use procpool_journal::format::line;
use procpool_journal::format::list;
use procpool_journal::format::record::Record;
use procpool_journal::read::scan::{Found, Scanner};

/// A job file in JSON.
///
/// # Panics
/// If it is accepted with a job that can't be run, or refused with an error that can't be shown.
pub fn job_file_json(bytes: &[u8]) {
    job_file(JobFileFormat::Json, bytes);
}

/// A job file in TOML.
///
/// # Panics
/// If it is accepted with a job that can't be run, or refused with an error that can't be shown.
pub fn job_file_toml(bytes: &[u8]) {
    job_file(JobFileFormat::Toml, bytes);
}

/// A job file in JSONL, read as a stream.
///
/// # Panics
/// If it is accepted with a job that can't be run, or refused with an error that can't be shown, or if a file
/// with the same content would be read differently.
pub fn job_file_jsonl(bytes: &[u8]) {
    let streamed: Result<Vec<Job<Work>>, _> = stream(bytes, Terms::default()).collect();
    let count = streamed.as_ref().ok().map(Vec::len);
    judge(streamed);
    if let Ok(text) = str::from_utf8(bytes) {
        let read = JobFileFormat::JsonLines.read(text, Terms::default());
        assert_eq!(read.ok().map(|jobs| jobs.len()), count, "a file and a stream differ");
    }
}

/// A file of a journal: records or a list. Each line of the input is read as it is, and once more as the body
/// of a line with a correct length and checksum, because no fuzzer finds those.
///
/// # Panics
/// If damaged data is accepted, or if the brief parser and the full parser disagree.
pub fn journal(bytes: &[u8]) {
    judge_scan(bytes);
    let sealed: Vec<u8> = bytes
        .split(|byte| *byte == b'\n')
        .filter(|body| !body.is_empty())
        .flat_map(line::seal_body)
        .collect();
    let bodies = judge_scan(&sealed);
    assert_eq!(bodies, bytes.split(|byte| *byte == b'\n').filter(|body| !body.is_empty()).count());
}

/// Names and texts that others have chosen, as they are shown in a message or on a terminal.
///
/// # Panics
/// If a control character is left, or if a quoted command is read back as another one.
pub fn shown(bytes: &[u8]) {
    assert!(is_harmless(&shown::name(OsStr::from_bytes(bytes))));
    let message = shown::message(&String::from_utf8_lossy(bytes)).replace('\n', "");
    let mut pieces = message.split("\x1b[");
    assert!(pieces.next().is_none_or(is_harmless));
    for piece in pieces {
        let parameters = |character: char| character.is_ascii_digit() || matches!(character, ';' | ':');
        let text = piece.trim_start_matches(parameters).strip_prefix('m');
        assert!(text.is_some_and(is_harmless), "a sequence that is not for colour: {piece:?}");
    }
    let at_once = written(&[bytes]);
    assert!(at_once.split(['\n', '\t']).all(is_harmless));
    let (before, after) = bytes.split_at(bytes.len() / 2);
    assert_eq!(written(&[before, after]), at_once);
    judge_quotes(bytes);
}

fn is_harmless(text: &str) -> bool {
    !text.contains(Shown::controls)
}

fn written(pieces: &[&[u8]]) -> String {
    let mut bytes = Vec::new();
    let mut harmless = EscapingWriter::new(&mut bytes);
    for piece in pieces {
        harmless.write_all(piece).expect("memory takes all");
    }
    harmless.flush().expect("memory takes all");
    String::from_utf8(bytes).expect("a terminal is given text")
}

fn judge_quotes(bytes: &[u8]) {
    let word: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    let line = command_line(&Command::new("x").arg(OsStr::from_bytes(&word)), QuoteStyle::Line);
    let line = line.to_str().expect("a line is text");
    assert!(is_harmless(line));
    assert_eq!(read_back(line.strip_prefix("x ").expect("the program stands first")), word);
}

/// Reads a word as bash(1) does.
fn read_back(quoted: &str) -> Vec<u8> {
    let ansi = quoted.strip_prefix("$'").and_then(|quoted| quoted.strip_suffix('\''));
    let mut rest = ansi.unwrap_or(quoted).bytes();
    let (mut word, mut is_quoted) = (Vec::new(), ansi.is_some());
    while let Some(byte) = rest.next() {
        match byte {
            b'\'' => is_quoted = !is_quoted,
            b'\\' if ansi.is_some() => word.push(escaped(&mut rest)),
            b'\\' if !is_quoted => word.extend(rest.next()),
            plain => word.push(plain),
        }
    }
    word
}

/// Reads what follows a backslash between `$'` and `'`.
fn escaped(rest: &mut impl Iterator<Item = u8>) -> u8 {
    let mut digit = || rest.next().expect("an escape is whole");
    match digit() {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        first @ b'0'..=b'7' => {
            [digit(), digit()].iter().fold(first - b'0', |value, next| value * 8 + (next - b'0'))
        }
        plain => plain,
    }
}

/// Reads all whole lines and returns their number.
fn judge_scan(bytes: &[u8]) -> usize {
    let mut scanner = Scanner::new(bytes);
    let mut lines = 0;
    loop {
        match scanner.next_line().expect("bytes can be read") {
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
        let is_success = brief.came_of_it == OutcomeClass::Succeeded;
        assert!(!is_success || entry.success, "a success in short that is none in full");
        assert_eq!((brief.generation, brief.attempt), (entry.generation, entry.attempt));
        assert_eq!(brief.identity.job.to_string(), entry.job);
    }
    // It only has to be parsed without a panic.
    let _ = Record::parse(body);
}

fn judge_list_line(body: &[u8]) {
    let Some(list::Line::Job(line)) = list::parse(body) else { return };
    let codec = JobCodec {
        here: "/".into(),
        defaults: Defaults::default(),
        values: Keep::Values,
        inputs: Inputs::none(),
    };
    // `assemble` doesn't check the line's hashes: no fuzzer finds a line in which they are right.
    let Ok(job) = codec.assemble(*line) else { return };
    let Ok((again, _)) = codec.line(&job, 1) else { return };
    let again = line::open(&again[..again.len() - 1]).and_then(list::parse);
    let Some(list::Line::Job(again)) = again else { panic!("a job that can't be written down again") };
    let again = codec.assemble(*again).expect("what was written down can be read");
    // A damaged line whose checksum is right may state a wrong identity, so both are computed.
    let identity = |job: &Job<Stored>| Identity::of(&job.key, &job.work.command, "/".as_ref());
    assert_eq!(identity(&again), identity(&job), "what is read back is another job");
}

/// Input that is not UTF-8 is refused before it gets here.
fn job_file(format: JobFileFormat, bytes: &[u8]) {
    if let Ok(text) = str::from_utf8(bytes) {
        judge(format.read(text, Terms::default()));
    }
}

fn judge(read: anyhow::Result<Vec<Job<Work>>>) {
    match read {
        Ok(jobs) => judge_jobs(&jobs),
        Err(error) => {
            let words = shown::error(&error);
            assert!(words.lines().all(is_harmless), "an error that controls a terminal: {words:?}");
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
        assert!(!line_with_input(&command, QuoteStyle::Shell).is_empty(), "{} can't be shown", job.key);
    }
}

/// Whether there is a NUL byte where the system accepts none.
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

    use proptest::prelude::*;

    use super::*;

    type Target = fn(&[u8]);

    /// Each target with the name of its function.
    const TARGETS: [(&str, Target); 5] = [
        ("job_file_json", job_file_json),
        ("job_file_jsonl", job_file_jsonl),
        ("job_file_toml", job_file_toml),
        ("journal", journal),
        ("shown", shown),
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

    proptest! {
        #[test]
        fn whatever_the_bytes_of_a_name_it_controls_nothing_and_is_read_back(
            pieces in proptest::collection::vec("\x1b\\[|[\n\t\r'a1;m\\\\\u{1b}\u{7}\u{9b}\u{202e}\u{2028}]", 0..12), bytes: [u8; 4],
        ) {
            shown(&[pieces.concat().as_bytes(), &bytes].concat());
            shown(&[&bytes, pieces.concat().as_bytes()].concat());
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
