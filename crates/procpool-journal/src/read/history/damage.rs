//! These tests cut a journal at any byte or flip any of its bits, and check which records are still believed.

use std::sync::OnceLock;

use procpool_core::Key;
use tempfile::TempDir;

use super::*;
use crate::format::brief::OutcomeClass;
use crate::format::line;
use crate::read::scan::Found;

/// A file name for errors: the bytes are read from memory.
fn file() -> &'static JournalFile {
    static FILE: OnceLock<(TempDir, JournalFile)> = OnceLock::new();
    let make = || {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let (folder, _) = Folder::make(temporary.path()).unwrap();
        (temporary, folder.own_files().journal)
    };
    &FILE.get_or_init(make).1
}

/// The header, and records of attempts that have all succeeded, with no more fields than are read.
struct Journal {
    header: Vec<u8>,
    records: Vec<Vec<u8>>,
}

fn job(number: usize) -> Hash {
    Hash::of_key(&Key::from(number.to_string()))
}

impl Journal {
    fn of(count: usize) -> Journal {
        let record = |number: usize| {
            let job = job(number);
            let text = format!(
                r#"{{"record":"attempt","generation":1,"attempt":1,"job":"{job}","fingerprint":"{job}","ended":"2026-01-02T03:04:05.678Z","outcome":"exited","success":true,"status":0,"key":"{number}"}}"#
            );
            line::seal(text.as_bytes())
        };
        Journal {
            header: Record::header().line(),
            records: (0..count).map(record).collect(),
        }
    }
}

/// Reads the bytes of a file. If they are damaged, the `Past` has what was known by then.
fn read(bytes: &[u8]) -> (Past, anyhow::Result<Length>) {
    let mut past = Past::default();
    let mut attempts = FileAttempts::of(0);
    let mut scanner = Scanner::new(bytes);
    let path = file();
    let rest = loop {
        match scanner.next_line().unwrap() {
            Found::Line { offset, body } => {
                let mut take = |_, line| past.take(line, &mut attempts);
                if let Err(error) = check(offset, JournalLine::of(offset, body), path, &mut take) {
                    return (past, Err(error));
                }
            }
            Found::End { offset } => break Rest::Nothing { offset },
            Found::Torn { offset } => break Rest::Torn { offset },
            Found::Damaged { offset } => break Rest::Damaged { offset },
        }
    };
    let length = length(rest, bytes.len() as u64, path);
    (past, length)
}

fn has_succeeded(past: &Past, number: usize) -> bool {
    past.jobs.get(&job(number)).is_some_and(|standing| standing.outcome == Some(OutcomeClass::Succeeded))
}

#[test]
fn a_journal_of_a_thousand_records_cut_at_every_byte_keeps_all_that_was_whole_and_no_more() {
    let Journal { header, records } = Journal::of(1000);
    let names = |error: anyhow::Error| error.to_string().contains("journal.jsonl");
    for cut in 0..header.len() {
        assert!(read(&header[..cut]).1.is_err_and(names), "cut at {cut} of the header");
    }
    // Only the previous record is put before each one: earlier ones are read in the same way.
    for number in 1..records.len() {
        let before = [&header[..], &records[number - 1]].concat();
        let all = [&before[..], &records[number]].concat();
        for cut in before.len()..=all.len() {
            let (past, length) = read(&all[..cut]);
            let is_whole = cut == all.len();
            let whole = if is_whole { cut } else { before.len() };
            let expected = Length { whole: whole as u64, torn: (cut - whole) as u64 };
            assert_eq!(length.unwrap(), expected, "record {number} cut at {cut}");
            assert!(has_succeeded(&past, number - 1), "record {number} cut at {cut}");
            assert_eq!(has_succeeded(&past, number), is_whole, "record {number} cut at {cut}");
            assert_eq!(past.jobs.len(), 1 + usize::from(is_whole));
        }
    }
}

#[test]
fn every_bit_of_a_hundred_records_that_is_flipped_is_found_at_its_place_and_nothing_of_it_is_believed() {
    let Journal { header, records } = Journal::of(102);
    for number in 1..=100 {
        let before = [&header[..], &records[number - 1]].concat();
        let mut all = [&before[..], &records[number], &records[number + 1], &records[0]].concat();
        let is_newline = |at: usize| at + 1 == before.len() + records[number].len();
        for at in before.len()..before.len() + records[number].len() {
            for bit in 0..8 {
                all[at] ^= 1 << bit;
                let (past, length) = read(&all);
                all[at] ^= 1 << bit;
                let error = length.unwrap_err().to_string();
                let place =
                    format!("{:?} is damaged at byte {}, and whole records follow", file(), before.len());
                assert!(error.starts_with(&place), "bit {bit} of byte {at}: {error}");
                assert!(has_succeeded(&past, number - 1));
                assert!(!has_succeeded(&past, number), "bit {bit} of byte {at}");
                assert!(!has_succeeded(&past, number + 1), "behind the damage at bit {bit} of byte {at}");
            }
            assert!(all[at] != b'\n' || is_newline(at));
        }
    }
}

#[test]
fn every_bit_of_the_last_record_and_of_the_header_that_is_flipped_is_found() {
    let Journal { header, records } = Journal::of(2);
    let mut all = [&header[..], &records[0], &records[1]].concat();
    let last = header.len() + records[0].len();
    for at in (0..header.len()).chain(last..all.len()) {
        for bit in 0..8 {
            all[at] ^= 1 << bit;
            let (past, length) = read(&all);
            all[at] ^= 1 << bit;
            assert!(!has_succeeded(&past, 1), "bit {bit} of byte {at}");
            if at < header.len() {
                assert!(length.is_err() && past.jobs.is_empty(), "bit {bit} of byte {at}");
            } else {
                let torn = (all.len() - last) as u64;
                assert_eq!(length.unwrap(), Length { whole: last as u64, torn }, "bit {bit} of byte {at}");
                assert!(has_succeeded(&past, 0));
            }
        }
    }
}
