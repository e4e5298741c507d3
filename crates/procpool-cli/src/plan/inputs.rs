//! Where the jobs of a run come from, by what was typed.
//! Knows nothing of how they are run or what becomes of their outputs.

use crate::args::InputArgs;
use crate::input::{Input, job_file};
use crate::plan::{pipe, values};
use crate::terms::Terms;

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
