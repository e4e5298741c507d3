//! Options about jobs' outputs.

use std::ffi::OsString;

/// Delivery of outputs.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Print outputs in the order of the input
    #[arg(short, long)]
    pub(crate) keep_order: bool,

    /// How outputs are delivered: grouped, lines, raw, none
    ///
    /// grouped: each job's output whole, when it ends; with -k the lines of the
    /// first job that is not done as they are written.
    ///
    /// lines: whole lines of all jobs as they come, those of failed attempts
    /// too. A last line without a newline is given one. With -k as grouped.
    ///
    /// raw: jobs write to where procpool does, past it: unbuffered, mixed.
    /// What a job leaves behind is ended with procpool, and not told.
    ///
    /// none: nothing is printed; what goes wrong is still told at the end.
    #[arg(
        long,
        value_name = "HOW",
        default_value = "grouped",
        hide_possible_values = true,
        hide_default_value = true
    )]
    pub(crate) output: OutputMode,

    /// Begin each line of output with its job's key and a tab
    ///
    /// A last line without a newline is given one. Control characters of the key
    /// are escaped. On a terminal carriage returns and backspaces of the output
    /// lead back to the tag, not over it.
    #[arg(long)]
    pub(crate) tag: bool,

    /// Begin each line of output with this text, and a tab
    ///
    /// Placeholders work in it as in the command: --tag-with '{#} {/}'.
    #[arg(long, alias = "tagstring", value_name = "TEXT", conflicts_with = "tag")]
    pub(crate) tag_with: Option<OsString>,

    /// Let the output control a terminal, not only colour it
    ///
    /// Otherwise what goes to a terminal is text in UTF-8 and colours: all other
    /// control sequences are taken out, and colour stops at the end of a line,
    /// to be taken up again in the next. To a pipe or a file bytes are exact
    /// anyway.
    #[arg(long)]
    pub(crate) raw_control: bool,
}

/// How outputs are delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OutputMode {
    Grouped,
    Lines,
    Raw,
    None,
}
