//! What was typed becomes a plan: every decision and every user's error, before the first process.
//! Knows nothing of how a plan is carried out.

mod cluster;
mod commands;
mod inputs;
mod journal;
mod local;
mod machine;
mod outputs;
mod pipe;
mod recording;
mod records;
mod schedule;
pub(crate) mod slice;
mod spooling;
mod taken;
mod telling;
mod terms;
pub(crate) mod typed;
mod values;

use std::sync::Arc;
use std::time::Duration;

use procpool_core::{Capture, LocalProcess, Processes};

use crate::args::{InputArgs, JobArgs, LeakPolicy, RecordArgs, RunArgs, RunRequest};
use crate::cluster::courier::Starts;
use crate::cluster::own_folder::{self, OwnFolder};
use crate::exit::ExitStatus;
use crate::guard::leave_running::LeaveRunning;
use crate::guard::{Guard, GuardianLink};
use crate::input::Input;
use crate::job::launch;
use crate::job::terms::Terms;
use crate::journal::session::Session;
use crate::journal::sink::{Journal, Told};
use crate::plan::journal::{Given, Journaling};
use crate::plan::machine::Wanted;
use crate::plan::outputs::{Outputs, Recorded};
use crate::plan::recording::Recording;
use crate::plan::taken::Taken;
use crate::run::sink::Sink;
use crate::run::{StartRun, Telling};
use crate::terminal::pulse::Pulse;
use procpool_journal::files::run_lock::Leaks;
use procpool_journal::format::codec::Keep;
use procpool_journal::read::history::PastRound;

/// All that a run needs.
pub(crate) struct Plan {
    /// Sets the jobs going.
    pub(crate) start: StartRun,
    pub(crate) input: Input,
    /// In the order in which they are told of a completion.
    pub(crate) sinks: Vec<Box<dyn Sink>>,
    pub(crate) telling: Telling,
    /// Beats as they deliver.
    pub(crate) pulse: Pulse,
    /// What runs.
    pub(crate) processes: Processes,
    pub(crate) link: Option<GuardianLink>,
    /// How long a job that was asked to end has.
    pub(crate) grace: Duration,
    /// Whether what runs elsewhere is left where procpool is told to end.
    pub(crate) leave: LeaveRunning,
    /// What is left to do once all is told.
    pub(crate) afterwards: Afterwards,
}

/// Where jobs run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Here,
    Cluster,
}

impl Place {
    /// `retries` is how many further attempts a job has that doesn't say so itself.
    fn recording(self, retries: u32, is_live: &dyn Fn(&PastRound) -> anyhow::Result<bool>) -> Recording<'_> {
        match self {
            Place::Here => Recording::Here,
            Place::Cluster => Recording::Elsewhere { retries, is_live },
        }
    }

    /// How long a run may take to end that was told to.
    fn patience(self, grace: Duration) -> Duration {
        match self {
            Place::Here => grace,
            Place::Cluster => cluster::patience(grace),
        }
    }
}

/// What is left to do at the end of a run that ends like this.
pub(crate) type Afterwards = Box<dyn FnOnce(ExitStatus)>;

/// Only the jobs, for who wants to see them and not to run them.
///
/// # Errors
/// As of [`Plan::new`].
pub(crate) fn input(args: RunArgs) -> anyhow::Result<Input> {
    let terms = terms::terms(&args.environment, &args.schedule)?;
    inputs::input(args.inputs, terms)
}

/// The input of a run that has no journal.
fn unrecorded(inputs: InputArgs, terms: Terms, records: &RecordArgs) -> anyhow::Result<Input> {
    let input = inputs::input(inputs, terms)?;
    Ok(if records.results.is_some() { input.with_distinct_keys() } else { input })
}

/// What of jobs may live on when they have ended.
fn leaks(jobs: &JobArgs) -> Leaks {
    if jobs.on_leak == LeakPolicy::Keep { Leaks::Kept } else { Leaks::Nothing }
}

/// The journal before all records, and who prints behind them; where nobody does, who takes note that all is told.
fn journaled(
    mut sinks: Vec<Box<dyn Sink>>,
    session: Option<&Arc<Session>>,
    printer: Option<Box<dyn Sink>>,
) -> Vec<Box<dyn Sink>> {
    let told = session.filter(|_| printer.is_none()).map(|session| Box::new(Told(Arc::clone(session))) as _);
    let journal = session.map(|session| Box::new(Journal::new(Arc::clone(session))) as Box<dyn Sink>);
    sinks.splice(0..0, journal);
    sinks.extend(printer.or(told));
    sinks
}

impl Plan {
    /// # Errors
    /// Whatever is wrong with what was typed, or with a file that it names.
    pub(crate) fn new(mut request: RunRequest, guard: Option<&Guard>) -> anyhow::Result<Plan> {
        let args = &mut request.args;
        records::refuse_raw(args)?;
        records::refuse_detached(args)?;
        let run = launch::name_run();
        let place = if args.cluster.cluster().is_some() { Place::Cluster } else { Place::Here };
        let is_detached = args.cluster.detach;
        let own_folder = match (place, &args.journal.journal) {
            (Place::Cluster, None) => Some(OwnFolder::of(&run)),
            _ => None,
        };
        if let Some(own) = &own_folder {
            args.journal.journal = Some(own.path().to_owned());
        }
        if place == Place::Here {
            machine::renice(args.environment.nice)?;
        }
        let directory = args.journal.journal.clone().unwrap_or_default();
        let leave = match place {
            Place::Here => LeaveRunning::default(),
            Place::Cluster => LeaveRunning::new(args.cluster.on_term.map(Into::into).unwrap_or_default()),
        };
        let left = leave.clone();
        let afterwards = Box::new(move |status| match own_folder {
            Some(folder) => folder.settle(is_detached, status),
            None if left.is_asked() => own_folder::tell(&directory),
            None if is_detached && status == ExitStatus::Success => own_folder::tell(&directory),
            None => {}
        });
        Ok(Plan {
            afterwards,
            ..Plan::assemble(request, run, place, leave, guard)?
        })
    }

    fn assemble(
        RunRequest { args, options, source }: RunRequest,
        run: String,
        place: Place,
        leave: LeaveRunning,
        guard: Option<&Guard>,
    ) -> anyhow::Result<Plan> {
        let RunArgs {
            schedule: scheduling,
            outputs,
            telling,
            inputs,
            jobs,
            environment,
            records,
            journal,
            cluster,
        } = args;
        let pulse = Pulse::default();
        let taken = Taken::new(inputs::files(&inputs));
        let terms = terms::terms(&environment, &scheduling)?;
        let printed = records::printed(&records, &journal);
        let (input, course, printing) = match &journal.journal {
            None => (unrecorded(inputs, terms, &records)?, None, None),
            Some(directory) => {
                let is_live = |round: &PastRound| cluster::may_be_live(&cluster, round);
                let given = Given {
                    run: &run,
                    limit: scheduling.limit.get(),
                    defaults: terms.defaults(),
                    keep: if outputs.tag_with.is_some() { Keep::Values } else { Keep::Nothing },
                    leaks: leaks(&jobs),
                    recording: place.recording(scheduling.retries, &is_live),
                    options: &options,
                    source,
                };
                let Journaling { mut input, session, prints, replay, outset } =
                    journal::journal(directory, &journal, || inputs::input(inputs, terms), given)?;
                cluster::refuse_unseen(&cluster, &outset)?;
                if let Some(replay) = replay.as_ref().filter(|_| records::are_wanted(&records, &outputs)) {
                    let keeper = spooling::spooling(LocalProcess::new(), Capture::Spool)?;
                    input.recorded = replay.completions(|output| keeper.keep(output))?;
                }
                let account = Arc::clone(&session.printed);
                (input, Some((session, outset)), Some(Recorded { account, prints, replay }))
            }
        };
        let outputs = outputs::outputs(&outputs, input.names.as_ref(), printed, &pulse, printing)?;
        let Outputs { printer, capture, news, labels } = records::make_way(&records, outputs);
        let telling = telling::telling(&telling, capture, &cluster);
        let (session, outset) = course.unzip();
        let starts = if records.events.is_some() { Starts::Told } else { Starts::Silent };
        let local = spooling::spooling(LocalProcess::new().grace(jobs.grace), capture)?;
        let beside = records::descriptors(&records, &journal);
        let wanted = Wanted::new(scheduling.limit, input.jobs.size_hint().1, beside);
        let (limit, local) = match place {
            Place::Here => machine::make_room(wanted, local),
            Place::Cluster => (scheduling.limit, local),
        };
        let of = records::Recorded { run: &run, limit, journal: journal.journal.as_deref() };
        let mut sinks = journaled(records::sinks(records, &of, &pulse, taken)?, session.as_ref(), printer);
        sinks.extend(telling::failures(&telling));
        let (start, processes): (StartRun, Processes) = match (place, session, outset) {
            (Place::Cluster, Some(session), Some(outset)) => {
                let given = cluster::Given {
                    run: &run,
                    session,
                    outset,
                    labels,
                    starts,
                    fault: input.fault.clone(),
                    options,
                    grace: jobs.grace,
                    watched: telling::watched(&telling, &cluster),
                    keeper_gate: guard.map(|guard| guard.keeper_gate.clone()).unwrap_or_default(),
                    leave: leave.clone(),
                };
                (cluster::start(&cluster, &scheduling, given)?, local.processes())
            }
            (_, session, _) => {
                let given = local::Given {
                    run,
                    limit,
                    beside,
                    local,
                    guard,
                    session,
                    capture,
                    labels,
                    starts,
                    news,
                };
                local::start(&scheduling, &jobs, given)
            }
        };
        Ok(Plan {
            start,
            processes,
            link: guard.map(Guard::link),
            input,
            sinks,
            telling,
            pulse,
            grace: place.patience(jobs.grace),
            leave,
            afterwards: Box::new(|_| {}),
        })
    }
}
