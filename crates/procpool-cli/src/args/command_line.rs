//! The definition of the command line for clap: the subcommands, and the options of `run` by groups.

use clap::Parser;
use clap_complete::Shell;

use crate::args::cluster::{ClusterArgs, SliceArgs};
use crate::args::environment::EnvironmentArgs;
use crate::args::help;
use crate::args::inputs::InputArgs;
use crate::args::jobs::JobArgs;
use crate::args::journal::{JournalArgs, ResumeArgs};
use crate::args::outputs::OutputArgs;
use crate::args::reading::{ExportArgs, LsArgs, ShowArgs};
use crate::args::records::RecordArgs;
use crate::args::scheduling::ScheduleArgs;
use crate::args::telling::TellingArgs;

/// Runs a list of commands in parallel, captures everything and loses nothing.
#[derive(Debug, Parser)]
#[command(name = "procpool", version, after_help = help::FIRST_EXAMPLES, disable_help_subcommand = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) subcommand: Option<Subcommand>,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Subcommand {
    Run(Box<RunArgs>),
    Resume(Box<ResumeArgs>),
    Ls(LsArgs),
    Show(ShowArgs),
    Export(ExportArgs),
    #[command(hide = true)]
    Slice(SliceArgs),
    /// Print a script that makes a shell complete procpool's options
    ///
    /// For bash: source <(procpool completions bash)
    Completions {
        shell: Shell,
    },
    /// Print the manual page, for man(1)
    ///
    /// procpool man > procpool.1; man -l procpool.1
    Man,
}

/// Run commands in parallel: one for each value, line, row or job of a file.
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) inputs: InputArgs,
    #[command(flatten)]
    pub(crate) schedule: ScheduleArgs,
    #[command(flatten)]
    pub(crate) outputs: OutputArgs,
    #[command(flatten)]
    pub(crate) telling: TellingArgs,
    #[command(flatten)]
    pub(crate) jobs: JobArgs,
    #[command(flatten)]
    pub(crate) environment: EnvironmentArgs,
    #[command(flatten)]
    pub(crate) records: RecordArgs,
    #[command(flatten)]
    pub(crate) journal: JournalArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}
