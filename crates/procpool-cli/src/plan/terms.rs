//! Settings that all jobs of a run have in common, from the options.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use procpool_core::EnvironmentBase;
use rustix::fs::{Access, access};

use crate::args::{EnvironmentArgs, ScheduleArgs};
use crate::job::launch::OWN_VARIABLES;
use crate::job::terms::Terms;
use crate::plan::schedule::fixed_timeout;
use crate::terminal::shown;

/// # Errors
/// If a variable or the directory can't be used by any job.
pub(super) fn terms(args: &EnvironmentArgs, schedule: &ScheduleArgs) -> anyhow::Result<Terms> {
    if let Some(directory) = &args.cwd {
        check_directory(directory).with_context(|| format!("--cwd {}", shown::name(directory)))?;
    }
    let base = if args.env_clear { EnvironmentBase::Empty } else { EnvironmentBase::Inherited };
    Ok(Terms {
        timeout: fixed_timeout(schedule),
        // Zero retries on the command line must not override a job file.
        retries: (schedule.retries > 0).then_some(schedule.retries),
        directory: args.cwd.clone(),
        base,
        variables: variables(&args.env)?,
    })
}

fn check_directory(directory: &Path) -> anyhow::Result<()> {
    ensure!(fs::metadata(directory)?.is_dir(), "it is no directory; give one that jobs can run in");
    access(directory, Access::EXEC_OK).context("jobs can't enter it")
}

/// In the order in which they were typed; if a name occurs twice, the last one counts.
fn variables(typed: &[OsString]) -> anyhow::Result<Vec<(OsString, OsString)>> {
    let parsed = typed.iter().map(|text| variable(text)).collect::<anyhow::Result<Vec<_>>>()?;
    let last: HashMap<&OsStr, usize> =
        parsed.iter().enumerate().map(|(place, (name, _))| (*name, place)).collect();
    let kept = parsed.iter().enumerate().filter(|(place, (name, _))| last[name] == *place);
    Ok(kept.map(|(_, (name, value))| (name.into(), value.into())).collect())
}

fn variable(text: &OsStr) -> anyhow::Result<(&OsStr, &OsStr)> {
    let bytes = text.as_bytes();
    let shown = shown::name(text);
    let Some(equals) = bytes.iter().position(|byte| *byte == b'=') else {
        bail!(
            "--env {shown}: it has no value: write {shown}=VALUE; the variables that procpool has are passed on anyway"
        );
    };
    let (name, value) = (OsStr::from_bytes(&bytes[..equals]), OsStr::from_bytes(&bytes[equals + 1..]));
    ensure!(!name.is_empty(), "--env {shown}: the name is missing: write NAME=VALUE");
    ensure!(
        !OWN_VARIABLES.iter().any(|own| *own == name),
        "--env {shown}: procpool sets {} itself, to something else for each job: take another name",
        shown::name(name)
    );
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(words: &[&str]) -> anyhow::Result<Vec<(OsString, OsString)>> {
        variables(&words.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn a_variable_ends_at_its_first_equals_sign_and_the_last_of_a_name_counts() {
        let expected =
            [("C", ""), ("A", "2=3 "), ("a b", "é")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(typed(&["A=1", "C=", "A=2=3 ", "a b=é"]).unwrap(), expected);
    }

    #[test]
    fn what_is_no_variable_is_refused_by_name() {
        for (word, says) in
            [("A", "write A=VALUE"), ("=1", "the name is missing"), ("PROCPOOL_SEQ=1", "itself")]
        {
            let error = typed(&[word]).unwrap_err().to_string();
            assert!(error.contains(word) && error.contains(says), "{error}");
        }
    }
}
