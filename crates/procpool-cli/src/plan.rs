//! What was typed becomes a plan: every decision and every user's error, before the first process.
//! Knows nothing of how a plan is carried out.

use std::ffi::OsString;
use std::io::{self, BufReader, IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use procpool_core::{Job, Key, LocalProcess, Pool, Processes};

use crate::args::RunArgs;
use crate::closed::Standard;
use crate::guard::{Guard, Link};
use crate::input::lines::{Lines, Separator};
use crate::input::values::{self, Split};
use crate::input::{Input, job_file};
use crate::launch::{Launcher, Work};
use crate::machine;
use crate::pulse::Pulse;
use crate::sink::Sink;
use crate::sink::in_order::InOrder;
use crate::sink::print::{Control, Printer, Tag};
use crate::template::Template;

/// All that a run needs.
pub(crate) struct Plan {
    pub(crate) pool: Pool<Launcher>,
    pub(crate) input: Input,
    /// In the order in which they are told of a completion.
    pub(crate) sinks: Vec<Box<dyn Sink>>,
    /// Beats as they deliver.
    pub(crate) pulse: Pulse,
    /// What runs.
    pub(crate) processes: Processes,
    pub(crate) link: Option<Link>,
}

impl Plan {
    /// # Errors
    /// Whatever is wrong with what was typed, or with a file that it names.
    pub(crate) fn new(args: RunArgs, guard: Option<&Guard>) -> anyhow::Result<Plan> {
        let pulse = Pulse::default();
        let limit = args.limit;
        let on_leak = args.on_leak();
        let sinks = vec![printer(&args, &pulse)];
        let input = match &args.file {
            Some(file) => job_file::open(file, args.timeout)?,
            None => commands(args)?,
        };
        let (limit, local) = machine::make_room(limit, input.jobs.size_hint().1, LocalProcess::new());
        local.check_spool().context("large outputs have no place, set TMPDIR to a directory for them")?;
        let launcher = Launcher::new(local, on_leak, guard.map(|guard| Arc::clone(&guard.orphans)));
        Ok(Plan {
            processes: launcher.processes(),
            pool: Pool::with_runner(limit, launcher),
            link: guard.map(Guard::link),
            input,
            sinks,
            pulse,
        })
    }
}

/// The command that was typed, for each of the values.
fn commands(args: RunArgs) -> anyhow::Result<Input> {
    let Split { command, values } = values::split(args.words)?;
    let Some((program, arguments)) = command.split_first() else {
        bail!("no command to run; for example: procpool run -- wc -c {{}} ::: /etc/passwd /etc/group");
    };
    if program.is_empty() {
        bail!("the command's first word is empty; it has to name a program");
    }
    let template = Arc::new(Template::parse(program, arguments));
    let timeout = args.timeout;
    let job = move |value| value_job(&template, value, timeout);
    Ok(match values {
        Some(values) => Input::checked(values.into_iter().map(job)),
        None => {
            Standard::Input.check().context("no values after `:::`, and standard input")?;
            let stdin = io::stdin();
            if stdin.is_terminal() {
                let hint = "procpool: reading values from the terminal, one a line; Ctrl-D ends them\n";
                // Who can't see it may type all the same.
                let _ = io::stderr().write_all(hint.as_bytes());
            }
            let separator = if args.null { Separator::Nul } else { Separator::Newline };
            let lines = Lines::new(BufReader::new(stdin), "standard input", separator);
            Input::streamed(lines.map(move |value| value.map(&job)))
        }
    })
}

fn value_job(template: &Arc<Template>, value: OsString, timeout: Option<Duration>) -> Job<Work> {
    let template = Arc::clone(template);
    let mut job = Job::new(Key::from(value.as_os_str()), Work::Value { template, value });
    job.timeout = timeout;
    job
}

fn printer(args: &RunArgs, pulse: &Pulse) -> Box<dyn Sink> {
    let tag = if args.tag { Tag::Key } else { Tag::Nothing };
    let control = if args.raw_control { Control::All } else { Control::Colour };
    let printer = Printer::new(tag, control, pulse);
    if args.keep_order { Box::new(InOrder::new(printer)) } else { Box::new(printer) }
}
