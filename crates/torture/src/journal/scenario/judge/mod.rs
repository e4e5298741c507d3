//! Counts the lines of all jobs that are wrong: lost, doubled, mixed with others, or torn.
//!
//! It works from the output, from the records in the journal and from the options of each run, without
//! procpool's own code.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sleeper::bytes::Stream;
use sleeper::lines::Mark;

use crate::journal::scenario::lines::{Line, StreamLines};

/// A process of a job, by the job's key and the process ID.
pub(crate) type JobProcess = (String, u32);

/// What is known besides the output.
pub(crate) struct Evidence {
    pub(crate) runs: Vec<PrintOptions>,
    /// The run in which each process was started.
    pub(crate) started: HashMap<JobProcess, usize>,
    pub(crate) outputs: Vec<Output>,
    /// The keys of the last list, with the numbers of lines that each job may have written.
    pub(crate) jobs: Vec<(String, Vec<[u64; 2]>)>,
    pub(crate) trust: Trust,
    /// Whether the last run reached the end of the list.
    pub(crate) is_done: bool,
    /// Whether a label may stand before a line of the job with this key.
    pub(crate) is_label: fn(&[u8], &str) -> bool,
}

/// Whether the journal can be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Trust {
    #[default]
    Whole,
    /// Somebody tampered with it, so records may be missing.
    TamperedWith,
}

/// How a run printed.
#[derive(Clone, Debug)]
pub(crate) struct PrintOptions {
    pub(crate) printing: Printing,
    /// The keys in the order of printing, where that is known.
    pub(crate) order: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Printing {
    /// Each output as a block.
    Blocks,
    /// Lines as they come.
    Lines,
    /// One of the two; an earlier run decided.
    Either,
}

/// An output that was recorded.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    pub(crate) process: JobProcess,
    pub(crate) stream: Stream,
    pub(crate) count: u64,
    pub(crate) duty: Duty,
}

/// How much of it must be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    All,
    /// All or nothing: another attempt followed, or may, or the job is no longer in the list.
    AllOrNothing,
    /// Any number of its first lines: they were printed as they came, and another attempt followed.
    First,
}

/// How many lines are wrong in each way, and the first of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) lines: u64,
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) mixed: u64,
    pub(crate) torn: u64,
    /// Lines that were printed before they were recorded.
    pub(crate) early: u64,
    pub(crate) first: Vec<String>,
}

impl Verdict {
    pub(crate) fn is_good(&self) -> bool {
        self.lost + self.doubled + self.mixed + self.torn + self.early == 0
    }

    fn note(&mut self, count: fn(&mut Verdict) -> &mut u64, what: impl FnOnce() -> String) {
        *count(self) += 1;
        if *count(self) == 1 {
            self.first.push(what());
        }
    }
}

/// Judges the lines of one stream, or of both.
pub(crate) fn judge(streams: &[StreamLines], evidence: &Evidence) -> Verdict {
    let mut verdict = Verdict::default();
    let mut seen: BTreeMap<Mark, u64> = BTreeMap::new();
    for came in streams {
        let mut reader = LineJudge { evidence, verdict: &mut verdict, blocks: Blocks::default() };
        for line in &came.lines {
            if let Some(mark) = reader.take(line) {
                *seen.entry(mark).or_default() += 1;
            }
        }
    }
    for (mark, count) in &seen {
        for _ in 1..*count {
            verdict.note(|verdict| &mut verdict.doubled, || format!("doubled: {mark:?}"));
        }
    }
    let seen: BTreeSet<&Mark> = seen.keys().collect();
    recorded(&seen, evidence, &mut verdict);
    unrecorded(&seen, evidence, &mut verdict);
    listed(&seen, evidence, &mut verdict);
    verdict
}

/// Reads a stream line by line.
struct LineJudge<'a> {
    evidence: &'a Evidence,
    verdict: &'a mut Verdict,
    blocks: Blocks,
}

/// Which lines came before.
#[derive(Default)]
struct Blocks {
    now: Option<Mark>,
    label: Vec<u8>,
    last: HashMap<(JobProcess, Stream), u64>,
    /// For each run, how many blocks have begun, and the position of the last one in the list.
    places: HashMap<usize, (u64, usize)>,
}

impl LineJudge<'_> {
    fn take(&mut self, line: &Line) -> Option<Mark> {
        self.verdict.lines += 1;
        let (label, mark) = line.read();
        let Some(mark) = mark.filter(|mark| (self.evidence.is_label)(label, &mark.key)) else {
            if !self.is_excused(line) {
                let text = line.text.escape_ascii().to_string();
                let runs = (line.begun, line.ended);
                self.verdict.note(
                    |verdict| &mut verdict.torn,
                    || format!("torn, in runs {runs:?}: {}", excerpt(&text)),
                );
            }
            return None;
        };
        let wrong = self.blocks.take(label, &mark, line, self.evidence);
        if let Some(wrong) = wrong {
            self.verdict.note(|verdict| &mut verdict.mixed, || format!("{wrong}: {mark:?}"));
        }
        Some(mark)
    }

    /// Whether a torn line is no fault: procpool ends the line of a job that was interrupted while its
    /// lines were printed as they came.
    fn is_excused(&self, line: &Line) -> bool {
        let run = if line.text.is_empty() { line.begun.saturating_sub(1) } else { line.begun };
        let printing = self.evidence.runs.get(run).map(|run| run.printing);
        let is_by_line = matches!(printing, Some(Printing::Lines | Printing::Either));
        // Where procpool can't know whether a line was cut, it writes a newline anyway.
        let is_cut = line.ended > line.begun || line.text.is_empty() && line.begun > 0;
        let is_given_up = !self.evidence.is_done && line.ended + 1 >= self.evidence.runs.len();
        is_cut && is_by_line || self.evidence.trust == Trust::TamperedWith && (is_cut || is_given_up)
    }
}

impl Blocks {
    /// Returns what is wrong with the place of a line.
    fn take(&mut self, label: &[u8], mark: &Mark, line: &Line, evidence: &Evidence) -> Option<&'static str> {
        let process = (mark.key.clone(), mark.pid);
        let run = evidence.started.get(&process);
        let is_block =
            run.and_then(|run| evidence.runs.get(*run)).is_some_and(|run| run.printing == Printing::Blocks);
        let goes_on = self
            .now
            .as_ref()
            .is_some_and(|now| (&now.key, now.pid, now.stream) == (&mark.key, mark.pid, mark.stream));
        let has_other_label = goes_on && is_block && self.label != label;
        self.now = Some(mark.clone());
        label.clone_into(&mut self.label);
        let last = self.last.insert((process, mark.stream), mark.number);
        if last.is_some_and(|last| last > mark.number) {
            return Some("out of order");
        }
        if has_other_label {
            return Some("in another shape than the line before");
        }
        if goes_on || !is_block {
            return None;
        }
        if last.is_some() {
            return Some("mixed with others");
        }
        self.is_early(mark, line, evidence).then_some("before its turn")
    }

    /// Whether its block comes after one that stands later in the list. A block that an earlier run had
    /// begun comes first, whatever its position.
    fn is_early(&mut self, mark: &Mark, line: &Line, evidence: &Evidence) -> bool {
        let Some(order) = evidence.runs.get(line.begun).and_then(|run| run.order.as_ref()) else {
            return false;
        };
        let Some(place) = order.iter().position(|key| *key == mark.key) else { return false };
        let (begun, last) = self.places.entry(line.begun).or_default();
        *begun += 1;
        if *begun == 1 && line.begun > 0 {
            return false;
        }
        let is_early = place < *last;
        *last = place;
        is_early
    }
}

fn excerpt(text: &str) -> String {
    if text.len() < 160 { text.to_owned() } else { format!("{}…{}", &text[..80], &text[text.len() - 80..]) }
}

/// Finds lines that are missing from recorded outputs.
fn recorded(seen: &BTreeSet<&Mark>, evidence: &Evidence, verdict: &mut Verdict) {
    for Output { process: (key, pid), stream, count, duty } in &evidence.outputs {
        let mark = |number| Mark {
            key: key.clone(),
            pid: *pid,
            stream: *stream,
            number,
            count: *count,
        };
        let is_there = |number: &u64| seen.contains(&mark(*number));
        let last = (1..=*count).rev().find(is_there);
        let must = match duty {
            Duty::All if evidence.is_done => *count,
            Duty::AllOrNothing if evidence.is_done && last.is_some() => *count,
            _ => last.unwrap_or(0),
        };
        for number in (1..=must).filter(|number| !is_there(number)) {
            verdict.note(
                |verdict| &mut verdict.lost,
                || format!("lost ({duty:?}, the last is {last:?}): {:?}", mark(number)),
            );
        }
    }
}

/// Finds output without a record. It is allowed only where lines are printed as they come, and only from
/// the first line on.
fn unrecorded(seen: &BTreeSet<&Mark>, evidence: &Evidence, verdict: &mut Verdict) {
    if evidence.trust == Trust::TamperedWith {
        return;
    }
    let recorded: BTreeSet<(&JobProcess, Stream)> =
        evidence.outputs.iter().map(|output| (&output.process, output.stream)).collect();
    let mut last: Option<&Mark> = None;
    for mark in seen {
        let process = (mark.key.clone(), mark.pid);
        let is_next = last.is_some_and(|last| {
            (&last.key, last.pid, last.stream, last.number + 1)
                == (&mark.key, mark.pid, mark.stream, mark.number)
        });
        last = Some(mark);
        if recorded.contains(&(&process, mark.stream)) {
            continue;
        }
        let run = evidence.started.get(&process);
        if run.is_none_or(|run| evidence.runs[*run].printing == Printing::Blocks) {
            verdict.note(
                |verdict| &mut verdict.early,
                || format!("printed and not recorded, of run {run:?}: {mark:?}"),
            );
        } else if !is_next && mark.number != 1 {
            verdict.note(|verdict| &mut verdict.lost, || format!("lost before: {mark:?}"));
        }
    }
}

/// Finds jobs of the list of which no process has all its lines.
fn listed(seen: &BTreeSet<&Mark>, evidence: &Evidence, verdict: &mut Verdict) {
    if !evidence.is_done {
        return;
    }
    let mut counts: HashMap<&str, BTreeMap<(u32, Stream, u64), u64>> = HashMap::new();
    for mark in seen {
        *counts.entry(&mark.key).or_default().entry((mark.pid, mark.stream, mark.count)).or_default() += 1;
    }
    for (key, commands) in &evidence.jobs {
        let counts = counts.get(&**key);
        let is_there = |stream: Stream, count: u64| {
            let is_whole = |((_, of, all), came): (&(u32, Stream, u64), &u64)| {
                *of == stream && *all == count && came == all
            };
            count == 0 || counts.is_some_and(|counts| counts.iter().any(is_whole))
        };
        let is_whole =
            |lines: &[u64; 2]| is_there(Stream::Stdout, lines[0]) && is_there(Stream::Stderr, lines[1]);
        if !commands.iter().any(is_whole) {
            verdict.note(|verdict| &mut verdict.lost, || format!("lost: no process of {key} is there whole"));
        }
    }
}

#[cfg(test)]
mod tests;
