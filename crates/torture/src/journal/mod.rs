//! The torture of journals: one long run that is killed and resumed until its list is done, for each way of
//! printing.
//!
//! What has to be right then: each job succeeded once in the journal, its output came once, and few jobs
//! ran twice.

mod delivery;
mod folder;
mod job;
mod kill;
mod kill_plan;
mod own_messages;
mod play;
mod records;
pub(crate) mod scenario;
mod starts;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use sleeper::bytes::Stream;

use crate::census;
use crate::journal::delivery::{Allowance, NO_REPEATS};
use crate::journal::folder::{Delivery, Leftovers, RunFolder};
use crate::journal::job::PrintingJob;
pub(crate) use crate::journal::play::Hardness;
use crate::journal::play::{LIMIT, LongRunResult, play};
use crate::journal::records::{Files, Printed};
use crate::journal::starts::{Log, Reruns};
use crate::round;

/// The most that procpool writes to a pipe at once, which may come twice after a kill.
const PIECE: usize = 4096;

/// Plays a run for each way of printing.
pub(crate) fn run(procpool: &Path, hardness: Hardness) -> Result<()> {
    let Hardness { kills, jobs, seed } = hardness;
    println!("seed {seed}: runs of {jobs} jobs, each killed {kills} times");
    round::prepare()?;
    for (delivery, number) in Delivery::ALL.into_iter().zip(0..) {
        let told = play_and_judge(procpool, delivery, Hardness { seed: seed + number, ..hardness })
            .with_context(|| {
                let again = format!("--journal --kills {kills} --jobs {jobs} --seed {seed}");
                format!("output {}; all of it again: `cargo xtask torture {again}`", delivery.name())
            })?;
        println!("output {}: {told}", delivery.name());
    }
    Ok(())
}

fn play_and_judge(procpool: &Path, delivery: Delivery, hardness: Hardness) -> Result<String> {
    let jobs = job::jobs(hardness.jobs, hardness.seed);
    let mut folder = RunFolder::new(&jobs, delivery, LIMIT)?;
    let played = play(procpool, hardness, &folder);
    // Whatever went wrong, no process may be left on this machine.
    census::kill_all(Duration::from_secs(10))?;
    let judged = played.and_then(|played| {
        let figures = judge(&jobs, delivery, &played, &folder.left()?)?;
        Ok(format!("{played}; {figures}"))
    });
    judged.map_err(|error| {
        let last_words = folder.last_words();
        anyhow!("{error:#}; its folder stays: {:?}; the last words: {last_words}", folder.keep())
    })
}

/// What was done more than once.
struct Figures {
    again: Reruns,
    /// Pieces of standard output and standard error that came twice.
    twice: [u64; 2],
}

fn judge(
    jobs: &[PrintingJob],
    delivery: Delivery,
    played: &LongRunResult,
    left: &Leftovers,
) -> Result<Figures> {
    ensure!(left.strays.is_empty(), "these files are left: {:?}", left.strays);
    let kills = played.kills();
    let keys: Vec<&str> = jobs.iter().map(|job| &*job.key).collect();
    let log = Log { text: &left.log, ends_of_runs: &played.ends_of_runs };
    let again = starts::judge(&keys, LIMIT, kills, &log)?;
    let printed = |job: &PrintingJob| Printed {
        key: job.key.clone(),
        stdout: job.output(Stream::Stdout),
        stderr: job.output(Stream::Stderr),
    };
    let printed: Vec<Printed> = jobs.iter().map(printed).collect();
    records::judge(&printed, &Files { journal: &left.journal, outputs: &left.outputs })?;
    let (stdout, stderr): (Vec<_>, Vec<_>) =
        printed.into_iter().map(|printed| (printed.stdout, printed.stderr)).unzip();
    let once_a_kill = Allowance { repeats: kills, longest: PIECE };
    let allowance = if delivery == Delivery::Pipe { once_a_kill } else { NO_REPEATS };
    let order = delivery.order();
    let on_stdout = delivery::judge(&stdout, order, allowance, &left.stdout).context("standard output")?;
    let on_stderr = delivery::judge(&stderr, order, once_a_kill, &left.stderr).context("standard error")?;
    Ok(Figures { again, twice: [on_stdout, on_stderr] })
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { again, twice: [stdout, stderr] } = self;
        write!(
            f,
            "all jobs done; {} runs again, {} after one end at most; {stdout} pieces of standard output and {stderr} \
             of standard error twice",
            again.all, again.worst
        )
    }
}
