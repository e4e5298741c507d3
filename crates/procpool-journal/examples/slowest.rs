//! Prints the ten slowest jobs of a journal, the slowest first: key, seconds, and the node where it ran, if that is known.
//!
//! `cargo run -p procpool-journal --example slowest DIR`

use std::cmp::Reverse;
use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use procpool_core::Shown;
use procpool_journal::{Journal, RecordedAttempt};

const MOST: usize = 10;

fn main() -> ExitCode {
    let Some(directory) = std::env::args_os().nth(1) else {
        let _ = writeln!(io::stderr(), "usage: slowest DIR");
        return ExitCode::from(2);
    };
    match print_slowest(directory.as_ref(), &mut io::stdout().lock()) {
        Err(error) if !is_closed_pipe(&*error) => {
            let _ = writeln!(io::stderr(), "slowest: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Prints the slowest jobs of the journal in this folder, by the attempt of each that counts.
///
/// # Errors
/// If there is no journal, it can't be read, or `out` can't be written to.
pub(crate) fn print_slowest(directory: &Path, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let journal = Journal::open(directory)?;
    let mut slowest: Vec<RecordedAttempt> = Vec::new();
    for job in journal.jobs()? {
        // A job that runs, or was never started, has no attempt yet.
        slowest.extend(job?.last_attempt()?);
        if slowest.len() > 100 * MOST {
            keep_slowest(&mut slowest);
        }
    }
    keep_slowest(&mut slowest);
    for attempt in slowest {
        let (key, seconds) = (attempt.key(), attempt.elapsed().as_secs_f64());
        let node = attempt.node().unwrap_or("-");
        // A key may have any bytes; a terminal gets none that control it.
        writeln!(out, "{}\t{seconds:.3}\t{}", Shown(key.as_bytes()), Shown(node.as_bytes()))?;
    }
    Ok(())
}

fn keep_slowest(attempts: &mut Vec<RecordedAttempt>) {
    attempts.sort_by_key(|attempt| Reverse(attempt.elapsed()));
    attempts.truncate(MOST);
}

/// Whether the reader of our output has gone, as `head` does: that is no failure.
fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
