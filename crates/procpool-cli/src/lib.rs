//! The command `procpool`: arguments become a plan, the plan a run, the run an exit status. This file only
//! connects the modules.

// In the order of the layers: a folder imports only what stands above it, see ARCHITECTURE.md.
mod os;

mod units;

mod terminal;

mod exit;

mod args;

mod guard;

mod shell;

mod template;

mod job;

mod input;

mod run;

mod journal;

mod cluster;

mod output;

mod record;

mod commands;

mod plan;

#[doc(hidden)]
pub mod testing;

use nix::sys::signal::SigSet;
use procpool_core::LocalProcess;
use procpool_journal::os::memory;

use crate::args::{EventTarget, RunRequest, RunSource, SliceArgs, Subcommand, Typed};
use crate::exit::ExitStatus;
use crate::guard::{Guard, Leftovers, Supervision};
use crate::plan::Plan;

/// What the command does, from its arguments to its exit status.
pub fn main() -> ! {
    memory::spare();
    guard::signals::outlive_large_files();
    let status = match os::ulimits::stack() {
        Ok(()) => understand(),
        Err(error) => exit::own_failure(&error),
    };
    status.exit()
}

/// Not part of `main`, so that the frame of `main` stays small: the stack may have no room for a larger one.
#[inline(never)]
fn understand() -> ExitStatus {
    match args::parse() {
        Ok(typed) => carry_out(typed),
        Err(error) => exit::bad_input(&error),
    }
}

fn carry_out(Typed { subcommand, options, negated }: Typed) -> ExitStatus {
    match subcommand {
        None => {
            args::print_first_help();
            ExitStatus::Success
        }
        Some(Subcommand::Run(args)) => {
            run(RunRequest { args: *args, options, source: RunSource::CommandLine })
        }
        Some(Subcommand::Resume(args)) => match commands::resume::request(&args, options, &negated) {
            Ok(request) => run(request),
            Err(error) => exit::bad_input(&error),
        },
        Some(Subcommand::Slice(args)) => slice(&args),
        Some(Subcommand::Ls(args)) => commands::ls::ls(&args),
        Some(Subcommand::Show(args)) => commands::show::show(&args),
        Some(Subcommand::Export(args)) => commands::export::export(&args),
        Some(Subcommand::Completions { shell }) => commands::pages::completions(args::command(), shell),
        Some(Subcommand::Man) => commands::pages::manual(&args::command()),
    }
}

fn run(request: RunRequest) -> ExitStatus {
    let args = &request.args;
    if args.inputs.dry_run {
        return plan::input(request.args)
            .map_or_else(|error| exit::bad_input(&error), commands::dry_run::print);
    }
    if let Some(EventTarget::Descriptor(number)) = args.records.events {
        os::sys::note_descriptor(number);
    }
    follow(plan::typed::guarding(&args.jobs), |guard| plan::choose::plan(request, guard))
}

/// Runs a slice of a list that a head has written. Failed jobs are in the slice's records; they don't make
/// the slice itself fail unless that was asked for.
fn slice(args: &SliceArgs) -> ExitStatus {
    match plan::slice::order(args) {
        Ok(order) => {
            let exit = order.exit();
            exit.of(follow(order.guarding(), |guard| Plan::of_slice(order, guard)))
        }
        Err(error) => exit::bad_input(&error),
    }
}

/// Makes a plan and runs it, with a guardian if `guarding` is set.
fn follow(
    guarding: Option<Leftovers>,
    plan: impl FnOnce(Option<&Guard>) -> anyhow::Result<Plan>,
) -> ExitStatus {
    // The parent may have blocked signals, and a procpool that ignores them could not be stopped.
    let _ = SigSet::empty().thread_set_mask();
    if let Err(refused) = os::sys::vital::try_all() {
        return exit::own_failure(&refused.into());
    }
    if let Err(error) = guard::signals::hear_of_children() {
        return exit::own_failure(&error);
    }
    // If a guardian was wanted and could not be created, `exit::unguarded` has already warned of the
    // consequences.
    let is_unguarded_by_wish = guarding.is_none();
    // Before there is a second thread, because this forks.
    let guard = match guarding {
        None => None,
        Some(leftovers) => Guard::enter(leftovers).inspect_err(exit::unguarded).ok(),
    };
    let status = match plan(guard.as_ref()) {
        Ok(Plan {
            input,
            begin,
            telling,
            heartbeat,
            processes,
            link,
            grace,
            leave,
            afterwards,
        }) => {
            let supervision = Supervision { heartbeat, processes, link, grace, leave };
            let status = run::run(begin, input, &telling, supervision);
            afterwards(status);
            status
        }
        Err(error) => exit::refused(&error),
    };
    if is_unguarded_by_wish {
        exit::weaker(&LocalProcess::weaker_promises());
    }
    if let Some(guard) = &guard {
        guard.announce_end();
    }
    status
}
