//! The job log of GNU parallel: one line per job that was started, written when it ends.

use std::time::{Duration, SystemTime};

use procpool_core::{Completion, End, NotStarted, Outcome, Ran, Signal, Status};

use crate::job::work::{Work, command_text};
use crate::record::file::RecordFile;
use crate::run::sink::{Sink, Totals, Trouble};
use crate::terminal::shown;
use procpool_journal::format::attempt;

pub(crate) const HEADER: &str = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";

/// A file for programs that read the log of GNU parallel.
pub(crate) struct Joblog(RecordFile);

/// What a row says about the outcome.
#[derive(Debug)]
pub(crate) struct JoblogFigures {
    started: SystemTime,
    elapsed: Duration,
    received: u64,
    code: Code,
}

/// The columns Exitval and Signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Code {
    exit: i32,
    signal: i32,
}

impl Joblog {
    pub(crate) fn new(file: RecordFile) -> Joblog {
        Joblog(file)
    }
}

impl Sink for Joblog {
    fn begin(&mut self) -> Result<(), Trouble> {
        self.0.write(HEADER.as_bytes())
    }

    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        let received = completion.outcome.ran().map_or(0, |ran| ran.stdout.len());
        let ended = completion.job.work.ended().unwrap_or_else(SystemTime::now);
        match JoblogFigures::of(&completion.outcome, received, ended) {
            Some(figures) => {
                let row =
                    figures.row(completion.seq.get(), completion.node.as_deref(), &command_text(completion));
                self.0.write(row.as_bytes())
            }
            None => Ok(()),
        }
    }

    fn recorded(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        self.completed(completion)
    }

    fn finish(&mut self, _: &Totals) -> Result<(), Trouble> {
        Ok(())
    }
}

impl JoblogFigures {
    /// `None` if the job was never reached. `ended` is used as the start of a job that could not be started
    /// or was lost.
    pub(crate) fn of(outcome: &Outcome, received: u64, ended: SystemTime) -> Option<JoblogFigures> {
        match outcome {
            Outcome::Ran(ran) => Some(JoblogFigures {
                started: ran.started,
                elapsed: ran.elapsed,
                received,
                code: Code::of(ran),
            }),
            Outcome::NotStarted(NotStarted::Spawn(_)) => Some(JoblogFigures {
                started: ended,
                elapsed: Duration::ZERO,
                received: 0,
                code: Code { exit: outcome.status().unwrap_or(126).into(), signal: 0 },
            }),
            // A lost job has no status. GNU parallel writes -1 if it knows none.
            Outcome::Lost(_) => Some(JoblogFigures {
                started: ended,
                elapsed: Duration::ZERO,
                received: 0,
                code: Code { exit: -1, signal: 0 },
            }),
            Outcome::NotStarted(NotStarted::NeverReached) => None,
        }
    }

    /// `node`: where the job ran, if that was another machine.
    pub(crate) fn row(&self, seq: u64, node: Option<&str>, command: &str) -> String {
        // GNU parallel writes this for the local machine.
        let host = node.map_or_else(|| ":".to_owned(), shown::name);
        let (started, elapsed) = (attempt::unix_seconds(self.started), attempt::seconds(self.elapsed));
        let (Code { exit, signal }, received) = (self.code, self.received);
        // Nothing is sent to another machine. Without one, what GNU parallel calls sent is nothing, too.
        format!("{seq}\t{host}\t{started}\t{elapsed:>10}\t0\t{received}\t{exit}\t{signal}\t{command}\n")
    }
}

impl Code {
    /// Only a success looks like one. Otherwise somebody who reads the log to run the rest again would leave
    /// a job out.
    fn of(ran: &Ran) -> Code {
        // Other code has taken the status: the same as for a lost job.
        let Some(status) = attempt::status(ran) else { return Code { exit: -1, signal: 0 } };
        let signal = match status {
            Status::Signalled(signal) => signal.number(),
            Status::Exited(_) => 0,
        };
        let exit = status.number().into();
        match ran.end {
            End::TimedOut(_) => Code { exit: -1, signal: Signal::TERM.number() },
            End::Stopped(Status::Exited(0)) => Code {
                exit: Status::Signalled(Signal::TERM).number().into(),
                signal: 0,
            },
            End::Itself(Status::Exited(0)) if ran.lost.is_some() => Code { exit: -1, signal: 0 },
            End::Itself(_) | End::Stopped(_) | End::Unknown => Code { exit, signal },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::UNIX_EPOCH;

    use super::*;

    fn code(end: End) -> (i32, i32) {
        let Code { exit, signal } = Code::of(&Ran::new(end));
        (exit, signal)
    }

    #[test]
    fn exitval_and_signal_are_those_of_later_versions() {
        let killed = Status::Signalled(Signal::KILL);
        assert_eq!(code(End::Itself(Status::Exited(0))), (0, 0));
        assert_eq!(code(End::Itself(Status::Exited(255))), (255, 0));
        assert_eq!(code(End::Itself(killed)), (137, 9));
        assert_eq!(code(End::TimedOut(killed)), (-1, 15));
        assert_eq!(code(End::TimedOut(Status::Exited(0))), (-1, 15));
        assert_eq!(code(End::Stopped(killed)), (137, 9));
        assert_eq!(code(End::Stopped(Status::Exited(3))), (3, 0));
    }

    #[test]
    fn what_is_no_success_does_not_look_like_one() {
        assert_eq!(code(End::Stopped(Status::Exited(0))), (143, 0));
        let mut ran = Ran::new(End::Itself(Status::Exited(0)));
        ran.lost = Some(io::ErrorKind::StorageFull.into());
        assert_eq!(Code::of(&ran), Code { exit: -1, signal: 0 });
    }

    #[test]
    fn a_row_has_the_widths_of_gnu_parallel() {
        let figures = JoblogFigures {
            started: UNIX_EPOCH + Duration::from_micros(1_700_000_000_123_456),
            elapsed: Duration::from_micros(1_104_600),
            received: 5,
            code: Code { exit: 0, signal: 0 },
        };
        let expected = "7\t:\t1700000000.123\t     1.105\t0\t5\t0\t0\techo 'a b'\n";
        assert_eq!(figures.row(7, None, "echo 'a b'"), expected);
        assert_eq!(figures.row(7, Some("n\t3"), "echo 'a b'"), expected.replacen(':', "n\\t3", 1));
    }

    #[test]
    fn a_job_whose_turn_never_came_has_no_row() {
        assert!(JoblogFigures::of(&NotStarted::NeverReached.into(), 0, UNIX_EPOCH).is_none());
    }
}
