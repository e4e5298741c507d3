//! The run of one slice: an ordinary pool over a part of somebody else's list, with records of its own.
//! Knows nothing of what becomes of the whole.

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use anyhow::{Context, bail};
use procpool_cluster::ElementOf;
use procpool_core::{Capture, HaltQuantity, Limit, LocalProcess, Outcome, Pool, Retries};

use crate::args::{self, OutputMode, RunArgs, ScheduleArgs, SliceArgs, TakenBack};
use crate::cluster::gpus::Gpus;
use crate::cluster::halting::{self, HaltFile};
use crate::cluster::order::{self, Order, Parts};
use crate::cluster::taking;
use crate::colour::Palette;
use crate::exit::ExitStatus;
use crate::guard::{Guard, Leftovers};
use crate::input::{Input, Jobs};
use crate::journal::entry::Entry;
use crate::journal::folder::{Folder, Purpose};
use crate::journal::held::Held;
use crate::journal::leftovers;
use crate::journal::list::{Inputs, Keep, Ledger};
use crate::journal::listing::Listing;
use crate::journal::live::{self, LiveOutputs};
use crate::journal::record::SliceBegin;
use crate::journal::recorder::Recorder;
use crate::journal::running::{self, Holder, Running};
use crate::journal::scan::{Found, Scanner};
use crate::journal::session::leave_nothing;
use crate::journal::stored_jobs::{StoredJobs, Trouble};
use crate::journal::text::Text;
use crate::journal::whereabouts::Whereabouts;
use crate::journal::writer::Durability;
use crate::launch::{Launcher, Signals};
use crate::leave::Leave;
use crate::machine::{self, Wanted};
use crate::plan::{Plan, cluster, leaks, records, schedule, spooling, terms};
use crate::progress::{Display, Failed, Progress};
use crate::pulse::Pulse;
use crate::run::{Start, Telling};
use crate::signals::Ending;
use crate::sink::report::{Kind, time};
use crate::sink::slice::{Records, SliceRecords};
use crate::summary::SummaryWish;

/// What a slice is to do, as its folder says.
pub(crate) struct SliceOrder {
    folder: Folder,
    order: Order,
    parts: Parts,
    args: RunArgs,
    /// Whether a job of it has failed for good where it was begun before.
    failed_before: Arc<AtomicBool>,
}

impl SliceOrder {
    /// Whether there is to be a keeper.
    pub(crate) fn guarding(&self) -> Option<Leftovers> {
        self.args.jobs.guarding()
    }

    /// What its exit status is to say.
    pub(crate) fn exit(&self) -> SliceExit {
        let failed_before = Arc::clone(&self.failed_before);
        if self.args.cluster.slice_exit { SliceExit::OfJobs { failed_before } } else { SliceExit::OfItself }
    }
}

/// What the exit status of a slice says.
pub(crate) enum SliceExit {
    /// Whether it has done its part.
    OfItself,
    /// Whether jobs of it have failed, here or where it was begun before.
    OfJobs { failed_before: Arc<AtomicBool> },
}

impl SliceExit {
    /// How it exits, by how its own run ended.
    pub(crate) fn of(&self, status: ExitStatus) -> ExitStatus {
        match (self, status) {
            (SliceExit::OfItself, ExitStatus::JobsFailed) => ExitStatus::Success,
            (SliceExit::OfJobs { failed_before }, ExitStatus::Success)
                if failed_before.load(Ordering::Acquire) =>
            {
                ExitStatus::JobsFailed
            }
            (_, status) => status,
        }
    }
}

/// Reads what a slice is to do, and goes where its run was started.
///
/// # Errors
/// Where that can't be read, or makes no sense.
pub(crate) fn order(args: &SliceArgs) -> anyhow::Result<SliceOrder> {
    let shown = || format!("{:?}", args.directory);
    let folder = Folder::open(&args.directory, Purpose::Running).with_context(shown)?;
    let folder = folder.with_context(|| format!("{}: there is no such folder", shown()))?;
    folder.wait_for_ends_of_outages();
    let index = match args.index {
        Some(index) => index,
        None => index_from_environment()?,
    };
    let mut found = None;
    let order = order::read(&folder, &args.round, |parts| {
        let is_wanted = parts.slice == index;
        if is_wanted {
            found = Some(parts);
        }
        !is_wanted
    })?;
    take_round(&folder, &args.round)?;
    let parts = found.with_context(|| format!("round {} has no slice {index}", args.round))?;
    let directory = order.directory.clone().into_os_string();
    env::set_current_dir(&directory).with_context(|| {
        format!("the run was started in {directory:?}, which can't be entered on this machine")
    })?;
    let options: Vec<OsString> = order.options.iter().cloned().map(Text::into_os_string).collect();
    // What was typed may want a journal, and a resume; whatever is said of them is the head's.
    let typed = ["--on=local", "--journal=.", "--resume"].map(OsString::from).to_vec();
    let mut args = args::parse_run(options, typed, &TakenBack::default())?;
    args.outputs.output = OutputMode::None;
    Ok(SliceOrder { folder, order, parts, args, failed_before: Arc::default() })
}

/// A round belongs to one array, that of the element that comes first.
fn take_round(folder: &Folder, round: &str) -> anyhow::Result<()> {
    let Some(ElementOf { array, .. }) = cluster::allocation().and_then(|(_, own)| own.element) else {
        return Ok(());
    };
    let path = folder.array(round);
    let taker = taking::take(&path, &array).with_context(|| format!("can't write {path:?}"))?;
    if taker != array {
        bail!("round {round} is not for array {array}: {taker} has taken it");
    }
    Ok(())
}

/// What the cluster calls this machine; where it doesn't say so, what the machine calls itself.
fn node() -> String {
    let told = cluster::allocation().and_then(|(_, own)| own.node);
    told.unwrap_or_else(|| Whereabouts::own().host)
}

/// What the cluster has given this element of them.
fn gpus(limit: Limit) -> Gpus {
    let devices = cluster::allocation().map(|(_, own)| own.gpus).unwrap_or_default();
    Gpus::new(devices, limit.get())
}

fn index_from_environment() -> anyhow::Result<u32> {
    let element = cluster::allocation().and_then(|(_, own)| own.element);
    let element =
        element.context("--index-from-env: this runs in no element of an array job; give --index N")?;
    Ok(element.index)
}

impl Plan {
    /// The plan for a slice.
    ///
    /// # Errors
    /// Where its files can't be used.
    pub(crate) fn of_slice(slice: SliceOrder, guard: Option<&Guard>) -> anyhow::Result<Plan> {
        let SliceOrder { folder, order, parts, args, failed_before } = slice;
        machine::renice(args.environment.nice)?;
        let pulse = Pulse::default();
        let mut place = Place::take(&folder, &order, &parts)?;
        let retries = schedule::retries(&args.schedule);
        let before = place.read_before(&order)?;
        let terms = terms::terms(&args.environment, &args.schedule)?;
        let (jobs, trouble) = jobs(&folder, &order, &parts, terms)?;
        let rest = Rest { before, retries, failed_before };
        let input = Input::checked(Box::new(jobs.filter(move |job| !rest.has_ended(job))) as Jobs);
        let at_most = usize::try_from(parts.positions().count()).ok();
        let wanted = Wanted::new(args.schedule.limit, at_most, records::of_a_journal());
        let (limit, local) = machine::make_room(wanted, LocalProcess::new().grace(args.jobs.grace));
        let local = spooling::spooling(local, Capture::Spool)?;
        let leaks = leaks(&args.jobs);
        let durability = if args.journal.durable { Durability::PowerCut } else { Durability::Process };
        let held = Held::new(Ending::of_this_process());
        let recorder = Recorder::new(order.generation, place.running).on(place.begin.node.as_deref());
        let recorder = Arc::new(recorder.of_slice(held, folder.clone()));
        let pool = format!("{}.{}", order.run, place.name);
        let records = Records {
            recorder: Arc::clone(&recorder),
            files: folder.files_of(&place.name),
            begin: place.begin,
            pool: pool.clone(),
            leaks,
            durability,
            trouble,
        };
        let orphans = guard.map(|guard| Arc::clone(&guard.orphans));
        let launcher = Launcher::new(local, order.run.clone(), args.jobs.on_leak(), orphans)
            .call(pool.clone())
            .signals(Signals::ToAll)
            .gpus(gpus(limit))
            .record(Some(recorder))
            .capture(Capture::Spool);
        let processes = launcher.processes();
        let live = LiveOutputs::show(folder.clone(), place.name, processes.clone());
        let pool =
            schedule::schedule(&own_share(args.schedule, order.jobs), Pool::with_runner(limit, launcher));
        Ok(Plan {
            start: start(pool, HaltFile::new(folder, order.tag())),
            input,
            sinks: vec![Box::new(SliceRecords::new(records))],
            telling: silence(),
            pulse,
            processes,
            link: guard.map(Guard::link),
            grace: args.jobs.grace,
            leave: Leave::default(),
            afterwards: Box::new(|_| drop(live)),
        })
    }
}

/// Whoever watches the whole run tells of it.
fn silence() -> Telling {
    Telling {
        progress: Progress { display: Display::Nothing, failed: Failed::default() },
        summary: SummaryWish::Never,
        palette: Palette::default(),
        scale: None,
    }
}

fn start(pool: Pool<Launcher>, halt: HaltFile) -> Start {
    Box::new(move |jobs| {
        machine::check_room(records::of_a_journal())?;
        let run = pool.run(jobs)?;
        halting::obey(halt, run.handle()).context("can't start a thread that hears of halts")?;
        Ok(run)
    })
}

/// A share of all jobs is no share of a slice's, but a number of them is one: where that is reached here, the whole run has
/// reached it.
fn own_share(mut args: ScheduleArgs, jobs: u64) -> ScheduleArgs {
    if let Some(args::Halting::By(rule)) = &mut args.halt {
        if let HaltQuantity::Percent(percent) = rule.quantity {
            let number = (u128::from(jobs) * u128::from(percent)).div_ceil(100);
            rule.quantity = HaltQuantity::Number(u64::try_from(number).unwrap_or(u64::MAX));
        }
    }
    args
}

/// The jobs of these parts of the list, and where it is told that they can't be read.
fn jobs(
    folder: &Folder,
    order: &Order,
    parts: &Parts,
    terms: crate::terms::Terms,
) -> anyhow::Result<(StoredJobs, Trouble)> {
    let list = folder.list(order.list);
    let unreadable = format!("can't read {list:?}");
    let ledger = Ledger {
        here: order.written_in.as_ref().unwrap_or(&order.directory).clone().into_os_string().into(),
        terms,
        values: Keep::Nothing,
        inputs: Inputs::new(folder.inputs(order.list)),
    };
    let listing = Listing::over(list, ledger, order.length, Durability::Process).context(unreadable)?;
    let jobs = StoredJobs::new(listing, Some(Arc::new(parts.positions())), None).with_marks(parts.marks());
    let trouble: Arc<OnceLock<anyhow::Error>> = Arc::clone(&jobs.trouble);
    Ok((jobs, trouble))
}

/// The place of this process among those that have been given the slice: each writes files of its own.
struct Place {
    folder: Folder,
    name: String,
    begin: SliceBegin,
    running: Running,
}

impl Place {
    fn take(folder: &Folder, order: &Order, parts: &Parts) -> anyhow::Result<Place> {
        let name = |instance: u32| format!("{}-{:04}-{instance}", order.tag(), parts.slice);
        for instance in 1.. {
            let path = folder.running_of(&name(instance));
            let made = Running::make(&path).with_context(|| format!("can't write {path:?}"))?;
            let Some(running) = made else { continue };
            let begin = SliceBegin {
                generation: order.generation,
                round: order.round,
                slice: parts.slice,
                instance,
                pid: process::id(),
                host: Whereabouts::own().host,
                node: Some(node()),
                started: time(SystemTime::now()),
            };
            return Ok(Place { folder: folder.clone(), name: name(instance), begin, running });
        }
        bail!("slice {} was begun too often", parts.slice)
    }

    /// What those before it have recorded.
    fn read_before(&mut self, order: &Order) -> anyhow::Result<HashMap<u64, (u32, Outcome)>> {
        let mut ended = HashMap::new();
        if self.begin.instance > 1 && !order.goes_on {
            bail!("it was begun before, and nothing is to be started twice");
        }
        for instance in 1..self.begin.instance {
            let name = format!("{}-{:04}-{instance}", order.tag(), self.begin.slice);
            let before = self.folder.running_of(&name).open().ok().and_then(|file| running::read(&file));
            // Who was killed just now has written all that he will when he is gone.
            let _ = before.as_ref().map(|(holder, _)| leftovers::is_gone_soon(holder));
            let path = self.folder.files_of(&name).journal;
            // Nobody takes that away who was killed.
            live::forget(&self.folder, &format!("{name}."));
            // Who was gone before his first record has none.
            let mut scanner = path.open().ok().map(Scanner::new);
            while let Some(Found::Line { body, .. }) = scanner
                .as_mut()
                .map(Scanner::next)
                .transpose()
                .with_context(|| format!("can't read {path:?}"))?
            {
                if let Some(entry) = Entry::parse(body).filter(|entry| entry.outcome != Kind::Stopped) {
                    ended.insert(entry.seq, (entry.attempt, entry.outcome()));
                }
            }
            if let Some((holder, mut table)) = before {
                let has_ended = |entry: &running::Entry| {
                    ended.get(&entry.seq).is_some_and(|(last, _)| *last >= entry.attempt)
                };
                table.retain(|entry| !has_ended(entry));
                leave_nothing(&holder, &table)?;
            }
        }
        Ok(ended)
    }
}

/// What is left of a slice that was begun before.
struct Rest {
    /// By position: the last attempt, and what came of it.
    before: HashMap<u64, (u32, Outcome)>,
    retries: Retries,
    failed_before: Arc<AtomicBool>,
}

impl Rest {
    fn has_ended(&self, job: &procpool_core::Job<crate::work::Work>) -> bool {
        let before = job.position.and_then(|position| self.before.get(&position));
        let Some((attempt, outcome)) = before else { return false };
        let has_ended = !self.retries.follow(*attempt, job.retries, outcome);
        if has_ended && !outcome.is_success() {
            self.failed_before.store(true, Ordering::Release);
        }
        has_ended
    }
}

impl Records {
    /// Who holds the files of a slice.
    pub(crate) fn holder(&self) -> Holder {
        let SliceBegin { pid, generation, .. } = self.begin;
        Holder {
            pid,
            whereabouts: Whereabouts::own(),
            run: self.pool.clone(),
            generation,
            record_at: 0,
            ticks: running::Entry::now(pid, 0, 0).ticks,
            leaks: self.leaks,
            node: self.begin.node.clone(),
        }
    }
}
