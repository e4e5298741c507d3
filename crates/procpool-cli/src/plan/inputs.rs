//! Where the jobs of a run come from, by what was typed.
//! Knows nothing of how they are run or what becomes of their outputs.

use std::time::Duration;

use crate::args::InputArgs;
use crate::input::{Input, job_file};
use crate::plan::values;

/// The jobs. `timeout` is for those that name none.
///
/// # Errors
/// Whatever is wrong with what was typed, or with a file that it names.
pub(super) fn input(args: InputArgs, timeout: Option<Duration>) -> anyhow::Result<Input> {
    match &args.file {
        Some(file) => job_file::open(file, timeout),
        None => values::input(args, timeout),
    }
}
