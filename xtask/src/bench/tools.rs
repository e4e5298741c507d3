//! The small C programs of the benchmark: the jobs, bare spawning, and the gauge. In C and static, so that
//! they cost as little as possible.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::shell;

const SOURCES: [(&str, &str); 6] = [
    ("noop", include_str!("c/noop.c")),
    ("echo", include_str!("c/echo.c")),
    ("nap", include_str!("c/nap.c")),
    ("writer", include_str!("c/writer.c")),
    ("limit", include_str!("c/limit.c")),
    ("gauge", include_str!("c/gauge.c")),
];

/// Builds all programs into `folder`.
pub(crate) fn build(folder: &Path) -> Result<()> {
    for (name, source) in SOURCES {
        let file = format!("{name}.c");
        fs::write(folder.join(&file), source).with_context(|| format!("can't write {file}"))?;
        // Static, because a dynamic loader doubles the cost of a trivial job.
        let line = format!("-O2 -static -pthread -Wall -o {name} {file}");
        shell::read(&mut shell::command(folder, "cc", &line))
            .context("the benchmark needs a C compiler and a static C library (Debian: gcc, libc6-dev)")?;
    }
    Ok(())
}
