//! The command `procpool`: what was typed becomes a plan, the plan a run, the run an exit status.
//! Wiring only; it knows no option and no job.

mod args;
mod closed;
mod duration;
mod exit;
mod input;
mod launch;
mod plan;
mod pulse;
mod reorder;
mod run;
mod signals;
mod sink;
mod summary;
mod tally;
mod template;

use clap::Parser;

use crate::args::{Args, Chore};
use crate::exit::ExitStatus;
use crate::plan::Plan;

fn main() -> ! {
    let status = match Args::parse().chore {
        None => {
            args::print_first_help();
            ExitStatus::Success
        }
        Some(Chore::Run(args)) => match Plan::new(args) {
            Ok(Plan { pool, input, sinks, pulse }) => run::run(&pool, input, sinks, pulse),
            Err(error) => exit::bad_input(&error),
        },
    };
    status.leave()
}
