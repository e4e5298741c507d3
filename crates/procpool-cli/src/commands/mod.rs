//! Subcommands that run no jobs (`ls`, `show`, `export`, completions, the manual page), `--dry-run`, and
//! `resume`, which prepares a run.

pub(crate) mod dry_run;
pub(crate) mod export;
pub(crate) mod ls;
pub(crate) mod pages;
pub(crate) mod resume;
pub(crate) mod show;
pub(crate) mod stdout;
