//! `procpool ls`: a table of a journal's jobs, in the order of the list or by duration.

mod table;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::Write;

use anyhow::anyhow;
use glob::Pattern;

use crate::args::LsArgs;
use crate::commands::ls::table::{JobTable, NodeColumn, TableRow, key_width};
use crate::commands::stdout::{self, PrintError, StdoutWriter};
use crate::exit::ExitStatus;
use crate::output::shape::StreamFilter;
use crate::terminal::colour::{Destination, Palette};
use procpool_journal::format::brief::OutcomeClass;
use procpool_journal::format::positions::Positions;
use procpool_journal::read::reading::{ListEnd, ListedJob, Reading, Stands};

/// Runs `procpool ls`.
pub(crate) fn ls(args: &LsArgs) -> ExitStatus {
    stdout::end(list(args))
}

/// Selects the jobs to be listed.
struct JobFilter {
    key: Option<Pattern>,
    failed: bool,
}

impl JobFilter {
    fn takes(&self, job: &ListedJob, key: &str) -> bool {
        let has_failed = || {
            let came_of_it = job.noted.and_then(|noted| noted.came_of_it());
            job.stands == Stands::Ended && came_of_it == Some(OutcomeClass::Failed)
        };
        self.key.as_ref().is_none_or(|pattern| pattern.matches(key)) && (!self.failed || has_failed())
    }
}

fn list(args: &LsArgs) -> Result<(), PrintError> {
    let pattern = args.glob.as_ref().map(|glob| {
        Pattern::new(glob)
            .map_err(|error| anyhow!("GLOB {glob:?}: {} at character {}", error.msg, error.pos + 1))
    });
    let choice = JobFilter { key: pattern.transpose()?, failed: args.failed };
    let mut reading = Reading::open(&args.directory)?;
    stdout::remark(&reading.remarks);
    let mut out = stdout::writer();
    let place = match out.get_ref().passes() {
        StreamFilter::TextAndColour => Destination::Terminal,
        StreamFilter::Everything => Destination::Elsewhere,
    };
    let palette = Palette::choose(args.colour.color, place);
    let (listed, end) = match args.slowest {
        None => all(&mut reading, &choice, palette, &mut out)?,
        Some(most) => slowest(&mut reading, &choice, most, palette, &mut out)?,
    };
    out.flush()?;
    if let (0, Some(glob)) = (listed, &args.glob) {
        stdout::remark(&[format!("no job is listed: none of those asked for has a key like {glob:?}")]);
    }
    stdout::remark(&reading.remarks_at(end));
    Ok(())
}

fn nodes(reading: &Reading) -> NodeColumn {
    if reading.has_slices() { NodeColumn::Present } else { NodeColumn::Absent }
}

/// Prints the selected jobs in the order of the list. Returns their number.
fn all(
    reading: &mut Reading,
    choice: &JobFilter,
    palette: Palette,
    out: &mut StdoutWriter,
) -> Result<(u64, ListEnd), PrintError> {
    // Two passes, because memory holds only which jobs are selected and the width of the widest key.
    let mut chosen = Positions::default();
    let mut width = 0;
    reading.each(|_, job| {
        let key = job.line.key();
        if choice.takes(&job, &String::from_utf8_lossy(key.as_bytes())) {
            chosen.add(job.position);
            width = width.max(key_width(&key));
        }
        Ok::<(), PrintError>(())
    })?;
    let table = JobTable::new(width, nodes(reading), palette);
    out.write_all(table.head().as_bytes())?;
    let end = reading.each(|reading, job| {
        if chosen.has(job.position) {
            out.write_all(table.line(&TableRow::of(reading, &job)?).as_bytes())?;
        }
        Ok::<(), PrintError>(())
    })?;
    Ok((chosen.count(), end))
}

/// Prints the selected jobs that took the longest time. Returns their number.
fn slowest(
    reading: &mut Reading,
    choice: &JobFilter,
    most: usize,
    palette: Palette,
    out: &mut StdoutWriter,
) -> Result<(u64, ListEnd), PrintError> {
    let mut heap: BinaryHeap<Reverse<(u128, Reverse<u64>, TableRow)>> = BinaryHeap::new();
    let end = reading.each(|reading, job| {
        let key = job.line.key();
        if job.stands != Stands::Ended || !choice.takes(&job, &String::from_utf8_lossy(key.as_bytes())) {
            return Ok::<(), PrintError>(());
        }
        let row = TableRow::of(reading, &job)?;
        // Of equal durations the first in the list ranks first.
        heap.push(Reverse((row.elapsed().as_nanos(), Reverse(job.position), row)));
        if heap.len() > most {
            heap.pop();
        }
        Ok(())
    })?;
    let rows = heap.into_sorted_vec();
    let width = rows.iter().map(|Reverse((_, _, row))| key_width(&row.key)).max().unwrap_or(0);
    let table = JobTable::new(width, nodes(reading), palette);
    out.write_all(table.head().as_bytes())?;
    for Reverse((_, _, row)) in &rows {
        out.write_all(table.line(row).as_bytes())?;
    }
    Ok((rows.len() as u64, end))
}
