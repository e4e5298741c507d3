//! `procpool export`: prints a journal for other programs. Each format has a file of its own.

mod csv;
mod joblog;
mod jsonl;
mod junit;
mod row;
mod writer;

use std::io::Write;

use anyhow::anyhow;

use crate::args::{ExportArgs, ExportFormat};
use crate::commands::export::csv::{Cells, CsvExport};
use crate::commands::export::joblog::JoblogExport;
use crate::commands::export::jsonl::JsonlExport;
use crate::commands::export::junit::JunitExport;
use crate::commands::export::row::{ExportRow, RowOwner};
use crate::commands::export::writer::ExportWriter;
use crate::commands::stdout::{self, PrintError};
use crate::exit::ExitStatus;
use crate::output::shape::StreamFilter;
use crate::terminal::shown::EscapingWriter;
use procpool_journal::read::reading::{ListedJob, Reading, Recorded, Stands};

/// Runs `procpool export`.
pub(crate) fn export(args: &ExportArgs) -> ExitStatus {
    stdout::end(tell(args))
}

/// What a row stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RowPer {
    Job,
    Attempt,
}

fn tell(args: &ExportArgs) -> Result<(), PrintError> {
    let rows = if args.all { RowPer::Attempt } else { RowPer::Job };
    if let (RowPer::Attempt, ExportFormat::Joblog | ExportFormat::Junit) = (rows, args.format) {
        return Err(anyhow!("--all goes with --format csv and jsonl; the others have one entry a job").into());
    }
    let cells = match (args.csv_safe, args.format) {
        (true, ExportFormat::Csv) => Cells::NoFormulas,
        (true, _) => return Err(anyhow!("--csv-safe is about cells; it goes with --format csv").into()),
        (false, _) => Cells::Exact,
    };
    let mut reading = Reading::open(&args.directory)?;
    stdout::remark(&reading.remarks);
    let out = stdout::writer();
    let passes = out.get_ref().passes();
    let mut format: Box<dyn ExportWriter> = match args.format {
        ExportFormat::Joblog => Box::new(JoblogExport),
        ExportFormat::Csv => Box::new(CsvExport::new(cells, passes)),
        ExportFormat::Jsonl => Box::new(JsonlExport),
        ExportFormat::Junit => Box::new(JunitExport::new()?),
    };
    // Files and pipes get the recorded bytes; on a terminal keys are escaped.
    let mut out: Box<dyn Write> = match passes {
        StreamFilter::Everything => Box::new(out),
        StreamFilter::TextAndColour => Box::new(EscapingWriter::new(out)),
    };
    format.begin(&mut out)?;
    let end = reading.each(|reading, job| match rows {
        RowPer::Job => tell_job(&mut *format, &job, reading, &mut out),
        RowPer::Attempt => tell_attempts(&mut *format, &job, reading, &mut out),
    })?;
    if rows == RowPer::Attempt {
        for place in reading.outcomes.unlisted() {
            let Recorded { entry, .. } = reading.records.read(place)?;
            format.row(&ExportRow::Ended(RowOwner::Nobody, &entry), &mut reading, &mut out)?;
        }
    }
    format.end(end, &reading, &mut out)?;
    out.flush()?;
    stdout::remark(&reading.remarks_at(end));
    Ok(())
}

fn tell_job(
    format: &mut dyn ExportWriter,
    job: &ListedJob,
    reading: &mut Reading,
    out: &mut dyn Write,
) -> Result<(), PrintError> {
    match (job.stands, &job.noted) {
        (Stands::Ended, Some(noted)) => {
            let Recorded { entry, .. } = reading.counting(noted)?;
            format.row(&ExportRow::Ended(RowOwner::Job(job), &entry), reading, out)
        }
        _ => format.row(&ExportRow::Open(job), reading, out),
    }
}

fn tell_attempts(
    format: &mut dyn ExportWriter,
    job: &ListedJob,
    reading: &mut Reading,
    out: &mut dyn Write,
) -> Result<(), PrintError> {
    let places = job.noted.map(|noted| reading.outcomes.attempts(&noted)).unwrap_or_default();
    for place in places {
        let Recorded { entry, .. } = reading.records.read(place)?;
        format.row(&ExportRow::Ended(RowOwner::Job(job), &entry), reading, out)?;
    }
    Ok(())
}
