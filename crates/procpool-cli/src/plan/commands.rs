//! Plans jobs from lines that are commands themselves.

use std::ffi::OsString;

use anyhow::{Context, bail};

use crate::args::ValueArgs;
use crate::input::Input;
use crate::input::commands::{self, LineParser};
use crate::input::lines::{InputLines, Separator};
use crate::input::source::InputSource;
use crate::job::terms::Terms;

/// The jobs, one for each line of standard input or of the given file. `shell` runs the lines, if there is
/// one.
///
/// # Errors
/// If options for values were given, or the lines can't be read.
pub(super) fn input(
    args: &ValueArgs,
    separator: Separator,
    shell: Option<OsString>,
    terms: Terms,
) -> anyhow::Result<Input> {
    let for_values = [
        (args.csv, "--csv"),
        (args.tsv, "--tsv"),
        (args.max_args.is_some(), "-n"),
        (args.fill, "-X"),
        (args.replace.is_some(), "-I"),
        (args.key.is_some(), "--key"),
    ];
    if let Some((_, option)) = for_values.into_iter().find(|(given, _)| *given) {
        bail!("{option} is for the values of a command, and no command was given");
    }
    let source = match args.arg_file.as_slice() {
        [] => InputSource::StandardInput,
        [file] => InputSource::named(file),
        _ => bail!("without a command -a is a file of commands: give one"),
    };
    let parser = match shell {
        None => LineParser::Procpool,
        Some(shell) => LineParser::Shell(shell),
    };
    let lines = source.open("commands").context("no command to run")?;
    let lines = InputLines::new(lines, source.name(), separator);
    Ok(Input::streamed(commands::jobs(lines, source.name(), parser, terms)))
}
