//! Options about a cluster, and the hidden subcommand of its slices.

use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use crate::units::duration;

/// Where jobs run, and the settings of a cluster.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct ClusterArgs {
    /// Run the jobs on a cluster: slurm; or on this machine: local
    ///
    /// An array job is submitted. Each of its elements is a slice: it runs on one node, with as many jobs at
    /// once as -j says, and takes one piece of the list after another. Output, records, exit status and
    /// resume are the same as on one machine. All nodes must see the folder of --journal; without --journal a
    /// folder is created in the working directory, and removed when the run has ended normally. What the jobs
    /// of a run share otherwise (--delay, --load, --mem-free, a timeout in percent, --shuffle, slots) is
    /// shared by the jobs of a slice. Each slot gets its share of the GPUs that the cluster has allocated to
    /// a slice, in `CUDA_VISIBLE_DEVICES`. See docs/cluster.md.
    #[arg(long, value_name = "WHERE", hide_possible_values = true)]
    pub(crate) on: Option<EngineChoice>,

    /// Submit N slices, at most as many as an array may have
    ///
    /// Slices divide the list among themselves. By default there is one for each place that the cluster has
    /// for one, but not more than have enough jobs to fill them.
    #[arg(long, value_name = "N", requires = "on", allow_hyphen_values = true)]
    pub(crate) slices: Option<NonZeroU32>,

    /// Run at most N slices at a time, so on N nodes at most; without --slices no more are submitted
    #[arg(long, value_name = "N", requires = "on", allow_hyphen_values = true)]
    pub(crate) nodes: Option<NonZeroU32>,

    /// Pass an argument to sbatch, such as --sbatch-arg=--partition=long; may be given several times
    #[arg(long, value_name = "ARG", requires = "on", allow_hyphen_values = true)]
    pub(crate) sbatch_arg: Vec<OsString>,

    /// The time limit of a slice, in whole minutes; others run what it leaves
    ///
    /// A slice starts no job that would not end in time, judged by how long nine of ten of its jobs took. It
    /// is asked to end 30 s before its limit, which may be a minute earlier by Slurm's clock: give some
    /// minutes more than a job takes.
    #[arg(long, value_name = "TIME", requires = "on", value_parser = duration::parse)]
    #[arg(allow_hyphen_values = true)]
    pub(crate) time: Option<Duration>,

    /// What to do about a node on which all jobs fail: leave-out or keep
    ///
    /// A node on which five or more jobs have failed and none has succeeded, while others succeed elsewhere,
    /// takes most of the jobs, because failing takes no time. It is named and left out: its slices take no
    /// more jobs, and further slices are submitted without it. A slice whose first five jobs have all failed
    /// waits once, for two seconds, for that decision.
    #[arg(
        long,
        value_name = "WHAT",
        requires = "on",
        default_value = "leave-out",
        hide_possible_values = true
    )]
    pub(crate) bad_node: BadNodeChoice,

    /// Exit as soon as the jobs are submitted; `procpool resume DIR` collects the outcomes
    ///
    /// The exit status is then 0 and says nothing about the jobs.
    #[arg(long, requires = "on")]
    pub(crate) detach: bool,

    /// What TERM does to the run: cancel it, or leave it to the cluster
    ///
    /// `procpool resume DIR` continues a run that was left. A run is always left if the terminal is lost
    /// (HUP), or if procpool itself runs in a job of the cluster whose time is over; INT always cancels it.
    #[arg(long, requires = "on", value_name = "WHAT")]
    pub(crate) on_term: Option<TermChoice>,

    /// Never start a job a second time because its node was lost; its outcome is then lost
    ///
    /// A resume runs such jobs again, like all that have not succeeded.
    #[arg(long, requires = "on")]
    pub(crate) at_most_once: bool,

    /// Have a slice exit with 1 if a job of it failed, for --dependency=afterok:ARRAY of sbatch
    ///
    /// Also if it leaves jobs because its time is over, which another slice or a further array may run.
    /// Without this option a slice that has done its part exits with 0, whatever the outcomes of its jobs.
    #[arg(long, requires = "on")]
    pub(crate) slice_exit: bool,
}

/// What is done about a node on which all jobs fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum BadNodeChoice {
    LeaveOut,
    Keep,
}

/// What TERM does to a run on a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum TermChoice {
    /// It goes on without procpool.
    Leave,
    /// It ends.
    Cancel,
}

/// Where jobs run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum EngineChoice {
    Local,
    Slurm,
}

impl EngineChoice {
    /// Whether that is on other machines, which share a folder.
    pub(crate) fn is_cluster(self) -> bool {
        self != EngineChoice::Local
    }

    /// The option that selects it.
    pub(crate) fn flag(self) -> String {
        let value = self.to_possible_value().map(|value| value.get_name().to_owned());
        format!("--on {}", value.unwrap_or_default())
    }
}

impl ClusterArgs {
    /// The cluster; `None` if jobs run on this machine.
    pub(crate) fn cluster(&self) -> Option<EngineChoice> {
        self.on.filter(|on| on.is_cluster())
    }
}

/// Run one slice of a list: what an element of an array job does.
#[derive(Debug, clap::Args)]
pub(crate) struct SliceArgs {
    /// The folder of the run
    pub(crate) directory: PathBuf,

    /// Which round of slices
    #[arg(long, value_name = "GENERATION-ROUND")]
    pub(crate) round: String,

    /// Which slice, from 0
    #[arg(long, value_name = "N", required_unless_present = "index_from_env")]
    pub(crate) index: Option<u32>,

    /// Take the slice's number from the variable that the cluster sets
    #[arg(long, conflicts_with = "index")]
    pub(crate) index_from_env: bool,
}
