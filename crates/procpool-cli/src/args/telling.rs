//! Options about procpool's own messages: progress, colour, summary, and the exit status.

use crate::exit::scale::Scale;
use crate::terminal::colour;

/// Messages of the run.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct TellingArgs {
    /// Show how the run stands: auto, bar, plain or none
    ///
    /// With auto a bar, the figures and the jobs that have run for the longest
    /// time stand below the output where standard error is a terminal, and each
    /// failure is said as it happens; elsewhere there is nothing. `bar` asks for
    /// the same, and `plain` for a line every 10 s on any standard error; where a
    /// bar can't be drawn (no terminal, TERM is dumb, --output raw) it is plain too. What
    /// takes less than 300 ms shows nothing. The variable `PROCPOOL_PROGRESS` says
    /// it where no option does.
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

    /// When procpool's own words are coloured: auto, always or never
    ///
    /// With auto: where they go to a terminal. `NO_COLOR`, `CLICOLOR_FORCE`,
    /// `FORCE_COLOR` and `CLICOLOR=0` in the environment count before that, in
    /// this order. Outputs of jobs stay as they are.
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub(crate) color: colour::ColourChoice,

    /// Exit with a number of jobs or of a job where jobs failed: count or max
    ///
    /// count: how many failed, 101 for more than 100, as GNU parallel does.
    /// max: the largest status of a job: its exit code, 128 + N where signal N
    /// killed it, 124 timed out, 127 not found, 126 not executable. Instead of
    /// the statuses 2 and 3 that a run may end with there is 255 then.
    #[arg(long, value_name = "WHAT", hide_possible_values = true)]
    pub(crate) exit_code: Option<Scale>,

    /// When there is a closing summary on standard error: auto, always or never
    ///
    /// With auto: where standard error is a terminal, or a job failed, leaked a
    /// process or was left.
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
