//! Kills a run at the planned moment, which it recognizes by the log of starts and by files that grow.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::attack::{SignalKind, TargetedSignal};
use crate::ending::AppliedAttack;
use crate::journal::kill_plan::{KillPoint, PlannedKill};
use crate::running::RunningProcpool;
use crate::send::Trio;

/// The pause between two looks.
const PULSE: Duration = Duration::from_micros(50);

/// The log in which each job stamps its start, as far as it was read.
pub(crate) struct StartLog {
    file: File,
    text: String,
    /// Where the last complete line ends.
    end: usize,
    starts: u64,
    keys: HashSet<String>,
}

impl StartLog {
    pub(crate) fn open(path: &Path) -> Result<StartLog> {
        let file = File::open(path).context("can't read the log")?;
        Ok(StartLog {
            file,
            text: String::new(),
            end: 0,
            starts: 0,
            keys: HashSet::new(),
        })
    }

    /// Reads the new lines.
    pub(crate) fn look(&mut self) -> Result<()> {
        self.file.read_to_string(&mut self.text).context("can't read the log")?;
        let whole = self.text.rfind('\n').map_or(0, |end| end + 1);
        for line in self.text[self.end..whole].lines() {
            if let Some(key) = line.strip_prefix("start ").and_then(|rest| rest.split(' ').next()) {
                self.starts += 1;
                self.keys.insert(key.to_owned());
            }
        }
        self.end = whole;
        Ok(())
    }

    /// How many bytes of complete lines were read.
    pub(crate) fn length(&self) -> usize {
        self.end
    }

    pub(crate) fn starts(&self) -> u64 {
        self.starts
    }

    /// How many different jobs have been started.
    pub(crate) fn jobs(&self) -> u64 {
        self.keys.len() as u64
    }
}

/// How a run was killed, if it was.
#[derive(Default)]
pub(crate) struct KillResult {
    pub(crate) applied: AppliedAttack,
    /// How long after procpool its first job started, if one did.
    pub(crate) first_job: Option<Duration>,
}

/// What grows while procpool runs, and tells when to kill it.
pub(crate) trait GrowingFiles {
    /// The size of the journal in bytes.
    fn recorded(&self) -> u64;

    /// How many bytes of output have come.
    fn printed(&self) -> u64;
}

/// Waits for the moment and kills, unless the run ends before.
pub(crate) fn kill_at(
    planned: &PlannedKill,
    run: &RunningProcpool,
    stage: &impl GrowingFiles,
    log: &mut StartLog,
) -> Result<KillResult> {
    let (starts, recorded, printed) = (log.starts(), stage.recorded(), stage.printed());
    let mut result = KillResult::default();
    loop {
        log.look()?;
        let new_starts = log.starts() - starts;
        if new_starts > 0 && result.first_job.is_none() {
            result.first_job = Some(run.started.elapsed());
        }
        let has_come = match planned.moment {
            KillPoint::After(time) => run.started.elapsed() >= time,
            KillPoint::Started(count) => new_starts >= count,
            KillPoint::Recorded(bytes) => stage.recorded() >= recorded + bytes,
            KillPoint::Printed(bytes) => stage.printed() >= printed + bytes,
        };
        if has_come || new_starts > planned.most_starts {
            break;
        }
        if run.has_ended()? {
            return Ok(result);
        }
        thread::sleep(PULSE);
    }
    let wanted = TargetedSignal { kind: SignalKind::Kill, target: planned.victim };
    let Some(trio) = Trio::of(run)? else { return Ok(result) };
    let target = trio.send(wanted, run)?;
    result.applied.signals.extend(target.map(|target| TargetedSignal { target, ..wanted }));
    Ok(result)
}
