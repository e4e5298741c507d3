//! A command line after parsing. The structs of clap hold only what clap fills; what else is known of the
//! words (which of them a resume repeats, where the list of jobs comes from) stands beside them, here.

use std::ffi::OsString;

use crate::args::command_line::{Args, RunArgs, Subcommand};
use crate::args::negated::NegatedOptions;

/// What was typed, by the user and in variables.
pub(crate) struct Typed {
    pub(crate) subcommand: Option<Subcommand>,
    /// The options of `run` or `resume`, each as one word, to be recorded or parsed once more.
    pub(crate) options: Vec<OsString>,
    /// Options of the recorded run that a resume drops.
    pub(crate) negated: NegatedOptions,
}

impl Typed {
    pub(super) fn new(args: Args, options: Vec<OsString>, negated: NegatedOptions) -> Typed {
        Typed { subcommand: args.subcommand, options, negated }
    }
}

/// A run to be planned.
pub(crate) struct RunRequest {
    pub(crate) args: RunArgs,
    /// The options that the journal records, so that a resume can repeat them.
    pub(crate) options: Vec<OsString>,
    pub(crate) source: RunSource,
}

/// What defines the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunSource {
    /// `procpool run`: its arguments and its input.
    CommandLine,
    /// `procpool resume`: the recorded options and the recorded list of jobs.
    Journal { changed: ChangedFrom },
}

/// Who said what to do about changed jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChangedFrom {
    /// This resume, or nobody.
    ThisRun,
    /// The run that is resumed, or nobody. Worth a notice where it has an effect.
    RecordedRun,
}
