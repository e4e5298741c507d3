//! Chooses the source of a run's jobs from the options.

use std::path::{Path, PathBuf};

use crate::args::InputArgs;
use crate::input::{self, Input, job_file};
use crate::job::terms::Terms;
use crate::plan::{pipe, values};

/// The jobs. `terms` are for jobs that don't set a value themselves.
///
/// # Errors
/// If the options are invalid, or a file that they name.
pub(super) fn input(args: InputArgs, terms: Terms) -> anyhow::Result<Input> {
    match &args.file {
        Some(file) => job_file::open(file, terms),
        None if args.pipe.pipe => pipe::input(args, terms),
        None => values::input(args, terms),
    }
}

/// The files that jobs are read from, whatever they contain; standard input is not included.
pub(super) fn files(args: &InputArgs) -> Vec<PathBuf> {
    let given = args.file.iter().chain(&args.values.arg_file).map(PathBuf::as_path);
    let named = given.chain(input::values::files(&args.words));
    named.filter(|path| path.as_os_str() != "-").map(Path::to_owned).collect()
}
