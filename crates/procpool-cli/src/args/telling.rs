//! Options about procpool's own messages: progress, colour, summary, and the exit status.

use crate::exit::scale::Scale;
use crate::terminal::colour;

/// Messages of the run.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct TellingArgs {
    /// Display progress: auto, bar, plain or none
    ///
    /// With auto a bar, the figures and the longest running jobs are displayed below the output if standard
    /// error is a terminal, and each failure is reported when it happens; otherwise there is nothing. `bar`
    /// does the same, and `plain` prints a line every 10 s to any standard error. If a bar can't be drawn (no
    /// terminal, TERM is dumb, --output raw), `bar` acts like `plain`. Runs of less than 300 ms show nothing.
    /// The variable `PROCPOOL_PROGRESS` is used if no option is given.
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "auto",
        hide_default_value = true,
        hide_possible_values = true,
        overrides_with = "bar"
    )]
    progress: ProgressChoice,

    /// The same as `--progress bar`; so is --eta
    #[arg(long, alias = "eta", overrides_with = "progress")]
    bar: bool,

    /// When to colour procpool's own messages: auto, always or never
    ///
    /// With auto: if they go to a terminal. `NO_COLOR`, `CLICOLOR_FORCE`, `FORCE_COLOR` and `CLICOLOR=0` in
    /// the environment take precedence over that, in this order. Outputs of jobs are not affected.
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub(crate) color: colour::ColourChoice,

    /// If jobs failed, exit with their number or with their largest status: count or max
    ///
    /// count: how many jobs failed, 101 for more than 100, as in GNU parallel. max: the largest status of a
    /// job: its exit code, 128 + N if signal N killed it, 124 timed out, 127 not found, 126 not executable.
    /// The statuses 2 and 3 of a run become 255.
    #[arg(long, value_name = "WHAT", hide_possible_values = true)]
    pub(crate) exit_code: Option<Scale>,

    /// When to print a summary on standard error at the end: auto, always or never
    ///
    /// With auto: if standard error is a terminal, or a job failed, leaked a process or was not run.
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub(crate) summary: SummaryChoice,
}

/// When there is a closing summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SummaryChoice {
    Auto,
    Always,
    Never,
}

/// How progress is displayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ProgressChoice {
    Auto,
    Bar,
    Plain,
    None,
}

impl TellingArgs {
    /// The choice of the last option that makes one.
    pub(crate) fn progress(&self) -> ProgressChoice {
        if self.bar { ProgressChoice::Bar } else { self.progress }
    }
}
