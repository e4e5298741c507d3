//! Options about the journal, and `procpool resume`.

use std::path::PathBuf;

use crate::args::cluster::ClusterArgs;
use crate::args::jobs::JobArgs;
use crate::args::outputs::OutputArgs;
use crate::args::records::RecordArgs;
use crate::args::scheduling::ScheduleArgs;
use crate::args::telling::TellingArgs;

/// Options of a recorded run.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Journal")]
pub(crate) struct JournalArgs {
    /// Record the run in DIR, to go on whatever ends it
    ///
    /// Each attempt is recorded there before anything of it is printed, and the list of jobs with all that it
    /// takes to run them again: `procpool resume DIR` runs what has not succeeded, or the same command with
    /// --resume. DIR is made, or has to be empty. Only its owner may read it, and where others may write to
    /// it, or it is another user's, it is refused. `procpool ls`, `show` and `export` tell what stands there,
    /// and docs/journal.md describes the files. With -k outputs come when their job has ended; with --output
    /// lines they come before, so that those of a job that was killed come again.
    #[arg(long, value_name = "DIR")]
    pub(crate) journal: Option<PathBuf>,

    /// Run only what has not succeeded according to the journal; with =unrun, what failed isn't run again
    /// either
    ///
    /// Where an array of it is still at work on a cluster it is the same run that goes on: what has failed in
    /// it is run again only with =failed.
    ///
    /// A job is known again by its key and by what it does: program, arguments, directory, variables, input.
    /// Its place in the list means nothing, but where several jobs have one key. What was recorded and not
    /// printed is printed now, unless its job is run again. The exit status is that of the whole list. The
    /// list is read to its end before the first job starts. Where there is no journal yet, all of it is run.
    #[arg(long, requires = "journal", value_name = "unrun|failed", hide_possible_values = true)]
    #[arg(require_equals = true, num_args = 0..=1, default_missing_value = "not-succeeded")]
    pub(crate) resume: Option<ResumeChoice>,

    /// What to do about jobs that were recorded with another command: rerun or skip
    ///
    /// Without a word on it such jobs are refused before anything is run.
    #[arg(long, requires = "resume", value_name = "WHAT", hide_possible_values = true)]
    pub(crate) changed: Option<ChangedChoice>,

    /// Have the disk take each result before it is shown, so that it survives a power cut
    ///
    /// The disk is asked at most every 10 ms, for all results of that time together. Without it results
    /// survive the end of any process, but not that of the machine.
    #[arg(long, requires = "journal")]
    pub(crate) durable: bool,
}

/// Which jobs a resume runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ResumeChoice {
    #[value(hide = true)]
    NotSucceeded,
    /// The same, and failed jobs of an array that is still at work.
    Failed,
    Unrun,
}

/// What to do about a job that was recorded with another command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ChangedChoice {
    /// It runs.
    Rerun,
    /// It keeps its recorded outcome.
    Skip,
}

impl ChangedChoice {
    /// A notice that the choice of an earlier run still applies.
    pub(crate) fn as_said_before(self) -> &'static str {
        match self {
            ChangedChoice::Rerun => {
                "an earlier run was told --changed rerun: jobs with another command are run; \
                 --changed skip leaves them as they are"
            }
            ChangedChoice::Skip => {
                "an earlier run was told --changed skip: jobs with another command are left as they are; \
                 --changed rerun runs them"
            }
        }
    }
}

/// Go on with a run by its journal alone: what has not succeeded is run.
///
/// With the options that the run was started with, unless others are given here, or taken back by --no- and
/// their name (--no-tag, --no-timeout; --guard), in the directory where it was started. The list of jobs,
/// their commands and inputs are those of the journal; the environment is today's. --joblog, --junit and
/// --events are not repeated by themselves, for they would tell of the rest only: give them again, or have
/// `procpool export` write them of the whole list.
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub(crate) struct ResumeArgs {
    /// The folder of the journal
    pub(crate) directory: PathBuf,

    /// Leave jobs that failed as they are; the exit status tells of them all the same
    #[arg(long, help_heading = "Journal", conflicts_with = "failed")]
    pub(crate) unrun: bool,

    /// Run jobs that failed again, also those of an array that is still at work on a cluster
    ///
    /// Without a live array they are anyway.
    #[arg(long, help_heading = "Journal")]
    pub(crate) failed: bool,

    /// What to do about jobs that were recorded with another command: rerun or skip
    #[arg(long, help_heading = "Journal", value_name = "WHAT", hide_possible_values = true)]
    pub(crate) changed: Option<ChangedChoice>,

    /// As in `procpool run`
    #[arg(long, help_heading = "Journal")]
    pub(crate) durable: bool,

    #[command(flatten)]
    pub(crate) schedule: ScheduleArgs,
    #[command(flatten)]
    pub(crate) outputs: OutputArgs,
    #[command(flatten)]
    pub(crate) telling: TellingArgs,
    #[command(flatten)]
    pub(crate) jobs: JobArgs,
    #[command(flatten)]
    pub(crate) records: RecordArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}
