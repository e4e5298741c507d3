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
    /// Run the jobs on a cluster: slurm; or here: local
    ///
    /// One array job is handed in: each of its elements is a slice, which runs as many jobs at once as -j
    /// says, on one node, and takes one piece of the list after another. All else stays the same: output,
    /// records, exit status, resume. The folder of --journal has to be one that all nodes see; without
    /// --journal one is made in the directory where procpool runs, and goes with a run that came to its end.
    /// What all jobs of a run share (--delay, --load, --mem-free, a timeout in percent, --shuffle, slots) is
    /// shared by those of a slice. Of GPUs that the cluster has given a slice each slot has its share, in
    /// `CUDA_VISIBLE_DEVICES`. See docs/cluster.md.
    #[arg(long, value_name = "WHERE", hide_possible_values = true)]
    pub(crate) on: Option<EngineChoice>,

    /// Hand N slices in, at most as many as an array may have
    ///
    /// They share the list out themselves, so without it there is one for each place that the cluster has for
    /// one, and none for which there would be fewer jobs than it runs at once.
    #[arg(long, value_name = "N", requires = "on", allow_hyphen_values = true)]
    pub(crate) slices: Option<NonZeroU32>,

    /// Run at most N slices at a time, so on N nodes at most; without --slices no more are handed in
    #[arg(long, value_name = "N", requires = "on", allow_hyphen_values = true)]
    pub(crate) nodes: Option<NonZeroU32>,

    /// Give sbatch another argument, such as --sbatch-arg=--partition=long; may be given several times
    #[arg(long, value_name = "ARG", requires = "on", allow_hyphen_values = true)]
    pub(crate) sbatch_arg: Vec<OsString>,

    /// How long a slice may take, in whole minutes; what is left then is run by others
    ///
    /// It begins no job that would not end before, as nine of ten did that it has run. It is asked to end 30
    /// s before, which may be a minute earlier by Slurm's clock: give some minutes more than a job takes.
    #[arg(long, value_name = "TIME", requires = "on", value_parser = duration::parse)]
    #[arg(allow_hyphen_values = true)]
    pub(crate) time: Option<Duration>,

    /// What becomes of a node on which all fails, leave-out or keep
    ///
    /// A node on which five jobs or more have failed and none has succeeded, while others succeed, takes most
    /// of the jobs, for failing takes no time. It is named and left out: its slices take nothing more, and
    /// further ones are handed in without it. A slice whose first five jobs have all failed waits two
    /// seconds, once, for that word.
    #[arg(
        long,
        value_name = "WHAT",
        requires = "on",
        default_value = "leave-out",
        hide_possible_values = true
    )]
    pub(crate) bad_node: BadNodeChoice,

    /// Leave as soon as the cluster has the jobs; `procpool resume DIR` comes back for what became of them
    ///
    /// The exit status is 0 then and says nothing of the jobs.
    #[arg(long, requires = "on")]
    pub(crate) detach: bool,

    /// What TERM does to the run: cancel it, or leave it to the cluster
    ///
    /// `procpool resume DIR` comes back for a run that was left. It is always left where the terminal is lost
    /// (HUP), or where procpool runs in a job of the cluster itself whose time is over; INT always cancels
    /// it.
    #[arg(long, requires = "on", value_name = "WHAT")]
    pub(crate) on_term: Option<TermChoice>,

    /// Never start a job a second time because its node was lost; what came of it is lost then
    ///
    /// A resume starts such jobs again, as it does all that have not succeeded.
    #[arg(long, requires = "on")]
    pub(crate) at_most_once: bool,

    /// Have a slice exit with 1 where a job of it has failed, so that sbatch's --dependency=afterok:ARRAY
    /// heeds jobs
    ///
    /// Also where it leaves jobs, because its time is over: another slice may take them, or a further array.
    /// Without it a slice that has done its part exits with 0, whatever its jobs came to.
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
