//! Where the jobs of a run come from, by the options.

use std::path::{Path, PathBuf};

use crate::args::InputArgs;
use crate::input::{self, Input, job_file};
use crate::job::terms::Terms;
use crate::plan::{pipe, values};

/// The jobs. The terms are for those that name none of their own.
///
/// # Errors
/// Whatever is wrong with what was typed, or with a file that it names.
pub(super) fn input(args: InputArgs, terms: Terms) -> anyhow::Result<Input> {
    match &args.file {
        Some(file) => job_file::open(file, terms),
        None if args.pipe.pipe => pipe::input(args, terms),
        None => values::input(args, terms),
    }
}

/// The files that jobs are read from, whatever stands in them; standard input is none.
pub(super) fn files(args: &InputArgs) -> Vec<PathBuf> {
    let given = args.file.iter().chain(&args.values.arg_file).map(PathBuf::as_path);
    let named = given.chain(input::values::files(&args.words));
    named.filter(|path| path.as_os_str() != "-").map(Path::to_owned).collect()
}
