//! What is recorded of a run, and where, by what was typed.
//! Knows nothing of what is shown of it.

use std::collections::HashMap;
use std::env;
use std::fs::{self, File};
use std::path::{self, Path, PathBuf};

use anyhow::{Context, bail};
use procpool_core::{Command, Limit};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::stdio;

use crate::args::{EventTarget, OutputMode, RecordArgs};
use crate::closed::Standard;
use crate::plan::outputs::{News, Outputs};
use crate::pulse::Pulse;
use crate::quote::{Reader, command_line};
use crate::sink::Sink;
use crate::sink::events::{Beginning, Events};
use crate::sink::joblog::Joblog;
use crate::sink::junit::Junit;
use crate::sink::passage::Printed;
use crate::sink::record_file::{ReaderGone, RecordFile};
use crate::sink::results::Results;
use crate::sys;

/// Opens all that is recorded to, what is emptied by that last.
///
/// # Errors
/// Where one can't be written, or two would go to one file.
pub(super) fn sinks(
    args: RecordArgs,
    run: &str,
    limit: Limit,
    pulse: &Pulse,
) -> anyhow::Result<Vec<Box<dyn Sink>>> {
    refuse_shared_files(&args)?;
    let RecordArgs { results, joblog, junit, events } = args;
    let mut sinks: Vec<Box<dyn Sink>> = Vec::new();
    if let Some(directory) = results {
        sinks.push(Box::new(Results::open(&directory, run, pulse)?));
    }
    if let Some(path) = junit {
        sinks.push(Box::new(Junit::open(&path, pulse)?));
    }
    if let Some(path) = joblog {
        sinks.push(Box::new(Joblog::create(&path, pulse)?));
    }
    // After all others: who hears of an end finds it recorded.
    if let Some(target) = events {
        let beginning = Beginning { run: run.to_owned(), limit, command: own_command() };
        sinks.push(Box::new(Events::new(open_events(&target, pulse)?, beginning)));
    }
    Ok(sinks)
}

/// # Errors
/// Where outputs are to be recorded that procpool would never see.
pub(super) fn refuse_raw(args: &RecordArgs, mode: OutputMode) -> anyhow::Result<()> {
    for (is_given, flag) in [(args.results.is_some(), "--results"), (args.events.is_some(), "--events")] {
        if is_given && mode == OutputMode::Raw {
            bail!(
                "{flag} and --output raw: raw output goes past procpool, which can't record it; try --output lines"
            );
        }
    }
    Ok(())
}

/// Whether somebody wants the whole of an output when its job ends.
pub(super) fn printed(args: &RecordArgs) -> Printed {
    let wants_outputs = args.results.is_some() || args.junit.is_some() || args.events.is_some();
    if wants_outputs { Printed::Kept } else { Printed::Forgotten }
}

/// Jobs' outputs are among the events, as they come; where those go to standard output nothing else does.
pub(super) fn make_way(args: &RecordArgs, outputs: Outputs) -> Outputs {
    let outputs = match args.events {
        Some(EventTarget::StandardOutput) => Outputs { printer: None, labels: None, ..outputs },
        _ => outputs,
    };
    Outputs {
        news: if args.events.is_some() { News::Wanted } else { outputs.news },
        ..outputs
    }
}

/// Two records in one file would overwrite each other. A device may take several.
fn refuse_shared_files(args: &RecordArgs) -> anyhow::Result<()> {
    let events = match &args.events {
        Some(EventTarget::File(path)) => Some(path),
        _ => None,
    };
    let named = [("--joblog", args.joblog.as_ref()), ("--junit", args.junit.as_ref()), ("--events", events)];
    let mut files: HashMap<PathBuf, &str> = HashMap::new();
    for (option, path) in named {
        let Some(path) = path else { continue };
        if let Some(other) = place(path).and_then(|place| files.insert(place, option)) {
            bail!("{other} and {option} both name {path:?}; name a file for each");
        }
    }
    Ok(())
}

/// Where a file is or will be, by whatever name; `None` for what is no file, or can't be found: to open it fails
/// then.
fn place(path: &Path) -> Option<PathBuf> {
    match fs::canonicalize(path) {
        Ok(place) => place.is_file().then_some(place),
        Err(_) => Some(path::absolute(path).ok()?.parent()?.canonicalize().ok()?.join(path.file_name()?)),
    }
}

fn open_events(target: &EventTarget, pulse: &Pulse) -> anyhow::Result<RecordFile> {
    Ok(match target {
        EventTarget::File(path) => RecordFile::create(path, "--events", pulse)?,
        EventTarget::StandardOutput => {
            let name = "standard output";
            let open = Standard::Output.check().and_then(|()| Ok(fcntl_dupfd_cloexec(stdio::stdout(), 3)?));
            let file = open.with_context(|| format!("--events -: {name} can't be written"))?;
            RecordFile::new(name.to_owned(), File::from(file), ReaderGone::Ends, pulse)
        }
        EventTarget::Descriptor(number) => {
            let name = format!("descriptor {number}");
            let file = sys::inherited_for_writing(*number).with_context(|| {
                format!("--events fd:{number}: that descriptor can't be written; open it, as with `{number}> FILE`")
            })?;
            RecordFile::new(name, File::from(file), ReaderGone::Fails, pulse)
        }
    })
}

/// What was typed to start this run.
fn own_command() -> String {
    let mut words = env::args_os();
    let program = words.next().unwrap_or_default();
    let command = Command::new(program).args(words);
    command_line(&command, Reader::Line).to_string_lossy().into_owned()
}
