//! What each start of a process prepares in memory: its arguments and its environment.

use divan::Bencher;
use procpool_core::{Command, benching::Base};

fn main() {
    divan::main();
}

fn command(words: usize) -> Command {
    let command = Command::new("convert").args((1..words).map(|word| format!("argument-{word}")));
    // As many as the command line sets for each job.
    (0..6).fold(command, |command, number| command.env(format!("PROCPOOL_{number}"), "a value"))
}

/// As the command line's runner does it.
#[divan::bench(args = [1, 5, 20])]
fn command_of_words(bencher: Bencher, words: usize) {
    bencher.bench(|| command(words));
}

#[divan::bench(args = [1, 5, 20])]
fn image_of_words(bencher: Bencher, words: usize) {
    let (base, command) = (Base::take(), command(words));
    bencher.bench(|| base.image_of(&command));
}
