//! Plans the jobs of --pipe, which get standard input in blocks, one block each.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use anyhow::{Context, bail};
use procpool_core::Job;

use crate::args::{InputArgs, RecordEnd};
use crate::input::Input;
use crate::input::blocks::Blocks;
use crate::input::values::{self, Split};
use crate::job::terms::Terms;
use crate::job::work::Work;
use crate::os::closed::StandardStream;
use crate::template::{Names, Several, Template};

/// The jobs, one for each block.
///
/// # Errors
/// If there is no command, or values were given, or the command has placeholders for values.
pub(super) fn input(args: InputArgs, terms: Terms) -> anyhow::Result<Input> {
    let Split { command, lists } = values::split(args.words)?;
    if !lists.is_empty() {
        bail!("--pipe takes no values: it hands standard input on; leave `:::` out, or --pipe");
    }
    if command.is_empty() {
        bail!("--pipe needs a command that reads the blocks; for example: procpool run --pipe -- wc -l");
    }
    let template = match &args.shell {
        Some(shell) => Template::parse_for_shell(shell, &command, &Names::NoValues),
        None => Template::parse(&command, &Names::NoValues, Several::Combined),
    };
    let template = Arc::new(template.context("--pipe")?);
    let terms = Arc::new(terms);
    let RecordEnd(end) = if args.values.null { RecordEnd(vec![0]) } else { args.pipe.records };
    let job = move |number: u64, block: Vec<u8>| {
        let work = Work::Block {
            template: Arc::clone(&template),
            terms: Arc::clone(&terms),
            block: block.into(),
        };
        terms.with_timeout(Job::new(number.to_string(), work))
    };
    StandardStream::Input.check().context("standard input")?;
    let stdin = io::stdin();
    if stdin.is_terminal() {
        // If the message can't be written, the user may still type.
        let _ = writeln!(io::stderr(), "procpool: reading blocks from the terminal; Ctrl-D ends them");
    }
    let blocks = Blocks::new(stdin, args.pipe.block, end);
    let numbered = blocks.zip(1..).map(move |(block, number)| {
        block.map(|block| job(number, block)).context("standard input can't be read")
    });
    Ok(Input::streamed(numbered))
}
