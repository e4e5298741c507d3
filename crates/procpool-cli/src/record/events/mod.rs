//! Writes the events of a run as lines of JSON, for programs. docs/events.md describes them.

mod line;
mod pieces;

use std::collections::HashMap;
use std::io::{self, Read};
use std::ops::Range;
use std::time::SystemTime;

use procpool_core::{Completion, Limit, Live, Retried, Source, Spool, Started};

use crate::exit::ExitStatus;
use crate::job::work::{Work, command_text};
use crate::record::events::line::{EventLine, Piece, StreamName};
use crate::record::events::pieces::{Output, OutputPieces};
use crate::record::file::RecordFile;
use crate::run::sink::{Sink, Totals, Trouble};
use crate::run::tally::UnreadInput;
use procpool_journal::format::attempt::{Attempt, AttemptHeader, Report, time};

/// The version of the format. It rises if readers of the previous one would misunderstand it.
const VERSION: u32 = 1;

/// Writes each event as it happens, with one write.
pub(crate) struct Events {
    file: RecordFile,
    beginning: Beginning,
    /// The last attempt of each job after which another one was to follow. If that never starts, the job's
    /// end is still reported, but its output is not repeated.
    tried: HashMap<u64, u32>,
    /// Attempts whose start was reported and whose end was not, by number and attempt.
    running: HashMap<(u64, u32), AnnouncedStarts>,
    /// Notifications about outputs that arrived before the start of their attempt.
    early: HashMap<(u64, u32), Vec<Live>>,
}

/// How much of an attempt's outputs has been reported.
#[derive(Default)]
struct AnnouncedStarts {
    stdout: OutputPieces,
    stderr: OutputPieces,
}

/// The contents of the first line.
pub(crate) struct Beginning {
    /// Identifies this run among all on this machine.
    pub(crate) run: String,
    pub(crate) limit: Limit,
    /// The command line, as bash(1) would read it.
    pub(crate) command: String,
}

impl Events {
    pub(crate) fn new(file: RecordFile, beginning: Beginning) -> Events {
        Events {
            file,
            beginning,
            tried: HashMap::new(),
            running: HashMap::new(),
            early: HashMap::new(),
        }
    }

    fn write(&mut self, line: &EventLine<'_>) -> Result<(), Trouble> {
        let mut text = serde_json::to_vec(line).map_err(|error| Trouble::Failed(error.into()))?;
        text.push(b'\n');
        self.file.write(&text)
    }

    /// Reports what a running attempt has written by now, and no more even if the output grows meanwhile:
    /// other jobs have events, too.
    fn write_news(&mut self, live: &Live, pieces: &mut OutputPieces) -> Result<(), Trouble> {
        let until = live.length();
        let read = |range: Range<u64>| live.read(range.start..range.end.min(until));
        while let Some(piece) = pieces.next(Output::Grows, read).map_err(Trouble::reading)? {
            self.write_piece(live.into(), live.source, &piece)?;
        }
        Ok(())
    }

    /// Reports the rest of the outputs of an attempt that has ended.
    fn write_rest(&mut self, attempt: Attempt<'_>) -> Result<(), Trouble> {
        let told = self.running.remove(&(attempt.seq.get(), attempt.number)).unwrap_or_default();
        let Some(ran) = attempt.outcome.ran() else { return Ok(()) };
        let outputs =
            [(Source::Stdout, &ran.stdout, told.stdout), (Source::Stderr, &ran.stderr, told.stderr)];
        for (source, spool, mut pieces) in outputs {
            let read = |range| read_spool(spool, range);
            while let Some(piece) = pieces.next(Output::IsComplete, read).map_err(Trouble::reading)? {
                self.write_piece(attempt.into(), source, &piece)?;
            }
        }
        Ok(())
    }

    fn write_piece(&mut self, whose: AttemptHeader<'_>, source: Source, piece: &[u8]) -> Result<(), Trouble> {
        let stream = match source {
            Source::Stdout => StreamName::Stdout,
            Source::Stderr => StreamName::Stderr,
        };
        self.write(&EventLine::Output { time: now(), whose, stream, piece: Piece::from(piece) })
    }
}

impl AnnouncedStarts {
    fn of(&mut self, source: Source) -> &mut OutputPieces {
        match source {
            Source::Stdout => &mut self.stdout,
            Source::Stderr => &mut self.stderr,
        }
    }
}

impl Sink for Events {
    fn begin(&mut self) -> Result<(), Trouble> {
        let Beginning { run, limit, command } = &self.beginning;
        let line = EventLine::RunStarted {
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
        self.write(&EventLine::JobStarted { time: now(), whose: started.into() })?;
        let attempt = (started.seq.get(), started.attempt);
        self.running.insert(attempt, AnnouncedStarts::default());
        let early = self.early.remove(&attempt).unwrap_or_default();
        early.iter().try_for_each(|live| self.wrote(live))
    }

    fn wrote(&mut self, live: &Live) -> Result<(), Trouble> {
        if live.is_over() {
            // Its end was reported or will be soon, with all of the rest.
            return Ok(());
        }
        let attempt = (live.seq.get(), live.attempt);
        let Some(mut told) = self.running.remove(&attempt) else {
            self.early.entry(attempt).or_default().push(live.clone());
            return Ok(());
        };
        let written = self.write_news(live, told.of(live.source));
        self.running.insert(attempt, told);
        written
    }

    fn retried(&mut self, retried: &Retried) -> Result<(), Trouble> {
        let attempt = Attempt::from(retried);
        self.tried.insert(attempt.seq.get(), attempt.number);
        self.write_rest(attempt)?;
        self.write(&EventLine::JobFinished {
            time: now(),
            whose: attempt.into(),
            report: Report::of(attempt.outcome).into(),
            command: None,
            will_retry: true,
            pause_seconds: Some(retried.pause.as_secs_f64()),
        })
    }

    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        let attempt = Attempt::last(completion);
        if self.tried.remove(&attempt.seq.get()) != Some(attempt.number) {
            self.write_rest(attempt)?;
        }
        self.write(&EventLine::JobFinished {
            time: now(),
            whose: attempt.into(),
            report: Report::of(attempt.outcome).into(),
            command: Some(command_text(completion)),
            will_retry: false,
            pause_seconds: None,
        })
    }

    fn recorded(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        self.completed(completion)
    }

    fn finish(&mut self, _: &Totals) -> Result<(), Trouble> {
        Ok(())
    }

    fn ended(&mut self, totals: &Totals, status: ExitStatus) -> Result<(), Trouble> {
        self.write(&EventLine::RunFinished {
            time: now(),
            jobs: totals.jobs,
            succeeded: totals.succeeded,
            failed: totals.failed,
            stopped: totals.stopped,
            unrun: totals.unrun,
            input_read: totals.unread == UnreadInput::None,
            leaked: totals.leaked,
            left: &totals.left,
            seconds: totals.elapsed.as_secs_f64(),
            status: status.number(),
            signal: match status {
                ExitStatus::Signal(signal) => Some(signal),
                _ => None,
            },
        })
    }
}

fn read_spool(spool: &Spool, range: Range<u64>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    spool.reader_from(range.start).take(range.end - range.start).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn now() -> String {
    time(SystemTime::now())
}
