//! The command `procpool`: what was typed becomes a plan, the plan a run, the run an exit status.
//! Wiring only; it knows no option and no job.

mod allocator;
mod args;
mod argument_space;
mod attempts;
#[doc(hidden)]
pub mod benching;
mod closed;
mod cluster;
mod colour;
mod descriptors;
mod dry_run;
mod duration;
mod errors;
mod exit;
mod export;
#[doc(hidden)]
pub mod fuzzing;
mod guard;
mod input;
mod journal;
mod labels;
mod launch;
mod leave;
mod ls;
mod machine;
mod ownership;
mod pages;
mod patient;
mod plan;
mod proc;
mod progress;
mod pulse;
mod quote;
mod reorder;
mod resume;
mod run;
mod scale;
mod screen;
mod show;
mod shown;
mod signals;
mod sink;
mod size;
mod split;
mod status;
mod summary;
mod sys;
mod tally;
mod template;
mod terms;
mod threads;
mod told;
mod ulimits;
mod work;

use nix::sys::signal::SigSet;
use procpool_core::LocalProcess;

use crate::args::{Chore, EventTarget, RunArgs, SliceArgs};
use crate::exit::ExitStatus;
use crate::guard::{Guard, Leftovers};
use crate::plan::Plan;
use crate::run::{Audience, Controls};

/// What the command does, from its arguments to its exit status.
pub fn main() -> ! {
    sys::memory::spare();
    signals::outlive_large_files();
    let status = match ulimits::stack() {
        Ok(()) => understand(),
        Err(error) => exit::own_failure(&error),
    };
    status.leave()
}

/// Apart from `main`, whose frame is small so: there may be no room for a larger one.
#[inline(never)]
fn understand() -> ExitStatus {
    match args::parse() {
        Ok(args) => carry_out(args.chore),
        Err(error) => exit::bad_input(&error),
    }
}

fn carry_out(chore: Option<Chore>) -> ExitStatus {
    match chore {
        None => {
            args::print_first_help();
            ExitStatus::Success
        }
        Some(Chore::Run(args)) => run(*args),
        Some(Chore::Resume(args)) => match resume::options(*args) {
            Ok(args) => run(args),
            Err(error) => exit::bad_input(&error),
        },
        Some(Chore::Slice(args)) => slice(&args),
        Some(Chore::Ls(args)) => ls::ls(&args),
        Some(Chore::Show(args)) => show::show(&args),
        Some(Chore::Export(args)) => export::export(&args),
        Some(Chore::Completions { shell }) => pages::completions(args::command(), shell),
        Some(Chore::Man) => pages::manual(&args::command()),
    }
}

fn run(args: RunArgs) -> ExitStatus {
    if args.inputs.dry_run {
        return plan::input(args).map_or_else(|error| exit::bad_input(&error), dry_run::print);
    }
    if let Some(EventTarget::Descriptor(number)) = args.records.events {
        sys::note_descriptor(number);
    }
    follow(args.jobs.guarding(), |guard| Plan::new(args, guard))
}

/// Runs a slice of somebody else's list. What came of its jobs stands in its records, and is no failure of its own unless
/// somebody wants it to be.
fn slice(args: &SliceArgs) -> ExitStatus {
    match plan::slice::order(args) {
        Ok(order) => {
            let exit = order.exit();
            exit.of(follow(order.guarding(), |guard| Plan::of_slice(order, guard)))
        }
        Err(error) => exit::bad_input(&error),
    }
}

/// Makes a plan and carries it out, guarded where it is to be.
fn follow(
    guarding: Option<Leftovers>,
    plan: impl FnOnce(Option<&Guard>) -> anyhow::Result<Plan>,
) -> ExitStatus {
    // Nobody wants a procpool that can't be told to end, because its parent has blocked signals.
    let _ = SigSet::empty().thread_set_mask();
    if let Err(refused) = sys::vital::try_all() {
        return exit::own_failure(&refused.into());
    }
    if let Err(error) = signals::hear_of_children() {
        return exit::own_failure(&error);
    }
    // Where a guardian was wanted and can't be, that says it all.
    let is_unguarded_by_wish = guarding.is_none();
    // Before there is a second thread.
    let guard = match guarding {
        None => None,
        Some(leftovers) => Guard::enter(leftovers).inspect_err(exit::unguarded).ok(),
    };
    let status = match plan(guard.as_ref()) {
        Ok(Plan {
            start,
            input,
            sinks,
            telling,
            pulse,
            processes,
            link,
            grace,
            leave,
            afterwards,
        }) => {
            let controls = Controls { pulse, processes, link, grace, leave };
            let status = run::run(start, input, Audience { sinks, telling }, controls);
            afterwards(status);
            status
        }
        Err(error) => exit::refused(&error),
    };
    if is_unguarded_by_wish {
        exit::weaker(&LocalProcess::weaker_promises());
    }
    if let Some(guard) = &guard {
        guard.take_leave();
    }
    status
}
