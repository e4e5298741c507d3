//! The records of a run other than its journal: opens them, counts their descriptors, and refuses options
//! that exclude them.

use std::env;
use std::fs::File;
use std::path::Path;

use anyhow::{Context, bail};
use procpool_core::{Command, Limit};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::stdio;

use crate::args::{EngineChoice, EventTarget, JournalArgs, OutputArgs, OutputMode, RecordArgs, RunArgs};
use crate::os::closed::StandardStream;
use crate::os::descriptors::{JOURNAL, RECORD, SPARE};
use crate::os::sys;
use crate::output::line_follower::KeepOutput;
use crate::plan::claimed_files::ClaimedFiles;
use crate::plan::machine::Beside;
use crate::plan::outputs::{News, Outputs};
use crate::record::events::{Beginning, Events};
use crate::record::file::{ReaderGone, RecordFile};
use crate::record::joblog::Joblog;
use crate::record::junit::Junit;
use crate::record::results::Results;
use crate::run::sink::Sink;
use crate::shell::quote::{QuoteStyle, command_line};
use crate::terminal::heartbeat::Heartbeat;

/// The run that is recorded.
pub(super) struct RunDescription<'a> {
    /// The run's name.
    pub(super) run: &'a str,
    pub(super) limit: Limit,
    /// The folder of its journal, if it has one.
    pub(super) journal: Option<&'a Path>,
}

/// Opens all records, and truncates none: that is done when the run begins.
///
/// # Errors
/// If one can't be written, or its file is in `taken`.
pub(super) fn sinks(
    args: RecordArgs,
    of: &RunDescription<'_>,
    heartbeat: &Heartbeat,
    mut taken: ClaimedFiles,
) -> anyhow::Result<Vec<Box<dyn Sink>>> {
    let RecordArgs { results: directory, joblog, junit, events } = args;
    // First, because other records may be in a folder that this creates.
    let results = directory.as_ref().map(|path| Results::open(path, of.run, heartbeat)).transpose()?;
    let joblog = joblog.map(|path| open_file("--joblog", &path, heartbeat, &mut taken)).transpose()?;
    let events = events.map(|target| open_events(&target, heartbeat, &mut taken)).transpose()?;
    let junit = junit.map(|path| open_junit(&path, heartbeat, &mut taken)).transpose()?;
    of.journal.map_or(Ok(()), |journal| taken.refuse_in_journal(journal, directory.as_deref()))?;
    directory.map_or(Ok(()), |path| taken.refuse_within(&path))?;
    let mut sinks: Vec<Box<dyn Sink>> = Vec::new();
    sinks.extend(results.map(|results| Box::new(results) as Box<dyn Sink>));
    sinks.extend(junit.map(|junit| Box::new(junit) as Box<dyn Sink>));
    sinks.extend(joblog.map(|file| Box::new(Joblog::new(file)) as Box<dyn Sink>));
    // After all others, so that a reader of an end event finds the job recorded.
    sinks.extend(events.map(|file| Box::new(Events::new(file, beginning(of))) as Box<dyn Sink>));
    Ok(sinks)
}

/// # Errors
/// If outputs are to be recorded that bypass procpool.
pub(super) fn refuse_raw(args: &RunArgs) -> anyhow::Result<()> {
    let RunArgs { records, journal, cluster, outputs, .. } = args;
    let on = cluster.on.map(EngineChoice::flag).unwrap_or_default();
    let given = [
        (records.results.is_some(), "--results"),
        (records.events.is_some(), "--events"),
        (journal.journal.is_some(), "--journal"),
        (cluster.cluster().is_some(), on.as_str()),
    ];
    for (is_given, flag) in given {
        if is_given && outputs.output == OutputMode::Raw {
            bail!(
                "{flag} and --output raw: raw output goes past procpool, which can't record it; try --output lines"
            );
        }
    }
    Ok(())
}

/// # Errors
/// If --detach is given with an option that needs the run's end, or for a run on this machine.
pub(super) fn refuse_detached(args: &RunArgs) -> anyhow::Result<()> {
    let RunArgs { records, cluster, .. } = args;
    if !cluster.detach {
        return Ok(());
    }
    if cluster.cluster().is_none() {
        bail!(
            "--detach: jobs that run on this machine can't be left; it goes with {}",
            EngineChoice::Slurm.flag()
        );
    }
    let given = [
        (records.joblog.is_some(), "--joblog"),
        (records.junit.is_some(), "--junit"),
        (records.events.is_some(), "--events"),
        (records.results.is_some(), "--results"),
    ];
    match given.into_iter().find(|(is_given, _)| *is_given) {
        Some((_, flag)) => {
            bail!("{flag} and --detach: nobody is there to write it; give {flag} to `procpool resume`")
        }
        None => Ok(()),
    }
}

/// Descriptors for all that is recorded.
pub(super) fn descriptors(args: &RecordArgs, journal: &JournalArgs) -> Beside {
    let RecordArgs { results, joblog, junit, events } = args;
    let files =
        [joblog.is_some(), junit.is_some(), events.is_some()].into_iter().filter(|is_wanted| *is_wanted);
    let of_files = RECORD * files.count() as u64;
    let of_results =
        results.as_ref().map_or(Beside::default(), |_| Beside { records: RECORD + SPARE, spare: SPARE });
    let of_journal = journal.journal.as_ref().map_or(Beside::default(), |_| of_a_journal());
    // Results and the journal open these one after the other, never at the same time.
    Beside {
        records: of_files + of_results.records + of_journal.records,
        spare: of_results.spare.max(of_journal.spare),
    }
}

/// Descriptors for a journal alone.
pub(super) fn of_a_journal() -> Beside {
    Beside { records: JOURNAL + SPARE, spare: SPARE }
}

/// Whether the sinks need results that only the journal has: other records may lack them, and if nothing is
/// printed, such jobs must still be marked as delivered.
pub(super) fn need_replay(args: &RecordArgs, outputs: &OutputArgs) -> bool {
    let RecordArgs { results, joblog, junit, events } = args;
    let is_printed = outputs.output != OutputMode::None;
    results.is_some() || joblog.is_some() || junit.is_some() || events.is_some() || !is_printed
}

/// Whether the whole output is needed when its job ends, even if it has been printed.
pub(super) fn keep_output(args: &RecordArgs, journal: &JournalArgs) -> KeepOutput {
    let records = args.results.is_some() || args.junit.is_some() || args.events.is_some();
    let wants_outputs = records || journal.journal.is_some();
    if wants_outputs { KeepOutput::Kept } else { KeepOutput::Forgotten }
}

/// Adds jobs' outputs to the events, as they are written. If events go to standard output, nothing else is
/// printed.
pub(super) fn route_to_events(args: &RecordArgs, outputs: Outputs) -> Outputs {
    let outputs = match args.events {
        Some(EventTarget::StandardOutput) => Outputs { printer: None, labels: None, ..outputs },
        _ => outputs,
    };
    Outputs {
        news: if args.events.is_some() { News::Wanted } else { outputs.news },
        ..outputs
    }
}

fn open_file(
    option: &str,
    path: &Path,
    heartbeat: &Heartbeat,
    taken: &mut ClaimedFiles,
) -> anyhow::Result<RecordFile> {
    let file = RecordFile::open(path, option, heartbeat)?;
    taken.take(format!("{option} {path:?}"), &file)?;
    Ok(file)
}

/// Called after all others are opened: a file that one of them has created may have this name.
fn open_junit(path: &Path, heartbeat: &Heartbeat, taken: &mut ClaimedFiles) -> anyhow::Result<Junit> {
    taken.take_name(format!("--junit {path:?}"), path)?;
    Junit::open(path, heartbeat)
}

fn open_events(
    target: &EventTarget,
    heartbeat: &Heartbeat,
    taken: &mut ClaimedFiles,
) -> anyhow::Result<RecordFile> {
    Ok(match target {
        EventTarget::File(path) => open_file("--events", path, heartbeat, taken)?,
        EventTarget::StandardOutput => {
            let name = "standard output";
            let open =
                StandardStream::Output.check().and_then(|()| Ok(fcntl_dupfd_cloexec(stdio::stdout(), 3)?));
            let file = open.with_context(|| format!("--events -: {name} can't be written"))?;
            RecordFile::new(name.to_owned(), File::from(file), ReaderGone::Ends, heartbeat)
        }
        EventTarget::Descriptor(number) => {
            let name = format!("descriptor {number}");
            let file = sys::inherited_for_writing(*number).with_context(|| {
                format!("--events fd:{number}: that descriptor can't be written; open it, as with `{number}> FILE`")
            })?;
            taken.take(format!("--events fd:{number}"), &file)?;
            RecordFile::new(name, File::from(file), ReaderGone::Fails, heartbeat)
        }
    })
}

/// The first event. Its command is procpool's own command line.
fn beginning(of: &RunDescription<'_>) -> Beginning {
    let mut words = env::args_os();
    let program = words.next().unwrap_or_default();
    let command = Command::new(program).args(words);
    Beginning {
        run: of.run.to_owned(),
        limit: of.limit,
        command: command_line(&command, QuoteStyle::Line).to_string_lossy().into_owned(),
    }
}
