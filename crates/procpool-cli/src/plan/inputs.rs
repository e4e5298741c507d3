//! Where the jobs of a run come from, by what was typed.
//! Knows nothing of how they are run or what becomes of their outputs.

use std::ffi::OsString;
use std::io::{self, BufReader, IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use procpool_core::{Job, Key};

use crate::args::InputArgs;
use crate::closed::Standard;
use crate::input::lines::{Lines, Separator};
use crate::input::values::{self, Split};
use crate::input::{Input, job_file};
use crate::template::Template;
use crate::work::Work;

/// The jobs. `timeout` is for those that name none.
///
/// # Errors
/// Whatever is wrong with what was typed, or with a file that it names.
pub(super) fn input(args: InputArgs, timeout: Option<Duration>) -> anyhow::Result<Input> {
    match &args.file {
        Some(file) => job_file::open(file, timeout),
        None => commands(args, timeout),
    }
}

/// The command that was typed, for each of the values.
fn commands(args: InputArgs, timeout: Option<Duration>) -> anyhow::Result<Input> {
    let Split { command, values } = values::split(args.words)?;
    let Some((program, arguments)) = command.split_first() else {
        bail!("no command to run; for example: procpool run -- wc -c {{}} ::: /etc/passwd /etc/group");
    };
    if program.is_empty() {
        bail!("the command's first word is empty; it has to name a program");
    }
    let template = Arc::new(Template::parse(program, arguments));
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
