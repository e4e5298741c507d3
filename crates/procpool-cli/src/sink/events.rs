//! What happens in a run as lines of JSON, for programs: docs/events.md describes them.
//! Knows nothing of where they go, or of what else is recorded.

mod line;
mod pieces;

use std::collections::HashMap;
use std::time::SystemTime;

use procpool_core::{Completion, Limit, Retried, Spool, Started};

use crate::exit::ExitStatus;
use crate::sink::events::line::{Line, Output, Stream};
use crate::sink::events::pieces::Pieces;
use crate::sink::record_file::RecordFile;
use crate::sink::report::{Attempt, Report, command, time};
use crate::sink::{Sink, Totals, Trouble};
use crate::tally::Rest;
use crate::work::Work;

/// Which form of lines this is; rises where a reader of the one before would be wrong.
const VERSION: u32 = 1;

/// Writes each event as it happens, with one write.
pub(crate) struct Events {
    file: RecordFile,
    beginning: Beginning,
    /// The last attempt of each job that another was to follow. Where that never comes the job's end is told all
    /// the same, but not its output twice.
    tried: HashMap<u64, u32>,
}

/// What the first line says.
pub(crate) struct Beginning {
    /// Which run this is, among all on this machine.
    pub(crate) run: String,
    pub(crate) limit: Limit,
    /// What was typed, as bash(1) would read it.
    pub(crate) command: String,
}

impl Events {
    pub(crate) fn new(file: RecordFile, beginning: Beginning) -> Events {
        Events { file, beginning, tried: HashMap::new() }
    }

    fn write(&mut self, line: &Line<'_>) -> Result<(), Trouble> {
        let mut text = serde_json::to_vec(line).map_err(|error| Trouble::Failed(error.into()))?;
        text.push(b'\n');
        self.file.write(&text)
    }

    fn write_outputs(&mut self, attempt: Attempt<'_>) -> Result<(), Trouble> {
        let Some(ran) = attempt.outcome.ran() else { return Ok(()) };
        self.write_output(attempt, Stream::Stdout, &ran.stdout)?;
        self.write_output(attempt, Stream::Stderr, &ran.stderr)
    }

    fn write_output(&mut self, attempt: Attempt<'_>, stream: Stream, spool: &Spool) -> Result<(), Trouble> {
        let mut pieces = Pieces::new(spool.reader());
        while let Some(piece) = pieces.next().map_err(|error| Trouble::Failed(error.into()))? {
            self.write(&Line::Output { whose: attempt.into(), stream, output: Output::from(piece) })?;
        }
        Ok(())
    }
}

impl Sink for Events {
    fn begin(&mut self) -> Result<(), Trouble> {
        let Beginning { run, limit, command } = &self.beginning;
        let line = Line::RunStarted {
            version: VERSION,
            procpool: env!("CARGO_PKG_VERSION"),
            time: now(),
            run: run.clone(),
            limit: limit.get(),
            command: command.clone(),
        };
        self.write(&line)
    }

    fn started(&mut self, started: &Started) -> Result<(), Trouble> {
        self.write(&Line::JobStarted { time: now(), whose: started.into() })
    }

    fn retried(&mut self, retried: &Retried) -> Result<(), Trouble> {
        let attempt = Attempt::from(retried);
        self.tried.insert(attempt.seq.get(), attempt.number);
        self.write_outputs(attempt)?;
        self.write(&Line::JobFinished {
            time: now(),
            whose: attempt.into(),
            report: Report::of(attempt.outcome),
            command: None,
            will_retry: true,
            pause_seconds: Some(retried.pause.as_secs_f64()),
        })
    }

    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        let attempt = Attempt::last(completion);
        if self.tried.remove(&attempt.seq.get()) != Some(attempt.number) {
            self.write_outputs(attempt)?;
        }
        self.write(&Line::JobFinished {
            time: now(),
            whose: attempt.into(),
            report: Report::of(attempt.outcome),
            command: Some(command(completion)),
            will_retry: false,
            pause_seconds: None,
        })
    }

    fn finish(&mut self, _: &Totals) -> Result<(), Trouble> {
        Ok(())
    }

    fn ended(&mut self, totals: &Totals, status: ExitStatus) -> Result<(), Trouble> {
        self.write(&Line::RunFinished {
            time: now(),
            jobs: totals.jobs,
            succeeded: totals.succeeded,
            failed: totals.failed,
            stopped: totals.stopped,
            unrun: totals.unrun,
            input_read: totals.rest == Rest::None,
            leaked: totals.leaked,
            seconds: totals.elapsed.as_secs_f64(),
            status: status.number(),
            signal: match status {
                ExitStatus::Signal(signal) => Some(signal),
                _ => None,
            },
        })
    }
}

fn now() -> String {
    time(SystemTime::now())
}
