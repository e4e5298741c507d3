//! Plays one long run: starts procpool, kills it, resumes, until the list is done; then resumes once more,
//! which must run nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::census;
use crate::ending::{self, AppliedAttack};
use crate::journal::folder::{RunFolder, StartedBy};
use crate::journal::kill::{KillResult, StartLog, kill_at};
use crate::journal::kill_plan::{PlannedKill, Remaining};
use crate::target::Target;

/// How many jobs, how many kills, and the seed.
#[derive(Clone, Copy)]
pub(crate) struct Hardness {
    pub(crate) kills: u64,
    pub(crate) jobs: usize,
    pub(crate) seed: u64,
}

/// How many jobs run at once.
pub(crate) const LIMIT: u64 = 8;

/// A finished list and how often it was killed.
#[derive(Default)]
pub(crate) struct LongRunResult {
    kills: BTreeMap<Target, u64>,
    /// The length of the log of starts at the end of each procpool.
    pub(crate) ends_of_runs: Vec<usize>,
    seconds: f64,
}

/// The longest wait for a procpool that is not killed, and for one that was.
const PATIENCE: Duration = Duration::from_secs(600);
const LAST_PATIENCE: Duration = Duration::from_secs(10);

/// Plays the run.
///
/// # Errors
/// A procpool ended otherwise than it must, a process is left, or a finished job ran again.
pub(crate) fn play(procpool: &Path, hardness: Hardness, folder: &RunFolder) -> Result<LongRunResult> {
    let begun = Instant::now();
    let mut play = LongRun {
        procpool,
        folder,
        random: StdRng::seed_from_u64(hardness.seed),
        log: StartLog::open(&folder.log())?,
        way_to_first_job: Duration::from_millis(50),
        has_whole_list: false,
    };
    let mut played = LongRunResult::default();
    let mut is_done = false;
    while !is_done {
        let kills = hardness.kills - played.kills();
        let planned = (kills > 0).then(|| play.planned(hardness.jobs as u64, kills));
        let number = played.ends_of_runs.len() + 1;
        let applied = play.run(planned.as_ref()).with_context(|| format!("run {number}, {planned:?}"))?;
        played.ends_of_runs.push(play.log.length());
        is_done = applied.signals.is_empty();
        for targeted in applied.signals {
            *played.kills.entry(targeted.target).or_default() += 1;
        }
    }
    play.nothing_is_left_to_do()?;
    census::nobody_is_left(&folder.marker, Instant::now() + LAST_PATIENCE)?;
    played.seconds = begun.elapsed().as_secs_f64();
    Ok(played)
}

struct LongRun<'a> {
    procpool: &'a Path,
    folder: &'a RunFolder,
    random: StdRng,
    log: StartLog,
    way_to_first_job: Duration,
    has_whole_list: bool,
}

impl LongRun<'_> {
    fn planned(&mut self, jobs: u64, kills: u64) -> PlannedKill {
        // The jobs that were started last may not be done.
        let done = self.log.jobs().saturating_sub(LIMIT);
        let left = Remaining {
            jobs: jobs - done,
            kills,
            way_to_first_job: self.way_to_first_job,
        };
        PlannedKill::random(&mut self.random, LIMIT, left)
    }

    /// Runs procpool once, until it ends or is killed.
    fn run(&mut self, planned: Option<&PlannedKill>) -> Result<AppliedAttack> {
        let process = self.folder.start(self.procpool, self.way())?;
        let KillResult { applied, first_job } = match planned {
            Some(planned) => kill_at(planned, &process, self.folder, &mut self.log)?,
            None => KillResult::default(),
        };
        self.way_to_first_job = first_job.unwrap_or(self.way_to_first_job);
        let patience = if applied.signals.is_empty() { PATIENCE } else { LAST_PATIENCE };
        let end = process.wait(Instant::now() + patience)?;
        // Reaps what the kill left. Processes that still run are the next procpool's to deal with.
        census::wait_until_gone(Instant::now())?;
        self.log.look()?;
        ending::judge(end, Some(0), &applied)?;
        Ok(applied)
    }

    /// Mostly by the journal alone, once that has the whole list.
    fn way(&mut self) -> StartedBy {
        self.has_whole_list = self.has_whole_list || self.folder.has_whole_list();
        if self.has_whole_list && self.random.random_bool(0.8) {
            StartedBy::Journal
        } else {
            StartedBy::Command
        }
    }

    fn nothing_is_left_to_do(&mut self) -> Result<()> {
        let starts = self.log.starts();
        self.run(None).context("a resume of what is done")?;
        ensure!(self.log.starts() == starts, "a resume of what is done ran jobs");
        Ok(())
    }
}

impl LongRunResult {
    pub(crate) fn kills(&self) -> u64 {
        self.kills.values().sum()
    }
}

impl fmt::Display for LongRunResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let victims: Vec<_> =
            self.kills.iter().map(|(victim, count)| format!("{count} of {victim}")).collect();
        write!(f, "{} kills in {:.1} s ({})", self.kills(), self.seconds, victims.join(", "))
    }
}
