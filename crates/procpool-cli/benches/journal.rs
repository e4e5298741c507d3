//! Benchmarks of what a journal costs per job: making, sealing, scanning and reading back its lines, and a
//! resume's decision.

use std::ffi::OsString;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use procpool_cli::testing::benching::{
    OneValueTemplate, Recorded, lines_in, seal, still_to_run, write_records,
};

fn main() {
    divan::main();
}

/// A debug build only shows that the benchmarks run, so it needs fewer jobs.
const JOBS: usize = if cfg!(debug_assertions) { 1_000 } else { 100_000 };

fn template() -> OneValueTemplate {
    OneValueTemplate::parse(&["convert", "{}", "{.}.png"].map(OsString::from))
}

fn recorded(number: usize) -> Recorded {
    Recorded::new(&template(), &format!("photographs/{number}.jpeg"), "one line of output\n")
}

#[divan::bench]
fn line_of_an_attempt(bencher: Bencher) {
    let recorded = recorded(1);
    bencher.bench(|| recorded.attempt_line());
}

#[divan::bench]
fn line_of_the_list_and_its_hashes(bencher: Bencher) {
    let recorded = recorded(1);
    bencher.bench(|| recorded.list_line());
}

#[divan::bench]
fn hashes_alone(bencher: Bencher) {
    let recorded = recorded(1);
    let command = template().render(&"photographs/1.jpeg".into());
    bencher.bench(|| assert!(recorded.is_identified(&command)));
}

#[divan::bench]
fn line_of_the_list_read_back(bencher: Bencher) {
    let recorded = recorded(1);
    let line = recorded.list_line();
    bencher.bench(|| assert!(recorded.is_job(&line)));
}

#[divan::bench(args = [100, 4096, 1_048_576])]
fn sealed(bencher: Bencher, size: usize) {
    let object = format!("{{\"text\":\"{}\"}}", "x".repeat(size));
    bencher.counter(BytesCount::new(size)).bench(|| seal(object.as_bytes()));
}

/// A list, and the records of nine in ten of its jobs.
fn journal() -> (Vec<u8>, Vec<u8>) {
    let (mut list, mut records) = (Vec::new(), Vec::new());
    let values = (0..JOBS).map(|number| format!("photographs/{number}.jpeg")).collect();
    for (number, recorded) in Recorded::all(&template(), values, "one line of output\n").enumerate() {
        list.extend(recorded.list_line());
        if number % 10 != 0 {
            records.extend(recorded.attempt_line());
        }
    }
    (list, records)
}

/// Checks only lengths and checksums.
#[divan::bench]
fn lines_scanned(bencher: Bencher) {
    let (_, records) = journal();
    let (lines, bytes) = (ItemsCount::new(lines_in(&records)), BytesCount::new(records.len()));
    bencher.counter(lines).counter(bytes).bench(|| lines_in(&records));
}

#[divan::bench]
fn resume_decided(bencher: Bencher) {
    let (list, records) = journal();
    let folder = tempfile::tempdir().expect("a temporary directory");
    write_records(folder.path(), &records);
    bencher
        .counter(ItemsCount::new(JOBS))
        .bench(|| assert_eq!(still_to_run(folder.path(), &list), JOBS as u64 / 10));
}
