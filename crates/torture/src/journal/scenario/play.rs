//! Plays a scenario: starts procpool, kills it, tampers with the journal, resumes, and collects the
//! evidence for `judge`.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::census;
use crate::ending::{self, AppliedAttack, End};
use crate::journal::folder::{StartedBy, whole_list};
use crate::journal::kill::{StartLog, kill_at};
use crate::journal::records;
use crate::journal::scenario::attempt::Attempt;
use crate::journal::scenario::folder::ScenarioFolder;
use crate::journal::scenario::judge::{Duty, Evidence, JobProcess, Output, PrintOptions, Printing, Trust};
use crate::journal::scenario::lines::Segment;
use crate::journal::scenario::plan::{self, Changed, Mode, Run, Scenario};
use crate::journal::scenario::tampering::{FOREIGN, Tampering};
use crate::plan::Order;

/// The longest wait for a procpool that is not killed, and for one that was.
const PATIENCE: Duration = Duration::from_secs(120);
const LAST_PATIENCE: Duration = Duration::from_secs(10);

/// The evidence of a scenario that was played.
pub(crate) struct ScenarioResult {
    pub(crate) evidence: Evidence,
    pub(crate) streams: Vec<Vec<Segment>>,
    pub(crate) kills: u64,
    pub(crate) end: Finish,
}

/// How a scenario ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    /// The list was done.
    Done,
    /// procpool refused the journal, or stopped because of it.
    Refused,
}

/// A run that was played.
#[derive(Clone, Copy, Debug)]
struct PastRun {
    way: StartedBy,
    is_killed: bool,
    /// The exit status, where it was not killed.
    status: Option<i32>,
    /// The length of the log of starts at its end.
    log: usize,
    /// The generation that its record in the journal has.
    generation: u64,
}

/// Plays the scenario.
///
/// # Errors
/// A run ended otherwise than it may, a process is left, or a foreign command was run.
pub(crate) fn play(
    procpool: &Path,
    scenario: &Scenario,
    folder: &mut ScenarioFolder,
) -> Result<ScenarioResult> {
    let mut play = ScenarioPlayer {
        procpool,
        scenario,
        log: StartLog::open(&folder.log())?,
        trust: Trust::Whole,
        past: Vec::new(),
        orders: Vec::new(),
    };
    let end = play.all(folder)?;
    census::nobody_is_left(&folder.marker, Instant::now() + LAST_PATIENCE)?;
    ensure!(!folder.path().join(FOREIGN).exists(), "a foreign command was run");
    let left = folder.temporary_files()?;
    ensure!(end == Finish::Refused || left == 0, "{left} temporary files are left");
    let evidence = play.evidence(folder, end)?;
    let mut streams = folder.came()?;
    for segments in &mut streams {
        for (segment, past) in segments.iter_mut().zip(&play.past) {
            segment.is_killed = past.is_killed;
        }
    }
    let kills = play.past.iter().filter(|past| past.is_killed).count() as u64;
    Ok(ScenarioResult { evidence, streams, kills, end })
}

struct ScenarioPlayer<'a> {
    procpool: &'a Path,
    scenario: &'a Scenario,
    log: StartLog,
    trust: Trust,
    past: Vec<PastRun>,
    /// The keys of each run's list, where they are known.
    orders: Vec<Option<Vec<String>>>,
}

impl ScenarioPlayer<'_> {
    fn all(&mut self, folder: &mut ScenarioFolder) -> Result<Finish> {
        for (number, run) in self.scenario.runs.iter().enumerate() {
            let finish = match &run.tampering {
                Some(tampering @ Tampering::ByAnother(_)) if whole_list(&folder.journal()).is_some() => {
                    self.resume_after_trick(tampering, number, folder)?
                }
                Some(tampering @ (Tampering::FileDamage(..) | Tampering::Forge))
                    if folder.journal().exists() =>
                {
                    tampering.apply(folder.path())?;
                    self.trust = Trust::TamperedWith;
                    self.run(number, run, folder)?
                }
                _ => self.run(number, run, folder)?,
            };
            if folder.path().join("touched").exists() {
                self.trust = Trust::TamperedWith;
            }
            if finish == Finish::Refused {
                return Ok(finish);
            }
        }
        Ok(Finish::Done)
    }

    /// Resumes a journal that another user can write to, which must run nothing and change nothing.
    fn resume_after_trick(
        &mut self,
        tampering: &Tampering,
        number: usize,
        folder: &mut ScenarioFolder,
    ) -> Result<Finish> {
        let run = &self.scenario.runs[number];
        let racer = tampering.apply(folder.path())?;
        let is_race = racer.is_some();
        let process = folder.start(self.procpool, run, number, StartedBy::Journal)?;
        let end = process.wait(Instant::now() + PATIENCE);
        tampering.take_back(folder.path(), racer)?;
        census::wait_until_gone(Instant::now() + LAST_PATIENCE)?;
        match end? {
            End::Exited(2 | 3) => {}
            End::Exited(0 | 1) if is_race => {}
            end => bail!("after {tampering:?} procpool {end}"),
        }
        ensure!(!folder.path().join(FOREIGN).exists(), "{tampering:?}: a foreign command was run");
        self.log.look()?;
        self.finished(
            PastRun {
                way: StartedBy::Journal,
                is_killed: false,
                status: None,
                log: self.log.length(),
                generation: generation(folder),
            },
            None,
            folder,
        )?;
        self.run(number, run, folder)
    }

    fn run(&mut self, number: usize, run: &Run, folder: &mut ScenarioFolder) -> Result<Finish> {
        let stored = whole_list(&folder.journal());
        let way = if stored.is_none() && self.trust == Trust::Whole { StartedBy::Command } else { run.way };
        let order = match way {
            StartedBy::Command => Some(run.jobs.iter().map(|job| job.key.clone()).collect()),
            StartedBy::Journal => stored,
        };
        let process = folder.start(self.procpool, run, number, way)?;
        let applied = match &run.planned {
            Some(planned) => kill_at(planned, &process, folder, &mut self.log)?.applied,
            None => AppliedAttack::default(),
        };
        let patience = if applied.signals.is_empty() { PATIENCE } else { LAST_PATIENCE };
        let end = process.wait(Instant::now() + patience)?;
        // Processes that outlive the kill for a moment may still print.
        census::wait_until_gone(Instant::now() + LAST_PATIENCE)?;
        self.log.look()?;
        let is_touched = self.trust == Trust::TamperedWith || folder.path().join("touched").exists();
        let status = match end {
            End::Exited(status) => Some(status),
            _ => None,
        };
        let may = match status {
            Some(0 | 1) => status,
            Some(2 | 3) if is_touched => status,
            _ => None,
        };
        ending::judge(end, may, &applied).with_context(|| format!("run {number}"))?;
        let past = PastRun {
            way,
            is_killed: !applied.signals.is_empty(),
            status: status.filter(|status| Some(*status) == may),
            log: self.log.length(),
            generation: generation(folder),
        };
        self.finished(past, order, folder)?;
        Ok(if matches!(may, Some(2 | 3)) { Finish::Refused } else { Finish::Done })
    }

    fn finished(
        &mut self,
        past: PastRun,
        order: Option<Vec<String>>,
        folder: &mut ScenarioFolder,
    ) -> Result<()> {
        self.past.push(past);
        self.orders.push(order);
        folder.end_run()
    }

    /// The run with this generation, if known: the first at whose end the journal had a record of it.
    fn run_of(&self, generation: u64) -> Option<usize> {
        self.past.iter().position(|past| past.generation == generation)
    }

    fn plan_of(&self, run: usize) -> &Run {
        // A run with another user's tampering is played twice.
        let again =
            self.scenario.runs.iter().position(|run| matches!(run.tampering, Some(Tampering::ByAnother(_))));
        let shift =
            usize::from(again.is_some_and(|again| run > again) && self.past.len() > self.scenario.runs.len());
        &self.scenario.runs[(run - shift).min(self.scenario.runs.len() - 1)]
    }

    fn print_options(&self) -> Vec<PrintOptions> {
        let mut may_be_in_order = false;
        let told = self.past.iter().enumerate().map(|(number, past)| {
            let shape = &self.plan_of(number).shape;
            let is_in_order = shape.order == Order::OfInput;
            // With `--keep-order` even lines come in blocks, and an earlier run may have set that.
            may_be_in_order |= is_in_order;
            let printing = match shape.mode {
                Mode::Grouped => Printing::Blocks,
                Mode::Lines if is_in_order => Printing::Blocks,
                Mode::Lines if may_be_in_order && past.way == StartedBy::Journal => Printing::Either,
                Mode::Lines => Printing::Lines,
            };
            PrintOptions {
                printing,
                order: self.orders[number].clone().filter(|_| is_in_order),
            }
        });
        told.collect()
    }

    fn evidence(&self, folder: &ScenarioFolder, end: Finish) -> Result<Evidence> {
        let jobs = self.orders.last().cloned().flatten().unwrap_or_default();
        let lines = |key: &String| {
            let jobs = self.scenario.runs.iter().flat_map(|run| &run.jobs).filter(|job| job.key == *key);
            let mut lines: Vec<[u64; 2]> = jobs.map(|job| job.lines).collect();
            lines.dedup();
            if lines.len() > 1 && self.scenario.runs.iter().any(|run| run.changed == Changed::Skip) {
                // An interrupted job whose command changed was left as it was.
                lines.push([0, 0]);
            }
            (key.clone(), lines)
        };
        let attempts = self.attempts(folder)?;
        let mut evidence = Evidence {
            runs: self.print_options(),
            started: self.started(folder)?,
            outputs: Vec::new(),
            jobs: jobs.iter().map(lines).collect(),
            trust: self.trust,
            is_done: end == Finish::Done,
            is_label: plan::is_label,
        };
        self.note_outputs(&attempts, &jobs, &mut evidence);
        self.judge_status(&attempts, &jobs, end)?;
        Ok(evidence)
    }

    /// All attempts in the journal.
    fn attempts(&self, folder: &ScenarioFolder) -> Result<Vec<Attempt>> {
        let read = |name: &str| fs::read(folder.journal().join(name)).unwrap_or_default();
        let (journal, outputs) = (read("journal.jsonl"), read("outputs"));
        let values = match records::attempts(&journal) {
            Ok(values) => values,
            Err(_) if self.trust == Trust::TamperedWith => Vec::new(),
            Err(error) => return Err(error),
        };
        let mut attempts = Vec::new();
        for value in values {
            match Attempt::read(&value, &outputs) {
                Ok(attempt) => attempts.push(attempt),
                Err(_) if self.trust == Trust::TamperedWith => {}
                Err(error) => return Err(error.context(format!("{}", value["key"]))),
            }
        }
        Ok(attempts)
    }

    fn started(&self, folder: &ScenarioFolder) -> Result<HashMap<JobProcess, usize>> {
        let text = fs::read_to_string(folder.log()).context("no log")?;
        let mut started = HashMap::new();
        let mut offset = 0;
        for line in text.lines() {
            if let ["start", key, pid, _] = line.split(' ').collect::<Vec<_>>()[..] {
                let run = self.past.iter().position(|past| past.log > offset).unwrap_or(0);
                started.insert((key.to_owned(), pid.parse()?), run);
            }
            offset += line.len() + 1;
        }
        Ok(started)
    }

    fn note_outputs(&self, attempts: &[Attempt], jobs: &[String], evidence: &mut Evidence) {
        let mut last: HashMap<&str, usize> = HashMap::new();
        let mut last_of_run: HashMap<(&str, u64), usize> = HashMap::new();
        // A stopped attempt counts as the last one: of what is printed whole only the last one is printed.
        for (number, attempt) in attempts.iter().enumerate() {
            last.insert(&attempt.key, number);
            last_of_run.insert((&attempt.key, attempt.generation), number);
        }
        // Tampering may have cut the last records before this run. Which attempt of a job without a record
        // was the last is then unknown.
        let cut = self
            .scenario
            .runs
            .iter()
            .rposition(|run| run.tampering.as_ref().is_some_and(Tampering::takes_records));
        for (number, attempt) in attempts.iter().enumerate() {
            let run = self.run_of(attempt.generation);
            let is_whole_run =
                run.is_some_and(|run| !self.past[run].is_killed && cut.is_none_or(|cut| run >= cut));
            let printing = run.map(|run| evidence.runs[run].printing);
            let is_last = jobs.contains(&attempt.key) && last.get(&*attempt.key) == Some(&number);
            let is_last_of_run = last_of_run.get(&(&*attempt.key, attempt.generation)) == Some(&number);
            let duty = match printing {
                // What it had written when it was stopped.
                _ if attempt.is_stopped => Duty::First,
                _ if is_last => Duty::All,
                Some(Printing::Lines) if is_whole_run => Duty::All,
                Some(Printing::Blocks) if is_whole_run && is_last_of_run => Duty::All,
                Some(Printing::Blocks) => Duty::AllOrNothing,
                _ => Duty::First,
            };
            for (stream, pid, count) in &attempt.outputs {
                evidence.outputs.push(Output {
                    process: (attempt.key.clone(), *pid),
                    stream: *stream,
                    count: *count,
                    duty,
                });
            }
        }
    }

    /// Exit status 0 must mean that all jobs succeeded.
    fn judge_status(&self, attempts: &[Attempt], jobs: &[String], end: Finish) -> Result<()> {
        let status = self.past.last().and_then(|past| past.status);
        if end == Finish::Refused || self.trust == Trust::TamperedWith {
            return Ok(());
        }
        let last = |key: &String| attempts.iter().rfind(|attempt| attempt.key == *key && !attempt.is_stopped);
        // A job that was interrupted and then had another command.
        let left_as_is = self.scenario.runs.iter().any(|run| run.changed == Changed::Skip);
        for key in jobs {
            ensure!(left_as_is || last(key).is_some(), "{key} is not recorded");
        }
        let failed = jobs.iter().find(|key| last(key).is_some_and(|attempt| !attempt.is_success));
        let right = i32::from(failed.is_some());
        ensure!(status == Some(right) || left_as_is, "status {status:?}, but {failed:?} failed");
        Ok(())
    }
}

/// The generation of the last run in the journal.
fn generation(folder: &ScenarioFolder) -> u64 {
    let records = fs::read(folder.journal().join("journal.jsonl")).unwrap_or_default();
    let lines = records.split(|byte| *byte == b'\n');
    let runs = lines
        .filter_map(|line| serde_json::from_slice(line).ok())
        .filter(|record: &Value| record["record"] == "run");
    runs.filter_map(|run| run["generation"].as_u64()).max().unwrap_or(0)
}
