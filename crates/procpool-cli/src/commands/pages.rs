//! Shell completions and the manual page, both generated from the definition of the command line.

use std::io::{self, Write};

use clap::{Arg, Command};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use signal_hook::consts::SIGPIPE;

use crate::exit::{self, ExitStatus};
use crate::os::closed::StandardStream;

/// Prints the completion script for a shell.
pub(crate) fn completions(mut command: Command, shell: Shell) -> ExitStatus {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "procpool", &mut script);
    print(&script)
}

/// Prints the page for man(1).
pub(crate) fn manual(command: &Command) -> ExitStatus {
    match page(command) {
        Ok(page) => print(&page),
        Err(error) => exit::own_failure(&anyhow::Error::from(error).context("can't make the manual's page")),
    }
}

/// One page: the name of procpool, and everything about `procpool run`.
fn page(command: &Command) -> io::Result<Vec<u8>> {
    let whole = Man::new(command.clone());
    let run = command.find_subcommand("run").cloned().unwrap_or_default();
    let usage = run.clone().render_usage().to_string().replace("\n       ", "\n");
    let more = run.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let run = Man::new(run.mut_args(plain_help));
    let mut page = Vec::new();
    whole.render_title(&mut page)?;
    whole.render_name_section(&mut page)?;
    section("SYNOPSIS", usage.trim_start_matches("Usage: "), &mut page)?;
    run.render_description_section(&mut page)?;
    run.render_options_section(&mut page)?;
    section("MORE", &more, &mut page)?;
    subcommands(command).to_writer(&mut page)?;
    whole.render_version_section(&mut page)?;
    Ok(page)
}

/// Prepares the help of an option for `clap_mangen`, which drops the short help of options that `-h` hides,
/// and fills lines unless they begin with a space.
fn plain_help(arg: Arg) -> Arg {
    let Some(help) = arg.get_long_help().or(arg.get_help()).map(ToString::to_string) else { return arg };
    let is_table = |paragraph: &&str| paragraph.lines().any(|line| line.contains("  "));
    let paragraphs: Vec<String> = help
        .split("\n\n")
        .map(|text| {
            Some(text)
                .filter(is_table)
                .map_or(text.to_owned(), |text| format!(" {}", text.replace('\n', "\n ")))
        })
        .collect();
    arg.long_help(paragraphs.join("\n\n"))
}

/// The section about subcommands.
fn subcommands(command: &Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["COMMANDS"]);
    for subcommand in command.get_subcommands() {
        roff.control("TP", []).text([bold(format!("procpool {}", subcommand.get_name()))]);
        roff.text([roman(subcommand.get_about().map(ToString::to_string).unwrap_or_default())]);
    }
    roff
}

/// A section without filling: lines and spaces are kept.
fn section(title: &str, text: &str, page: &mut Vec<u8>) -> io::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", [title]).control("nf", []);
    for line in text.lines() {
        roff.text([roman(line)]);
    }
    roff.control("fi", []).to_writer(page)
}

fn print(bytes: &[u8]) -> ExitStatus {
    let mut stdout = io::stdout().lock();
    match StandardStream::Output.check().and_then(|()| stdout.write_all(bytes)).and_then(|()| stdout.flush())
    {
        Ok(()) => ExitStatus::Success,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitStatus::Signal(SIGPIPE),
        Err(error) => {
            exit::own_failure(&anyhow::Error::from(error).context("can't write to standard output"))
        }
    }
}
