//! Options about scheduling: how many jobs run, when, how often, and for how long.

mod halting;
mod processors;
mod retrying;

use std::time::Duration;

use procpool_core::{Cause, Limit};

pub(crate) use crate::args::scheduling::halting::HaltChoice;
use crate::args::scheduling::processors::Load;
use crate::units::duration;
use crate::units::size;

/// Scheduling of jobs.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Scheduling")]
pub(crate) struct ScheduleArgs {
    /// Run N jobs at a time: 8, 50%, +1, -1, auto
    ///
    /// auto is the number of processors that procpool may use (by its affinity mask and its cgroup's quota);
    /// 50% is half of that, +1 and -1 are one more and one less. A result below 1 is refused.
    #[arg(short = 'j', long = "limit", alias = "jobs", alias = "max-procs")]
    #[arg(short_alias = 'P', value_name = "N", default_value = "4", value_parser = processors::limit)]
    #[arg(allow_hyphen_values = true)]
    pub(crate) limit: Limit,

    /// End a job that takes longer: 0.5, 30s, 5m, 1h30m, 300%
    ///
    /// Its process group is sent TERM, and KILL after --grace. The time is per attempt. A percentage is of
    /// the median time of the jobs that have succeeded, known from the third one on.
    #[arg(long, value_name = "TIME")]
    #[arg(value_parser = TimeLimit::parse, allow_hyphen_values = true)]
    pub(crate) timeout: Option<TimeLimit>,

    /// Try a job that fails again, up to N times
    ///
    /// N is the number of further attempts. A job that waits for its next attempt holds no slot. Only the
    /// output of the last attempt is printed.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    pub(crate) retries: u32,

    /// The pause before a further attempt; it doubles each time, with up to a quarter added at random
    #[arg(long, value_name = "TIME", value_parser = duration::parse_pause, allow_hyphen_values = true)]
    pub(crate) retry_delay: Option<Duration>,

    /// The longest pause before a further attempt
    #[arg(long, value_name = "TIME", value_parser = duration::parse_pause, allow_hyphen_values = true)]
    pub(crate) retry_max_delay: Option<Duration>,

    /// Retry only after these failures: exit, exit:75, signal, timeout, spawn
    ///
    /// The default is all failures, unless the program is missing or not executable.
    #[arg(long, value_name = "CAUSE", value_delimiter = ',')]
    #[arg(value_parser = retrying::cause)]
    pub(crate) retry_on: Vec<Cause>,

    /// End the run early: never, or WHEN,WHY=N such as now,fail=1
    ///
    /// WHEN is soon (start nothing new) or now (also end running jobs), WHY is fail, success or done, N is a
    /// number of jobs or a percentage of all, as in soon,fail=10%. GNU parallel's short forms 0, 1, 2, -1 and
    /// -2 are accepted.
    #[arg(long, alias = "halt-on-error", value_name = "RULE")]
    #[arg(value_parser = halting::parse, allow_hyphen_values = true)]
    pub(crate) halt: Option<HaltChoice>,

    /// End the run at the first failure: --halt now,fail=1
    #[arg(long, conflicts_with = "halt")]
    pub(crate) fail_fast: bool,

    /// The shortest time between two starts
    #[arg(long, value_name = "TIME", value_parser = duration::parse_pause, allow_hyphen_values = true)]
    pub(crate) delay: Option<Duration>,

    /// Start no job while MAX or more tasks run on the machine: 8, 50%
    ///
    /// This counts tasks of all users that run or wait for a processor at the moment. A percentage is of the
    /// processors that procpool may use.
    #[arg(long, alias = "max-load", value_name = "MAX")]
    #[arg(value_parser = processors::load, allow_hyphen_values = true)]
    pub(crate) load: Option<Load>,

    /// Start no job while less memory than SIZE is available: 500M, 2G
    ///
    /// This is the kernel's estimate, without swapping, within procpool's cgroup.
    #[arg(long, alias = "memfree", value_name = "SIZE")]
    #[arg(value_parser = size::parse, allow_hyphen_values = true)]
    pub(crate) mem_free: Option<u64>,

    /// Start the jobs in a random order
    ///
    /// The whole input is read first. Job numbers, and the order of -k, are those of the input.
    #[arg(long, alias = "shuf")]
    pub(crate) shuffle: bool,

    /// The seed of the random order
    #[arg(long, value_name = "N", requires = "shuffle", allow_hyphen_values = true)]
    pub(crate) seed: Option<u64>,
}

/// The value of --timeout.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TimeLimit {
    Fixed(Duration),
    /// Of the median time of the jobs that have succeeded.
    Percent(u32),
}

impl TimeLimit {
    fn parse(text: &str) -> Result<TimeLimit, String> {
        let Some(percent) = text.strip_suffix('%') else {
            return duration::parse(text).map(TimeLimit::Fixed);
        };
        match percent.parse() {
            Ok(percent) if percent > 0 => Ok(TimeLimit::Percent(percent)),
            _ => Err("give a whole percentage from 1% up, such as 300%".to_owned()),
        }
    }
}
