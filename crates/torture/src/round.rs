//! One round: starts procpool, sends the signals, and checks what is left.

use std::env;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use rustix::process::{Pid, Resource, getrlimit, setrlimit};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag;

use crate::attack::{TargetedSignal, names};
use crate::census::{self, Descendants};
use crate::ending::{self, End, Promise};
use crate::folder::{Procpool, RoundFolder};
use crate::job::Job;
use crate::judge::{self, Block, Excuse, Reach};
use crate::place::{NamespaceInit, Place, Realm};
use crate::plan::Plan;
use crate::report::RoundReport;
use crate::send::{SentAttack, send};
use crate::target::Member;

/// The longest that a descendant may outlive procpool.
const LIMIT: Duration = Duration::from_secs(1);

/// The longest that a run may take without a KILL: jobs that time out one after the other on a busy
/// machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// Plays the round of this seed. Nothing else may run in this process, because it adopts and reaps every
/// orphan.
pub(crate) fn run(seed: u64, procpool: &Path, realm: Realm) -> Result<RoundReport> {
    prepare()?;
    let mut plan = Plan::random(seed);
    if realm == Realm::Here {
        plan.place = Place::Here;
    }
    let folder = RoundFolder::new(seed)?;
    let running = folder.start(&plan, procpool)?;
    let role = Role { procpool: &procpool.canonicalize().context("no procpool")? };
    let played = play(&plan, &folder, &running, role);
    // Whatever went wrong, no process may be left on this machine.
    census::kill_all(Duration::from_secs(10))?;
    let RoundResult { sent, end, clean_up, survivors, left_by_jobs, bystanders } = played?;

    let complaints = folder.complaints()?;
    let reached = if complaints.contains("panicked at") {
        Err(anyhow!("procpool panicked"))
    } else {
        ending::judge(end, plan.natural_status(), &sent.applied)
    };
    let (reach, wrong_end) = match reached {
        Ok(reach) => (reach, None),
        Err(error) => (Reach::Told { settled: sent.applied.settled }, Some(error.to_string())),
    };
    let output = judge::judge(&blocks(&plan), plan.order, reach, &running.output());
    let mut report = RoundReport {
        seed,
        plan: plan.to_string(),
        attack: describe(&sent.applied.signals),
        clean_up,
        survivors,
        left_by_jobs,
        bystanders,
        files: folder.temporary_files()?,
        wrong_output: output.err().map(|error| error.to_string()),
        wrong_end,
        last_words: Vec::new(),
    };
    if !report.is_good() {
        let lines: Vec<&str> = complaints.lines().collect();
        report.last_words = lines[lines.len().saturating_sub(5)..].iter().map(|&line| line.into()).collect();
    }
    Ok(report)
}

struct RoundResult {
    sent: SentAttack,
    end: End,
    /// In milliseconds.
    clean_up: Option<f64>,
    survivors: Vec<String>,
    /// How many processes started by jobs were left where no process of procpool could end them.
    left_by_jobs: usize,
    /// What happened to bystanders in the namespace.
    bystanders: Vec<String>,
}

fn play(plan: &Plan, folder: &RoundFolder, procpool: &Procpool, role: Role) -> Result<RoundResult> {
    let sent = plan.attack.as_ref().map(|attack| send(attack, procpool)).transpose()?.unwrap_or_default();
    let mut sent = sent;
    sent.applied.place = plan.place;
    let promise = sent.applied.promise();
    let is_excused = |process: Pid| {
        is_harness(process)
            || promise == Promise::Jobs && (role.was_started_by_job(process) || is_posix_only())
    };
    if let Some(killed) = sent.killed {
        // A stopped process does not end before it is continued. All others must be gone by then.
        census::wait_until_only(|process| role.is_own(process) || is_excused(process), killed + LIMIT);
    }
    let before_continued = sent.killed.map(|killed| killed.elapsed());
    let stopped = [Member::Front, Member::Keeper, Member::Pool].into_iter();
    let stopped: Vec<Member> = stopped.filter(|member| sent.applied.leaves_stopped(*member)).collect();
    for (member, trio) in stopped.iter().zip(sent.trio.iter().cycle()) {
        trio.resume(*member);
    }
    let is_over = sent.killed.filter(|_| stopped.is_empty()).unwrap_or_else(Instant::now);
    let deadline = if sent.killed.is_some() { is_over + LIMIT } else { is_over + PATIENCE };
    let end = procpool.process.wait(deadline)?;
    let is_over = sent.killed.map_or_else(Instant::now, |_| is_over);
    let state = match end {
        End::Hung => Descendants::Left,
        // wait(2) can't be used where a process may stay.
        _ if promise == Promise::Jobs || plan.place.is(NamespaceInit::Harness) => {
            census::wait_until_only(is_excused, is_over + LIMIT)
        }
        _ => census::wait_until_gone(is_over + LIMIT)?,
    };
    let clean_up = before_continued.filter(|_| !stopped.is_empty()).unwrap_or_else(|| is_over.elapsed());
    let mut found = census::descendants();
    found.extend(census::marked(&folder.marker)?);
    let (left_by_jobs, survivors): (Vec<_>, Vec<_>) = found
        .into_iter()
        .filter(|(number, _)| !plan.place.is(NamespaceInit::Harness) || !is_of(*number, &is_harness_or_gone))
        .partition(|(number, _)| is_of(*number, &is_excused));
    Ok(RoundResult {
        sent,
        end,
        clean_up: (state == Descendants::Gone).then_some(clean_up.as_secs_f64() * 1000.0),
        survivors: survivors.into_iter().map(|(_, line)| line).collect(),
        left_by_jobs: left_by_jobs.len(),
        bystanders: if plan.place.is(NamespaceInit::Harness) {
            dismiss(folder, procpool)?
        } else {
            Vec::new()
        },
    })
}

fn is_of(number: i32, these: &dyn Fn(Pid) -> bool) -> bool {
    Pid::from_raw(number).is_some_and(these)
}

/// Ends the namespace's first process, and returns what happened to its bystanders.
fn dismiss(folder: &RoundFolder, procpool: &Procpool) -> Result<Vec<String>> {
    folder.notes().ask_to_leave()?;
    let end = procpool.process.wait_for_child(Instant::now() + PATIENCE)?;
    ensure!(end == End::Exited(0), "the company {end}");
    folder.notes().hurt_bystanders()
}

/// Tells procpool's own processes from those of jobs.
#[derive(Clone, Copy)]
struct Role<'a> {
    procpool: &'a Path,
}

impl Role<'_> {
    fn is_own(self, process: Pid) -> bool {
        census::program(process).is_ok_and(|program| program == self.procpool)
    }

    /// A job is a sleeper that got its arguments in one word and leads its group. What it starts got many
    /// words, or is a fork that has not executed its program yet.
    fn was_started_by_job(self, process: Pid) -> bool {
        let is_told_in_one = || census::words(process).iter().any(|word| word == "--words");
        !(self.is_own(process) || census::leads_group(process) && is_told_in_one())
    }
}

/// Whether it belongs to the namespace's set-up: unshare(1), its first process, bystanders.
fn is_harness(process: Pid) -> bool {
    let Ok(program) = census::program(process) else { return false };
    let is_named = |name| program.file_name().is_some_and(|file| file == name);
    is_named("unshare") || is_named("sleep") || env::current_exe().is_ok_and(|own| own == program)
}

/// With POSIX alone a process can't be made to die with its parent.
fn is_posix_only() -> bool {
    env::var_os("PROCPOOL_SYS").is_some_and(|system| system == "unix")
}

/// Bystanders come and go, so one may be gone already.
fn is_harness_or_gone(process: Pid) -> bool {
    is_harness(process) || census::program(process).is_err()
}

/// Sets up signals and limits as a user's shell would leave them, wherever this runs.
pub(crate) fn prepare() -> Result<()> {
    // Children inherit what this process ignores (`nohup`, a shell's background job). A handler is reset in
    // them, and here it does what the default would.
    for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
        flag::register_conditional_default(signal, Arc::new(true.into())).context("can't catch signals")?;
    }
    // QUIT would leave a core file.
    let mut core = getrlimit(Resource::Core);
    core.current = Some(0);
    setrlimit(Resource::Core, core).context("can't limit core files")?;
    census::adopt_orphans()
}

fn blocks(plan: &Plan) -> Vec<Block> {
    let block = |job: &Job| Block {
        bytes: job.output(),
        excuse: if job.timeout.is_some() { Excuse::TimedOut } else { Excuse::None },
    };
    plan.jobs.iter().map(block).collect()
}

fn describe(signals: &[TargetedSignal]) -> String {
    if signals.is_empty() { "nothing".to_owned() } else { names(signals) }
}
