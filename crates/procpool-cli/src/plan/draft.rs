//! The decisions that local runs and cluster runs have in common, step by step: input and journal, outputs,
//! messages, room, records. When the draft is done, all user errors are known, and nothing has begun.

use std::path::Path;
use std::sync::Arc;

use procpool_core::{Capture, Limit, LocalProcess};
use procpool_journal::format::codec::Keep;
use procpool_journal::read::history::PastRound;

use crate::args::{
    ClusterArgs, InputArgs, JobArgs, JournalArgs, OutputArgs, RecordArgs, RunArgs, RunRequest, RunSource,
    ScheduleArgs,
};
use crate::input::Input;
use crate::job::terms::Terms;
use crate::journal::resume_state::ResumeState;
use crate::journal::session::{PreparedSession, Session};
use crate::journal::sink::{JournalSink, MarkDelivered};
use crate::plan::claimed_files::ClaimedFiles;
use crate::plan::machine::{Beside, Wanted};
use crate::plan::outputs::{Outputs, RecordedPrinting};
use crate::plan::preparation::{JournalSetup, Journaling};
use crate::plan::recorded_by::RecordedBy;
use crate::plan::{engines, inputs, journal, leaks, outputs, records, spooling, telling, terms};
use crate::run::Telling;
use crate::run::sink::{Sink, Starts};
use crate::terminal::heartbeat::Heartbeat;

/// The decisions so far, and the options that are needed to start the jobs.
pub(super) struct Draft {
    pub(super) run: String,
    pub(super) input: Input,
    pub(super) journal: Option<Journaled>,
    pub(super) outputs: Outputs,
    pub(super) sinks: Sinks,
    pub(super) telling: Telling,
    pub(super) heartbeat: Heartbeat,
    pub(super) room: MachineRoom,
    pub(super) starts: Starts,
    pub(super) schedule: ScheduleArgs,
    pub(super) jobs: JobArgs,
    pub(super) cluster: ClusterArgs,
    pub(super) options: Vec<std::ffi::OsString>,
}

/// A journal that is ready to begin, and which jobs of its list are to be run.
pub(super) struct Journaled {
    pub(super) session: PreparedSession,
    pub(super) resume_state: ResumeState,
}

/// What this machine provides for the run.
pub(super) struct MachineRoom {
    pub(super) limit: Limit,
    pub(super) local: LocalProcess,
    /// Descriptors for other purposes than jobs.
    pub(super) beside: Beside,
}

/// Makes room for a run whose jobs run on this machine; otherwise it changes nothing.
pub(super) type MakeRoom = fn(Wanted, LocalProcess) -> (Limit, LocalProcess);

/// # Errors
/// If the options are invalid, or a file that they name.
pub(super) fn draft(
    RunRequest { args, options, source }: RunRequest,
    run: String,
    make_room: MakeRoom,
) -> anyhow::Result<Draft> {
    let RunArgs {
        schedule,
        outputs,
        telling,
        inputs,
        jobs,
        environment,
        records,
        journal,
        cluster,
    } = args;
    let heartbeat = Heartbeat::default();
    let taken = ClaimedFiles::new(inputs::files(&inputs));
    let terms = terms::terms(&environment, &schedule)?;
    let kept = records::keep_output(&records, &journal);
    let recorded = Listing {
        run: &run,
        outputs: &outputs,
        records: &records,
        schedule: &schedule,
        jobs: &jobs,
        cluster: &cluster,
        options: &options,
        source,
    };
    let (input, recorded) = match &journal.journal {
        None => (unrecorded(inputs, terms, &records)?, None),
        Some(directory) => {
            let (input, journaled, printing) = recorded.open(directory, &journal, inputs, terms)?;
            (input, Some((journaled, printing)))
        }
    };
    let (journaled, printing) = recorded.unzip();
    let outputs = outputs::outputs(&outputs, input.names.as_ref(), kept, &heartbeat, printing)?;
    let outputs = records::route_to_events(&records, outputs);
    let telling = telling::telling(&telling, outputs.capture, &cluster);
    let starts = if records.events.is_some() { Starts::Told } else { Starts::Silent };
    let local = spooling::spooling(LocalProcess::new().grace(jobs.grace), outputs.capture)?;
    let beside = records::descriptors(&records, &journal);
    let wanted = Wanted::new(schedule.limit, input.jobs.size_hint().1, beside);
    let (limit, local) = make_room(wanted, local);
    let of = records::RunDescription { run: &run, limit, journal: journal.journal.as_deref() };
    let records = records::sinks(records, &of, &heartbeat, taken)?;
    let failures = telling::failures(&telling);
    Ok(Draft {
        run,
        input,
        journal: journaled,
        outputs,
        sinks: Sinks { records, failures },
        telling,
        heartbeat,
        room: MachineRoom { limit, local, beside },
        starts,
        schedule,
        jobs,
        cluster,
        options,
    })
}

/// The input of a run that has no journal.
fn unrecorded(inputs: InputArgs, terms: Terms, records: &RecordArgs) -> anyhow::Result<Input> {
    let input = inputs::input(inputs, terms)?;
    Ok(if records.results.is_some() { input.with_distinct_keys() } else { input })
}

/// Everything that determines a run's list in a journal.
struct Listing<'a> {
    run: &'a str,
    outputs: &'a OutputArgs,
    records: &'a RecordArgs,
    schedule: &'a ScheduleArgs,
    jobs: &'a JobArgs,
    cluster: &'a ClusterArgs,
    options: &'a [std::ffi::OsString],
    source: RunSource,
}

impl Listing<'_> {
    /// Opens the journal in `directory`. Returns the jobs of its list that are the input, and what is printed
    /// of them.
    fn open(
        &self,
        directory: &Path,
        args: &JournalArgs,
        inputs: InputArgs,
        terms: Terms,
    ) -> anyhow::Result<(Input, Journaled, RecordedPrinting)> {
        let is_live = |round: &PastRound| engines::may_be_live(self.cluster, round);
        let recording = match self.cluster.cluster() {
            None => RecordedBy::Here,
            Some(_) => RecordedBy::Elsewhere { retries: self.schedule.retries, is_live: &is_live },
        };
        let setup = JournalSetup {
            run: self.run,
            limit: self.schedule.limit.get(),
            defaults: terms.defaults(),
            keep: if self.outputs.tag_with.is_some() { Keep::Values } else { Keep::Nothing },
            leaks: leaks(self.jobs),
            recording,
            options: self.options,
            source: self.source,
        };
        let Journaling { mut input, session, prints, replay, resume_state } =
            journal::journal(directory, args, || inputs::input(inputs, terms), setup)?;
        engines::refuse_unseen(self.cluster, &resume_state)?;
        if let Some(replay) = replay.as_ref().filter(|_| records::need_replay(self.records, self.outputs)) {
            let keeper = spooling::spooling(LocalProcess::new(), Capture::Spool)?;
            input.recorded = replay.completions(|output| keeper.keep(output))?;
        }
        let account = Arc::clone(&session.printed);
        Ok((input, Journaled { session, resume_state }, RecordedPrinting { account, prints, replay }))
    }
}

/// The sinks of a run, except for its journal and its printer.
pub(super) struct Sinks {
    records: Vec<Box<dyn Sink>>,
    failures: Option<Box<dyn Sink>>,
}

impl Sinks {
    /// All sinks, in the order in which they receive a completion: the journal, then records, then the
    /// printer. Without a printer, a sink takes its place that marks each job as delivered.
    pub(super) fn in_order(
        self,
        session: Option<&Arc<Session>>,
        printer: Option<Box<dyn Sink>>,
    ) -> Vec<Box<dyn Sink>> {
        let told = session
            .filter(|_| printer.is_none())
            .map(|session| Box::new(MarkDelivered(Arc::clone(session))) as _);
        let journal = session.map(|session| Box::new(JournalSink::new(Arc::clone(session))) as Box<dyn Sink>);
        journal.into_iter().chain(self.records).chain(printer.or(told)).chain(self.failures).collect()
    }
}
