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
    /// grouped: each job's output as a whole when it ends; with -k the lines of the first unfinished job as
    /// they are written.
    ///
    /// lines: whole lines of all jobs as they are written, including those of failed attempts. A last line
    /// without a newline gets one. With -k as grouped.
    ///
    /// raw: jobs write directly to procpool's standard output and error: unbuffered, mixed. Processes that a
    /// job leaves behind are ended with procpool, and not reported.
    ///
    /// none: no output is printed; failures are still reported at the end.
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
    /// A last line without a newline gets one. Control characters of the key are escaped. On a terminal,
    /// carriage returns and backspaces of the output move back to the tag, not over it.
    #[arg(long)]
    pub(crate) tag: bool,

    /// Begin each line of output with this text, and a tab
    ///
    /// It may contain placeholders, like the command: --tag-with '{#} {/}'.
    #[arg(long, alias = "tagstring", value_name = "TEXT", conflicts_with = "tag")]
    pub(crate) tag_with: Option<OsString>,

    /// Pass all control sequences to the terminal, not only colours
    ///
    /// By default output to a terminal is text in UTF-8 with colours: all other control sequences are
    /// removed, and a colour ends at the end of a line and is restored in the next one. Output to a pipe or a
    /// file is always exact.
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
