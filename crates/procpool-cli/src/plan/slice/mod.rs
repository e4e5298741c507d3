//! Plans the run of one slice: an ordinary pool over a part of a cluster run's list, with records of its own.

mod place;

use std::env;
use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};
use procpool_cluster::ElementOf;
use procpool_core::{Capture, HaltQuantity, Limit, LocalProcess, Pool};

use self::place::SliceInstance;
use crate::args::{self, NegatedOptions, OutputMode, RunArgs, ScheduleArgs, SliceArgs};
use crate::cluster::halt_file::{self, HaltFile};
use crate::cluster::order::{self, Manner, Order, Parts, Sharing};
use crate::cluster::round_owner;
use crate::cluster::slice_jobs::{PriorAttempts, SlicePieces};
use crate::cluster::workload::{NotingRunner, Workload};
use crate::exit::ExitStatus;
use crate::guard::leave_running::LeaveRunning;
use crate::guard::{Guard, Leftovers};
use crate::input::{Input, Jobs};
use crate::job::gpus::Gpus;
use crate::job::launch::{Launcher, Signals};
use crate::journal::notices;
use crate::journal::slice_sink::PreparedRecords;
use crate::plan::machine::{self, Wanted};
use crate::plan::{Plan, engines, leaks, records, schedule, spooling, terms, typed};
use crate::run::summary::SummaryWish;
use crate::run::{Begun, StartRun, Telling};
use crate::terminal::colour::Palette;
use crate::terminal::heartbeat::Heartbeat;
use crate::terminal::progress::{FailureCount, Progress, ProgressMode};
use procpool_journal::files::folder::{Folder, Purpose};
use procpool_journal::files::inputs::Inputs;
use procpool_journal::files::live::LiveOutputs;
use procpool_journal::format::codec::{Defaults, JobCodec, Keep};
use procpool_journal::format::text::Text;
use procpool_journal::os::threads;
use procpool_journal::write::journal_writer::Durability;
use procpool_journal::write::list_file::ListFile;
use procpool_journal::write::stored_jobs::ListFailure;

/// What a slice has to do, as read from the run's folder.
pub(crate) struct SliceOrder {
    folder: Folder,
    order: Order,
    index: u32,
    pieces: Vec<Parts>,
    args: RunArgs,
    /// Set if one of its jobs failed for good when the slice was begun before, or if the slice leaves jobs
    /// that it could have begun.
    falls_short: Arc<AtomicBool>,
}

impl SliceOrder {
    /// Whether there is a keeper, and what it does about processes that are left at the end.
    pub(crate) fn guarding(&self) -> Option<Leftovers> {
        typed::guarding(&self.args.jobs)
    }

    /// What its exit status reports.
    pub(crate) fn exit(&self) -> SliceExit {
        let falls_short = Arc::clone(&self.falls_short);
        if self.args.cluster.slice_exit { SliceExit::OfJobs { falls_short } } else { SliceExit::OfItself }
    }
}

/// What the exit status of a slice reports.
pub(crate) enum SliceExit {
    /// Whether the slice has done its part.
    OfItself,
    /// Whether jobs of the slice have failed, now or when it was begun before, or are left.
    OfJobs { falls_short: Arc<AtomicBool> },
}

impl SliceExit {
    /// The slice's exit status, given that of its run.
    pub(crate) fn of(&self, status: ExitStatus) -> ExitStatus {
        match (self, status) {
            (SliceExit::OfItself, ExitStatus::JobsFailed) => ExitStatus::Success,
            (SliceExit::OfJobs { falls_short }, ExitStatus::Success)
                if falls_short.load(Ordering::Acquire) =>
            {
                ExitStatus::JobsFailed
            }
            (_, status) => status,
        }
    }
}

/// Reads what the slice has to do, and changes to the directory in which its run was started.
///
/// # Errors
/// If that can't be read, or is invalid.
pub(crate) fn order(args: &SliceArgs) -> anyhow::Result<SliceOrder> {
    let shown = || format!("{:?}", args.directory);
    let folder = Folder::open(&args.directory, Purpose::Run).with_context(shown)?;
    let folder = folder.with_context(|| format!("{}: there is no such folder", shown()))?;
    folder.wait_for_ends_of_outages(notices::say);
    let index = match args.index {
        Some(index) => index,
        None => index_from_environment()?,
    };
    let mut pieces = Vec::new();
    let order = order::read(&folder, &args.round, |parts| pieces.push(parts))?;
    take_round(&folder, &args.round)?;
    let slices = match order.sharing() {
        Sharing::Claimed => order.slices,
        Sharing::Fixed => u32::try_from(pieces.len()).unwrap_or(u32::MAX),
    };
    if index >= slices {
        bail!("round {} has no slice {index}", args.round);
    }
    let directory = order.directory.clone().into_os_string();
    env::set_current_dir(&directory).with_context(|| {
        format!("the run was started in {directory:?}, which can't be entered on this machine")
    })?;
    let options: Vec<OsString> = order.options.iter().cloned().map(Text::into_os_string).collect();
    // The typed options may require --journal or --resume. Both are the head's business, so they are given
    // here only to satisfy the parser.
    let typed = ["--on=local", "--journal=.", "--resume"].map(OsString::from).to_vec();
    let mut args = args::parse_run(options, typed, &NegatedOptions::default())?;
    args.outputs.output = OutputMode::None;
    if order.manner == Manner::OneByOne {
        args.schedule.limit = Limit::new(1)?;
    }
    Ok(SliceOrder {
        folder,
        order,
        index,
        pieces,
        args,
        falls_short: Arc::default(),
    })
}

/// Takes the round for the array of this element, if no other array has taken it. Only one array may run a
/// round.
fn take_round(folder: &Folder, round: &str) -> anyhow::Result<()> {
    let Some(ElementOf { array, .. }) = engines::allocation().and_then(|(_, own)| own.element) else {
        return Ok(());
    };
    let path = folder.array(round);
    let taker = round_owner::take(&path, &array).with_context(|| format!("can't write {path:?}"))?;
    if taker != array {
        bail!("round {round} is not for array {array}: {taker} has taken it");
    }
    Ok(())
}

/// The GPUs that the cluster has allocated to this element.
fn gpus(limit: Limit) -> Gpus {
    let devices = engines::allocation().map(|(_, own)| own.gpus).unwrap_or_default();
    Gpus::new(devices, limit.get())
}

/// Tells the slice when its time is over. The engine may have to be asked and may not answer, so nothing
/// waits for that.
fn learn_end(workload: Arc<Workload>) -> anyhow::Result<()> {
    let Some((engine, own)) = engines::allocation() else { return Ok(()) };
    if let Some(ends) = own.ends {
        // Set before any job is given out.
        workload.ends_at(ends.checked_sub(engine.warning()).unwrap_or(ends));
        return Ok(());
    }
    let ask = move || {
        if let Ok(Some(ends)) = engine.end_of(&own) {
            workload.ends_at(ends.checked_sub(engine.warning()).unwrap_or(ends));
        }
    };
    threads::start("procpool-end", ask).context("can't start a thread that asks for the end of its time")?;
    Ok(())
}

fn index_from_environment() -> anyhow::Result<u32> {
    let element = engines::allocation().and_then(|(_, own)| own.element);
    let element =
        element.context("--index-from-env: this runs in no element of an array job; give --index N")?;
    Ok(element.index)
}

impl Plan {
    /// The plan for a slice.
    ///
    /// # Errors
    /// If its files can't be used.
    pub(crate) fn of_slice(slice: SliceOrder, guard: Option<&Guard>) -> anyhow::Result<Plan> {
        let SliceOrder { folder, order, index, pieces, args, falls_short } = slice;
        machine::renice(args.environment.nice)?;
        let heartbeat = Heartbeat::default();
        let mut place = SliceInstance::take(&folder, &order, index)?;
        let rest = PriorAttempts {
            before: place.read_before(&order)?,
            retries: schedule::retries(&args.schedule),
            falls_short,
        };
        let terms = terms::terms(&args.environment, &args.schedule)?;
        let at_most = usize::try_from(order.jobs).ok();
        let wanted = Wanted::new(args.schedule.limit, at_most, records::of_a_journal());
        let (limit, local) = machine::make_room(wanted, LocalProcess::new().grace(args.jobs.grace));
        let workload = Arc::new(Workload::new(limit.get()));
        learn_end(Arc::clone(&workload))?;
        let trouble = ListFailure::default();
        let node = place.own_node(&order, args.cluster.bad_node.into());
        let listing = listing(&folder, &order, terms.defaults())?;
        let share = place.share(&order, pieces, listing, Arc::clone(&node))?;
        let share = SlicePieces { seed: schedule::seed(&args.schedule), ..share };
        let share = share.over(rest, Arc::clone(&workload), Arc::clone(&trouble));
        let input = Input::checked(Box::new(share) as Jobs);
        let local = spooling::spooling(local, Capture::Spool)?;
        let leaks = leaks(&args.jobs);
        let durability = if args.journal.durable { Durability::PowerCut } else { Durability::Process };
        let pool = format!("{}.{}", order.run, place.name);
        let orphans = guard.map(|guard| Arc::clone(&guard.orphans));
        let launcher = Launcher::new(local, order.run.clone(), args.jobs.on_leak.into(), orphans)
            .call(pool.clone())
            .signals(Signals::ToAll)
            .gpus(gpus(limit))
            .capture(Capture::Spool);
        let processes = launcher.processes();
        let live = LiveOutputs::show(folder.clone(), place.name.clone(), processes.clone());
        let records = PreparedRecords {
            folder: folder.clone(),
            files: folder.files_of(&place.name),
            running: place.running,
            begin: place.begin,
            pool,
            leaks,
            durability,
            trouble,
        };
        let grace = args.jobs.grace;
        let begin = move || {
            let (recorder, sink) = records.begin()?;
            if order.manner == Manner::OneByOne {
                let recorder = Arc::clone(&recorder);
                workload.call_between(move || recorder.settle());
            }
            let noted = NotingRunner { inner: launcher.record(Some(recorder)), workload, node };
            // Positions may go back: pieces may overlap if their jobs were tried a different number of times,
            // and the jobs of a piece may be shuffled.
            let pool = Pool::with_runner(limit, noted).in_any_order();
            let pool = schedule::schedule(&own_share(args.schedule, order.jobs), pool);
            let start = start(pool, HaltFile::new(folder, order.tag()));
            Ok(Begun { start, sinks: vec![Box::new(sink)] })
        };
        Ok(Plan {
            input,
            begin: Box::new(begin),
            telling: silence(),
            heartbeat,
            processes,
            link: guard.map(Guard::link),
            grace,
            leave: LeaveRunning::default(),
            afterwards: Box::new(|_| drop(live)),
        })
    }
}

/// A slice reports nothing: the head of the run does.
fn silence() -> Telling {
    Telling {
        progress: Progress {
            display: ProgressMode::Nothing,
            failed: FailureCount::default(),
        },
        summary: SummaryWish::Never,
        palette: Palette::default(),
        scale: None,
    }
}

fn start(pool: Pool<NotingRunner<Launcher>>, halt: HaltFile) -> StartRun {
    Box::new(move |jobs| {
        machine::check_room(records::of_a_journal())?;
        let run = pool.run(jobs)?;
        halt_file::obey(halt, run.handle()).context("can't start a thread that hears of halts")?;
        Ok(run)
    })
}

/// Adapts options that refer to the whole run. A percentage of all jobs is not that percentage of a slice's
/// jobs, so it becomes a number of jobs: if a slice reaches that number, so has the whole run. Jobs are
/// already shuffled when the pool gets them.
fn own_share(mut args: ScheduleArgs, jobs: u64) -> ScheduleArgs {
    args.shuffle = false;
    if let Some(args::HaltChoice::By(rule)) = &mut args.halt {
        if let HaltQuantity::Percent(percent) = rule.quantity {
            let number = (u128::from(jobs) * u128::from(percent)).div_ceil(100);
            rule.quantity = HaltQuantity::Number(u64::try_from(number).unwrap_or(u64::MAX));
        }
    }
    args
}

/// The list that contains the slice's jobs.
fn listing(folder: &Folder, order: &Order, defaults: Defaults) -> anyhow::Result<Arc<ListFile>> {
    let list = folder.list(order.list);
    let unreadable = format!("can't read {list:?}");
    let codec = JobCodec {
        here: order.written_in.as_ref().unwrap_or(&order.directory).clone().into_os_string().into(),
        defaults,
        values: Keep::Nothing,
        inputs: Inputs::new(folder.inputs(order.list)),
    };
    ListFile::over(list, codec, order.length, Durability::Process).context(unreadable)
}
