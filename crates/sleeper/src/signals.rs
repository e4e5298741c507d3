//! How sleeper reacts to signals while it works.

use anyhow::Result;
use clap::Args;
use signal_hook::consts::{SIGHUP, SIGINT, SIGSTOP, SIGTERM};
use signal_hook::{flag, low_level};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

#[derive(Args)]
#[command(next_help_heading = "Signals")]
#[expect(clippy::struct_excessive_bools, reason = "each is an option that was typed, or not")]
pub(crate) struct Signals {
    /// Print the line `ready` once signals are caught and processes left behind
    #[arg(long)]
    ready: bool,
    /// Ignore TERM; implies --ready
    #[arg(long, conflicts_with = "exit_on_term")]
    ignore_term: bool,
    /// Exit with N at once on TERM, without an end stamp; implies --ready
    #[arg(long, value_name = "N")]
    exit_on_term: Option<u8>,
    /// Ignore INT, TERM and HUP, as do all that are left behind; implies no --ready
    #[arg(long, conflicts_with_all = ["ignore_term", "exit_on_term"])]
    deaf: bool,
    /// Stop by STOP before the sleep
    #[arg(long)]
    stop_self: bool,
}

impl Signals {
    /// A test must know when TERM is caught before it sends it.
    pub(crate) fn announces(&self) -> bool {
        self.ready || self.ignore_term || self.exit_on_term.is_some()
    }

    /// The options that the processes left behind inherit.
    pub(crate) fn inherited(&self) -> Option<&'static str> {
        self.deaf.then_some("--deaf")
    }

    pub(crate) fn arm(&self) -> Result<()> {
        let ignored: &[i32] = match (self.ignore_term, self.deaf) {
            (_, true) => &[SIGINT, SIGTERM, SIGHUP],
            (true, false) => &[SIGTERM],
            (false, false) => &[],
        };
        for signal in ignored {
            // A handler without effect and not SIG_IGN, which children would inherit.
            flag::register(*signal, Arc::new(AtomicBool::new(false)))?;
        }
        if let Some(code) = self.exit_on_term {
            flag::register_conditional_shutdown(SIGTERM, code.into(), Arc::new(AtomicBool::new(true)))?;
        }
        Ok(())
    }

    pub(crate) fn stop(&self) -> Result<()> {
        if self.stop_self {
            low_level::raise(SIGSTOP)?;
        }
        Ok(())
    }
}
