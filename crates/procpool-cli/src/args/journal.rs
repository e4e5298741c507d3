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
    /// Record the run in DIR, so that it can be resumed
    ///
    /// Each attempt is recorded before anything of it is printed. The list of jobs is recorded with all that
    /// is needed to run them again: `procpool resume DIR` runs the jobs that have not succeeded, and so does
    /// the same command with --resume. DIR is created, or must be empty. Only its owner may read it; it is
    /// refused if others may write to it, or if it belongs to another user. `procpool ls`, `show` and
    /// `export` read it, and docs/journal.md describes the files. With -k an output is printed when its job
    /// has ended; with --output lines it is printed before, so lines of a job that was killed are printed
    /// again.
    #[arg(long, value_name = "DIR")]
    pub(crate) journal: Option<PathBuf>,

    /// Run only jobs that have not succeeded according to the journal; with =unrun, skip failed ones as well
    ///
    /// If an array of the run is still at work on a cluster, this continues the same run: failed jobs of it
    /// run again only with =failed.
    ///
    /// A job is recognised by its key and by what it runs: program, arguments, directory, variables, input.
    /// Its position in the list does not matter unless several jobs have the same key. Output that was
    /// recorded but not printed is printed now, unless its job runs again. The exit status is that of the
    /// whole list. The list is read to its end before the first job starts. If there is no journal yet, all
    /// jobs run.
    #[arg(long, requires = "journal", value_name = "unrun|failed", hide_possible_values = true)]
    #[arg(require_equals = true, num_args = 0..=1, default_missing_value = "not-succeeded")]
    pub(crate) resume: Option<ResumeChoice>,

    /// What to do about jobs that were recorded with another command: rerun or skip
    ///
    /// Without this option such jobs are refused before anything runs.
    #[arg(long, requires = "resume", value_name = "WHAT", hide_possible_values = true)]
    pub(crate) changed: Option<ChangedChoice>,

    /// Sync each result to disk before it is printed, so that it survives a power failure
    ///
    /// The disk is synced at most every 10 ms, for all results of that time together. Without this option
    /// results survive the end of any process, but not of the machine.
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

/// Resume a run from its journal alone: run the jobs that have not succeeded
///
/// It runs in the directory where it was started, with the options of then, unless others are given here, or
/// some are dropped by --no- and their name (--no-tag, --no-timeout; --guard). The list of jobs, their
/// commands and inputs are taken from the journal; the environment is the current one. --joblog, --junit and
/// --events are not repeated, because they would cover the rest only: give them again, or use `procpool
/// export` for the whole list.
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub(crate) struct ResumeArgs {
    /// The folder of the journal
    pub(crate) directory: PathBuf,

    /// Don't run failed jobs again; the exit status includes them
    #[arg(long, help_heading = "Journal", conflicts_with = "failed")]
    pub(crate) unrun: bool,

    /// Run failed jobs again, including those of an array that is still at work on a cluster
    ///
    /// If no array is at work they are run again anyway.
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
