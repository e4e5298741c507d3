//! `procpool export`: what a journal says, for other programs. A format a file.
//! Knows nothing of any format, and nothing of how a journal is read.

mod csv;
mod format;
mod joblog;
mod jsonl;
mod junit;
mod row;

use std::io::Write;

use anyhow::anyhow;

use crate::args::{ExportArgs, ExportFormat};
use crate::commands::export::csv::{Cells, Csv};
use crate::commands::export::format::Format;
use crate::commands::export::joblog::Joblog;
use crate::commands::export::jsonl::Jsonl;
use crate::commands::export::junit::Junit;
use crate::commands::export::row::{Row, Whose};
use crate::commands::stdout::{self, Fault};
use crate::exit::ExitStatus;
use crate::output::shape::StreamFilter;
use crate::terminal::shown::EscapingWriter;
use procpool_journal::read::reading::{Listed, Reading, Recorded, Stands};

/// Prints what was asked for.
pub(crate) fn export(args: &ExportArgs) -> ExitStatus {
    stdout::end(tell(args))
}

/// What there is a row of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rows {
    Jobs,
    Attempts,
}

fn tell(args: &ExportArgs) -> Result<(), Fault> {
    let rows = if args.all { Rows::Attempts } else { Rows::Jobs };
    if let (Rows::Attempts, ExportFormat::Joblog | ExportFormat::Junit) = (rows, args.format) {
        return Err(anyhow!("--all goes with --format csv and jsonl; the others have one entry a job").into());
    }
    let cells = match (args.csv_safe, args.format) {
        (true, ExportFormat::Csv) => Cells::NoFormulas,
        (true, _) => return Err(anyhow!("--csv-safe is about cells; it goes with --format csv").into()),
        (false, _) => Cells::Exact,
    };
    let mut reading = Reading::open(&args.directory)?;
    stdout::remark(&reading.remarks);
    let paper = stdout::paper();
    let passes = paper.get_ref().passes();
    let mut format: Box<dyn Format> = match args.format {
        ExportFormat::Joblog => Box::new(Joblog),
        ExportFormat::Csv => Box::new(Csv::new(cells, passes)),
        ExportFormat::Jsonl => Box::new(Jsonl),
        ExportFormat::Junit => Box::new(Junit::new()?),
    };
    // A file or a pipe gets what was recorded to the byte; on a terminal a key must not control it.
    let mut paper: Box<dyn Write> = match passes {
        StreamFilter::Everything => Box::new(paper),
        StreamFilter::TextAndColour => Box::new(EscapingWriter::new(paper)),
    };
    format.begin(&mut paper)?;
    let end = reading.each(|reading, job| match rows {
        Rows::Jobs => tell_job(&mut *format, &job, reading, &mut paper),
        Rows::Attempts => tell_attempts(&mut *format, &job, reading, &mut paper),
    })?;
    if rows == Rows::Attempts {
        for place in reading.outcomes.unlisted() {
            let Recorded { entry, .. } = reading.records.read(place)?;
            format.row(&Row::Ended(Whose::Nobody, &entry), &mut reading, &mut paper)?;
        }
    }
    format.end(end, &reading, &mut paper)?;
    paper.flush()?;
    stdout::remark(&reading.remarks_at(end));
    Ok(())
}

fn tell_job(
    format: &mut dyn Format,
    job: &Listed,
    reading: &mut Reading,
    paper: &mut dyn Write,
) -> Result<(), Fault> {
    match (job.stands, &job.noted) {
        (Stands::Ended, Some(noted)) => {
            let Recorded { entry, .. } = reading.counting(noted)?;
            format.row(&Row::Ended(Whose::Job(job), &entry), reading, paper)
        }
        _ => format.row(&Row::Open(job), reading, paper),
    }
}

fn tell_attempts(
    format: &mut dyn Format,
    job: &Listed,
    reading: &mut Reading,
    paper: &mut dyn Write,
) -> Result<(), Fault> {
    let places = job.noted.map(|noted| reading.outcomes.attempts(&noted)).unwrap_or_default();
    for place in places {
        let Recorded { entry, .. } = reading.records.read(place)?;
        format.row(&Row::Ended(Whose::Job(job), &entry), reading, paper)?;
    }
    Ok(())
}
