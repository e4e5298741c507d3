//! The subcommands that run nothing (`ls`, `show`, `export`, shell completions, the manual's page, `--dry-run`).
//! And `resume`, which becomes a run.

pub(crate) mod dry_run;
pub(crate) mod export;
pub(crate) mod ls;
pub(crate) mod pages;
pub(crate) mod resume;
pub(crate) mod show;
pub(crate) mod stdout;
