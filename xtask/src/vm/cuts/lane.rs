//! A sequence of machines with the same two disks: each resumes the list after the cut before, and a new
//! list begins when one is done. The last list runs to its end.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::vm::builder::MachineBuilder;
use crate::vm::console::Fact;
use crate::vm::cuts::job::{self, JOBS, LIMIT};
use crate::vm::cuts::judge::{DiskState, History, Reruns, Stamp};
use crate::vm::cuts::moment::Moment;
use crate::vm::disk;
use crate::vm::machine::{ConsoleEvent, Machine};

/// The longest that a start and its run may take, on a busy host.
const PATIENCE: Duration = Duration::from_secs(300);

const SCRIPT: &str = include_str!("../scripts/cuts.sh");

/// Whether procpool waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    Durable,
    /// Without --durable, to see that losses are noticed.
    Careless,
}

/// The results of a lane.
#[derive(Clone, Debug, Default)]
pub(crate) struct LaneResult {
    pub(crate) cuts: u64,
    pub(crate) starts: u64,
    pub(crate) lists: u64,
    pub(crate) shown: usize,
    pub(crate) recorded: usize,
    pub(crate) again: Reruns,
    pub(crate) faults: Vec<String>,
}

/// How a machine's run ended.
enum StartEnd {
    Cut,
    /// The run ended before the cut.
    OfRun,
    /// There was nothing to run, only to look at.
    OfLook,
}

/// The meaning of a line on the console.
enum ConsoleLine {
    Result,
    /// A result that was shown before a cut. A resume begins with those, and a cut among them would hit no
    /// new record.
    Repeated,
    NoResult,
}

/// The list on the disks.
#[derive(Default)]
struct List {
    number: u64,
    history: History,
    found: DiskState,
    is_done: bool,
}

impl LaneResult {
    pub(crate) fn add(&mut self, other: &LaneResult) {
        self.cuts += other.cuts;
        self.starts += other.starts;
        self.lists += other.lists;
        self.shown += other.shown;
        self.recorded += other.recorded;
        self.again.run += other.again.run;
        self.again.shown += other.again.shown;
        self.again.most = self.again.most.max(other.again.most);
        self.faults.extend_from_slice(&other.faults);
    }
}

/// Plays cuts at these moments.
pub(crate) fn play(
    builder: &MachineBuilder,
    name: &str,
    moments: &[Moment],
    durability: Durability,
) -> Result<LaneResult> {
    let disks = [builder.file(&format!("{name}.img")), builder.file(&format!("{name}-stamps.img"))];
    disks.iter().try_for_each(|file| disk::make(file))?;
    let mut lane = Lane {
        builder,
        name,
        disks,
        durability,
        list: List::default(),
        played: LaneResult::default(),
    };
    lane.list.number = 1;
    // What was seen until then counts anyway.
    if let Err(error) = lane.play(moments) {
        lane.played.faults.push(format!("{error:#}"));
    }
    Ok(lane.played)
}

struct Lane<'a> {
    builder: &'a MachineBuilder,
    name: &'a str,
    disks: [PathBuf; 2],
    durability: Durability,
    list: List,
    played: LaneResult,
}

impl Lane<'_> {
    fn play(&mut self, moments: &[Moment]) -> Result<()> {
        for moment in moments {
            // A list may be done before the moment comes.
            while !matches!(self.start(Some(*moment))?, StartEnd::Cut) {}
        }
        while !matches!(self.start(None)?, StartEnd::OfLook) {}
        Ok(())
    }

    /// Starts the machine and cuts its power. Without a moment the list runs to its end, or is only looked
    /// at.
    fn start(&mut self, moment: Option<Moment>) -> Result<StartEnd> {
        self.played.starts += 1;
        let next = match (self.list.is_done, moment) {
            (false, _) => self.list.number,
            (true, Some(_)) => self.list.number + 1,
            (true, None) => 0,
        };
        let machine = self.builder.start(self.name, &self.script(next), &self.disks)?;
        let about = moment.map_or("no cut".to_owned(), |moment| moment.to_string());
        let mut lines = Vec::new();
        let end = self.follow(&machine, moment, &mut lines).with_context(|| {
            let last = lines.split_off(lines.len().saturating_sub(20)).join("\n    | ");
            format!("{}, start {} ({about}):\n    | {last}", self.name, self.played.starts)
        })?;
        let said = machine.cut()?;
        // What it wrote before the cut counts as seen.
        for line in said {
            self.see(&line);
        }
        match &end {
            StartEnd::Cut => self.played.cuts += 1,
            StartEnd::OfRun => self.list.is_done = true,
            StartEnd::OfLook => {}
        }
        Ok(end)
    }

    fn script(&self, next: u64) -> String {
        let durable = match self.durability {
            Durability::Durable => "--durable",
            Durability::Careless => "",
        };
        let (start, list) = (self.played.starts, self.list.number);
        format!(
            "start={start}\nlist={list}\nnext={next}\nlimit={LIMIT}\njobs={JOBS}\ndurable={durable}\n{SCRIPT}"
        )
    }

    fn follow(
        &mut self,
        machine: &Machine,
        moment: Option<Moment>,
        lines: &mut Vec<String>,
    ) -> Result<StartEnd> {
        let latest = machine.begun() + PATIENCE;
        let mut cut = match moment {
            Some(Moment::SwitchedOn(after)) => Some(machine.begun() + after),
            _ => None,
        };
        let mut found = DiskState::default();
        let mut seen = 0;
        loop {
            match machine.hear(cut.unwrap_or(latest)) {
                ConsoleEvent::Late if cut.is_some() => return Ok(StartEnd::Cut),
                ConsoleEvent::Late => bail!("it takes longer than {PATIENCE:?}"),
                ConsoleEvent::Silence => bail!("it ended by itself"),
                ConsoleEvent::Line(line) => {
                    let fact = Fact::in_line(&line);
                    match self.see(&line) {
                        ConsoleLine::Result => {
                            seen += 1;
                            if let Some(Moment::Seen(results, after)) = moment.filter(|_| cut.is_none()) {
                                cut = (seen == results).then(|| Instant::now() + after);
                            }
                        }
                        ConsoleLine::Repeated => {}
                        ConsoleLine::NoResult => lines.push(line),
                    }
                    match fact.as_ref().map(|fact| (&*fact.name, &*fact.value)) {
                        Some(("export", value)) if value != "0" => {
                            self.complain(&format!("the journal can't be read: {value}"));
                        }
                        Some(("recorded", key)) => {
                            found.recorded.insert(key.parse().context("a record of no job")?);
                        }
                        Some(("stamp", text)) => found.stamps.extend(Stamp::parse(text)),
                        Some(("checked", _)) => self.look(std::mem::take(&mut found)),
                        Some(("begun", _)) => {
                            if let Some(Moment::Begun(after)) = moment {
                                cut = Some(Instant::now() + after);
                            }
                        }
                        Some(("ended", "0")) => return Ok(StartEnd::OfRun),
                        Some(("ended", status)) => bail!("the run ended with {status}"),
                        Some(("over", _)) => return Ok(StartEnd::OfLook),
                        _ => {}
                    }
                }
            }
        }
    }

    /// Finds out whether a line is the output of a job.
    fn see(&mut self, line: &str) -> ConsoleLine {
        match job::of_output(line) {
            Ok(Some(key)) if self.list.history.show(key) => ConsoleLine::Result,
            Ok(Some(_)) => ConsoleLine::Repeated,
            Ok(None) => ConsoleLine::NoResult,
            Err(fault) => {
                self.complain(&fault);
                ConsoleLine::NoResult
            }
        }
    }

    /// Judges what a start has found on the disks. When a list is done, another one begins.
    fn look(&mut self, found: DiskState) {
        for fault in self.list.history.look(&found) {
            self.complain(&fault);
        }
        self.list.found = found;
        if self.list.is_done {
            let List { history, found, .. } = &self.list;
            let again = history.again(found);
            let (shown, recorded) = (history.shown(), found.recorded.len());
            if recorded != JOBS as usize || shown != JOBS as usize {
                self.complain(&format!(
                    "a list is done, {recorded} of {JOBS} are recorded, {shown} were seen"
                ));
            }
            self.played.lists += 1;
            self.played.shown += shown;
            self.played.recorded += recorded;
            self.played.again.run += again.run;
            self.played.again.most = self.played.again.most.max(again.most);
            self.played.again.shown += again.shown;
            let number = self.list.number + 1;
            self.list = List { number, ..List::default() };
        }
    }

    fn complain(&mut self, fault: &str) {
        self.played
            .faults
            .push(format!("{}, start {}, list {}: {fault}", self.name, self.played.starts, self.list.number));
    }
}
