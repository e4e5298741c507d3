//! What was typed about how many jobs run, when, and for how long.
//! Knows nothing of how that is held.

use std::time::Duration;

use procpool_core::Limit;

use crate::duration;

/// How many, when, for how long.
#[derive(Debug, clap::Args)]
pub(crate) struct ScheduleArgs {
    /// Run at most N jobs at a time; `auto`: one a processor
    #[arg(short = 'j', long = "limit", alias = "jobs", short_alias = 'P', value_name = "N", default_value = "4", value_parser = parse_limit)]
    #[arg(allow_hyphen_values = true)]
    pub(crate) limit: Limit,

    /// End a job that takes longer (0.5, 30s, 5m, 1h30m)
    ///
    /// TERM to its process group, 2 s later KILL.
    #[arg(long, value_name = "TIME", value_parser = duration::parse, allow_hyphen_values = true)]
    pub(crate) timeout: Option<Duration>,
}

fn parse_limit(text: &str) -> Result<Limit, String> {
    if text == "auto" {
        return Ok(Limit::available());
    }
    // Digits only: GNU parallel's `+2` means two more than there are processors.
    let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<usize>().ok()).flatten();
    let number = number.ok_or("give a number from 1 up, or `auto`")?;
    Limit::new(number).map_err(|error| error.to_string())
}
