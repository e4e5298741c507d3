//! A real Slurm cluster on this machine: starts it, breaks it as clusters break, and stops it. What
//! procpool must do then is for the tests on it to check.

mod configuration;
mod controller;
mod daemon;
mod home;
mod node;
mod packages;
mod ports;
mod size;
mod start;
mod stop;
mod trial;
mod wait;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use rustix::process::{Signal, geteuid};

use crate::cluster::home::Home;
use crate::cluster::size::RequestedSize;
pub(crate) use crate::cluster::trial::check;
use crate::shell;

// Same name as `bench::Options`: each subcommand has its options, and is named with them.
/// The options of `cargo xtask cluster`.
#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    order: ClusterCommand,
    /// The cluster's folder [default: cluster in cargo's target directory]
    #[arg(long, global = true, value_name = "DIR")]
    root: Option<PathBuf>,
}

#[derive(Subcommand)]
enum ClusterCommand {
    /// Start the cluster, or what of it isn't running, and print what a shell needs to use it
    ///
    /// A cluster that existed before keeps its settings, except for those that are given here. What is
    /// missing of Slurm is installed, if this is Debian. The system's configuration is not changed, and all
    /// daemons listen on the loopback address only. For a shell: eval "$(cargo xtask cluster start)"
    Start(RequestedSize),
    /// Cancel its jobs and stop it
    Stop {
        /// Remove its folder as well
        #[arg(long)]
        purge: bool,
    },
    /// Kill a node's daemon, its jobs and all their processes at once, as a power cut does
    KillNode {
        /// Such as n1
        node: String,
    },
    /// Kill only a node's daemon: its jobs go on, and the controller takes them for lost
    CutNode {
        /// Such as n1
        node: String,
    },
    /// End the controller, and bring it back three seconds later
    KillController {
        /// KILL is a crash; TERM lets it save its state
        #[arg(long, value_enum, ignore_case = true, default_value_t = ControllerSignal::Kill)]
        signal: ControllerSignal,
    },
    /// Start it, and run the command's tests that need a cluster
    Test {
        /// Only tests whose names contain this
        filter: Option<String>,
    },
}

/// The signal that ends the controller.
#[derive(Clone, Copy, ValueEnum)]
enum ControllerSignal {
    #[value(name = "KILL")]
    Kill,
    #[value(name = "TERM")]
    Terminate,
}

/// Runs a command on the cluster.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    if !geteuid().is_root() {
        bail!(
            "a cluster on one machine wants root: its nodes run jobs as any user, and only root may do that"
        );
    }
    let folder = match &options.root {
        Some(folder) => folder.clone(),
        None => shell::target_directory(root)?.join("cluster"),
    };
    match &options.order {
        ClusterCommand::Start(wanted) => {
            let home = Home::make(&folder)?;
            packages::install_missing()?;
            start::start(&home, wanted)?;
            // The only line on standard output, for `eval`.
            println!("export SLURM_CONF={}", home.quoted_configuration());
            Ok(())
        }
        ClusterCommand::Stop { purge } => match Home::find(&folder) {
            Ok(home) if *purge => stop::purge(&home),
            Ok(home) => stop::stop(&home),
            // The folder may have been removed.
            Err(_) => Ok(()),
        },
        ClusterCommand::KillNode { node } => node::kill(&Home::find(&folder)?, node),
        ClusterCommand::CutNode { node } => node::cut(&Home::find(&folder)?, node),
        ClusterCommand::KillController { signal: ControllerSignal::Kill } => {
            controller::bounce(&Home::find(&folder)?, Signal::KILL)
        }
        ClusterCommand::KillController { signal: ControllerSignal::Terminate } => {
            controller::bounce(&Home::find(&folder)?, Signal::TERM)
        }
        ClusterCommand::Test { filter } => {
            let home = Home::make(&folder)?;
            packages::install_missing()?;
            start::start(&home, &RequestedSize::default())?;
            trial::run(root, &home, filter.as_deref())
        }
    }
}
