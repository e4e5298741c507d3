//! Benchmarks of what it costs to make a job's command, and to quote it for a shell.

use std::ffi::OsString;

use divan::Bencher;
use procpool_cli::testing::benching::{OneValueTemplate, quoted};

fn main() {
    divan::main();
}

const WORDS: [usize; 3] = [1, 5, 20];

/// A command of this many words, with a placeholder in each but the first.
fn words(count: usize) -> Vec<OsString> {
    let forms = ["{}", "--output={.}.png", "{/}", "{//}/thumbnails", "{/.}-{#}"];
    let rest = forms.iter().cycle().take(count - 1);
    ["convert"].iter().chain(rest).map(OsString::from).collect()
}

fn value() -> OsString {
    "photographs/2024/summer/DSC_0815.jpeg".into()
}

#[divan::bench(args = WORDS)]
fn parse(bencher: Bencher, count: usize) {
    let words = words(count);
    bencher.bench(|| OneValueTemplate::parse(&words));
}

#[divan::bench(args = WORDS)]
fn fill(bencher: Bencher, count: usize) {
    let (template, value) = (OneValueTemplate::parse(&words(count)), value());
    bencher.bench(|| template.render(&value));
}

#[divan::bench(args = WORDS)]
fn fill_literal(bencher: Bencher, count: usize) {
    let words: Vec<OsString> = (0..count).map(|word| format!("--option-{word}").into()).collect();
    let (template, value) = (OneValueTemplate::parse(&words), value());
    bencher.bench(|| template.render(&value));
}

#[divan::bench(args = WORDS)]
fn quote(bencher: Bencher, count: usize) {
    let command = OneValueTemplate::parse(&words(count)).render(&value());
    bencher.bench(|| quoted(&command));
}
