//! Very many jobs at once that only wait.

use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::process::{Resource, getrlimit};

use crate::bench::goal::Goal;
use crate::bench::program::Program;
use crate::bench::proof::Proof;
use crate::bench::record::{Record, Row, Unit};
use crate::bench::setting::Setting;
use crate::bench::statistics::ratios;
use crate::bench::thousands::thousands;

const VALUES: &str = "values";
/// The list is this many times the limit.
const WAVES: u32 = 5;
/// The descriptors that a job may need at once, in procpool and the kernel.
const DESCRIPTORS: u64 = 6;

pub(crate) fn play(setting: &Setting) -> Result<Record> {
    let (limit, nap): (u32, u64) = setting.size.pick((1_000, 200), (100, 100));
    let count = WAVES * limit;
    ensure_descriptors(limit)?;
    let jobs = count as usize;
    setting.folder.write_numbers(VALUES, jobs)?;
    let procpool = Program::new("procpool", &format!("procpool run -j{limit} -- ./nap {nap}"));
    let procpool = procpool.reads(VALUES);
    let threads = Program::new("bare threads", &format!("./limit {count} {limit} ./nap {nap}"));
    let starts = Program::new("bare spawning, 8 threads", &format!("./limit {count} 8 ./noop"));
    setting.prove(&[procpool.clone(), threads.clone()], &Proof::of_numbers_after(&nap.to_string(), jobs))?;
    let series = setting.play(&[procpool, starts, threads], |program| setting.folder.run(program))?;
    let waiting = (Duration::from_millis(nap) * WAVES).as_secs_f64();
    let bounds: Vec<f64> = series[1].seconds().iter().map(|spawning| waiting + spawning).collect();
    let against_bound = |index: usize| ratios(&series[index].seconds(), &bounds);
    let times = series[0].seconds();
    ensure!(times.iter().all(|time| *time >= waiting), "it took less than {waiting} s: not all have slept");
    let bound = format!("the bound: {waiting} s and the time to spawn {} bare", thousands(jobs));
    let rows = vec![
        Row::new(&format!("wall, against {bound}"), Unit::Ratio, &against_bound(0))
            .with_goal(Goal::AtMost(1.15)),
        Row::new("peak memory", Unit::Megabytes, &series[0].peaks()).with_goal(Goal::AtMost(200.0)),
        Row::new(&format!("wall of {limit} bare threads, against the same"), Unit::Ratio, &against_bound(2)),
    ];
    let work = format!("{} sleepers of {nap} ms, {} at a time", thousands(jobs), thousands(limit as usize));
    Ok(Record { case: String::new(), work, rows, notes: Vec::new(), series })
}

/// With fewer descriptors procpool would run fewer jobs at once, and the figure would be a different one.
pub(crate) fn ensure_descriptors(limit: u32) -> Result<()> {
    let wanted = DESCRIPTORS * u64::from(limit);
    let most = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    ensure!(most >= wanted, "`ulimit -Hn` is {most}; {limit} jobs at once want {wanted}");
    Ok(())
}
