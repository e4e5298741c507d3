//! What was typed becomes a plan: every decision and every user's error, before the first process.
//! Knows nothing of how a plan is carried out.

mod commands;
mod inputs;
mod journal;
mod outputs;
mod pipe;
mod records;
mod schedule;
mod taken;
mod telling;
mod terms;
mod values;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use procpool_core::{LocalProcess, OnLeak, Pool, Processes};

use crate::args::RunArgs;
use crate::guard::{Guard, Link};
use crate::input::Input;
use crate::journal::list::Keep;
use crate::journal::running::Leaks;
use crate::launch::{self, Launcher};
use crate::machine;
use crate::plan::journal::{Given, Journaling};
use crate::plan::outputs::{News, Outputs, Recorded};
use crate::plan::taken::Taken;
use crate::pulse::Pulse;
use crate::run::Telling;
use crate::sink::Sink;
use crate::sink::journal::{Journal, Told};

/// All that a run needs.
pub(crate) struct Plan {
    pub(crate) pool: Pool<Launcher>,
    pub(crate) input: Input,
    /// In the order in which they are told of a completion.
    pub(crate) sinks: Vec<Box<dyn Sink>>,
    pub(crate) telling: Telling,
    /// Beats as they deliver.
    pub(crate) pulse: Pulse,
    /// What runs.
    pub(crate) processes: Processes,
    pub(crate) link: Option<Link>,
    /// How long a job that was asked to end has.
    pub(crate) grace: Duration,
}

/// Only the jobs, for who wants to see them and not to run them.
///
/// # Errors
/// As of [`Plan::new`].
pub(crate) fn input(args: RunArgs) -> anyhow::Result<Input> {
    let terms = terms::terms(&args.environment, &args.schedule)?;
    inputs::input(args.inputs, terms)
}

impl Plan {
    /// # Errors
    /// Whatever is wrong with what was typed, or with a file that it names.
    pub(crate) fn new(args: RunArgs, guard: Option<&Guard>) -> anyhow::Result<Plan> {
        let RunArgs {
            schedule: scheduling,
            outputs,
            telling,
            inputs,
            jobs,
            environment,
            records,
            journal,
        } = args;
        records::refuse_raw(&records, &journal, outputs.output)?;
        machine::renice(environment.nice)?;
        let pulse = Pulse::default();
        let taken = Taken::new(inputs::files(&inputs));
        let run = launch::name_run();
        let terms = terms::terms(&environment, &scheduling)?;
        let printed = records::printed(&records, &journal);
        let (input, session, printing) = match &journal.journal {
            None => {
                let input = inputs::input(inputs, terms)?;
                (if records.results.is_some() { input.with_distinct_keys() } else { input }, None, None)
            }
            Some(directory) => {
                let keep = if outputs.tag_with.is_some() { Keep::Values } else { Keep::Nothing };
                let given = Given {
                    run: &run,
                    limit: scheduling.limit.get(),
                    terms: terms.clone(),
                    keep,
                    leaks: if jobs.on_leak() == OnLeak::Keep { Leaks::Kept } else { Leaks::Nothing },
                };
                let Journaling { mut input, session, prints, replay } =
                    journal::journal(directory, &journal, || inputs::input(inputs, terms), given)?;
                let account = Arc::clone(&session.printed);
                if let Some(replay) = replay.as_ref().filter(|_| records::are_wanted(&records, &outputs)) {
                    let keeper = LocalProcess::new();
                    input.recorded = replay.completions(|output| keeper.keep(output))?;
                }
                (input, Some(session), Some(Recorded { account, prints, replay }))
            }
        };
        let outputs = outputs::outputs(&outputs, input.names.as_ref(), printed, &pulse, printing)?;
        let Outputs { printer, capture, news, labels } = records::make_way(&records, outputs);
        let telling = telling::telling(&telling, capture);
        let (limit, local) = machine::make_room(
            scheduling.limit,
            input.jobs.size_hint().1,
            LocalProcess::new().grace(jobs.grace),
        );
        local.check_spool().context("large outputs have no place, set TMPDIR to a directory for them")?;
        let recorder = session.as_ref().map(|session| Arc::clone(&session.recorder));
        let launcher =
            Launcher::new(local, run, jobs.on_leak(), guard.map(|guard| Arc::clone(&guard.orphans)))
                .record(recorder)
                .capture(capture)
                .labels(labels);
        let processes = launcher.processes();
        let is_told_of_starts = records.events.is_some();
        let of = records::Recorded {
            run: launcher.name(),
            limit,
            journal: journal.journal.as_deref(),
        };
        let mut sinks = records::sinks(records, &of, &pulse, taken)?;
        let told = session.clone().filter(|_| printer.is_none()).map(|session| Box::new(Told(session)) as _);
        sinks.splice(0..0, session.map(|session| Box::new(Journal::new(session)) as Box<dyn Sink>));
        sinks.extend(printer.or(told).into_iter().chain(telling::failures(&telling)));
        let pool = schedule::schedule(&scheduling, Pool::with_runner(limit, launcher));
        let pool = if is_told_of_starts { pool.announce_starts() } else { pool };
        Ok(Plan {
            pool: match news {
                News::Wanted => pool.follow_outputs(),
                News::Unwanted => pool,
            },
            processes,
            link: guard.map(Guard::link),
            input,
            sinks,
            telling,
            pulse,
            grace: jobs.grace,
        })
    }
}
