//! What procpool itself costs while very many jobs run that do nothing.

use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::bench::cases::sleepers;
use crate::bench::goal::Goal;
use crate::bench::process_info;
use crate::bench::program::Program;
use crate::bench::record::{Record, Row, Sample, Unit};
use crate::bench::setting::Setting;
use crate::bench::thousands::thousands;

const VALUES: &str = "values";
/// The pause between two looks at the number of jobs. Looking costs the machine, not procpool.
const PULSE: Duration = Duration::from_millis(50);
/// The last look is this long before the first job ends.
const MARGIN: Duration = Duration::from_millis(500);

pub(crate) fn play(setting: &Setting) -> Result<Record> {
    let (count, nap): (u32, Duration) =
        setting.size.pick((1_000, Duration::from_secs(10)), (100, Duration::from_secs(2)));
    sleepers::ensure_descriptors(count)?;
    setting.folder.write_numbers(VALUES, count as usize)?;
    let line = format!("procpool run -j{count} -- ./nap {}", nap.as_millis());
    let program = Program::new("procpool", &line).reads(VALUES);
    let watched = WatchedRun { setting, count: count as usize, nap };
    let series = setting.play(&[program], |program| watched.run(program))?;
    let times = series[0].processor_seconds();
    let measure = "processor time of procpool's processes from when all run until before the first ends";
    Ok(Record {
        case: String::new(),
        work: format!("{} sleepers of {} s, all at once", thousands(count as usize), nap.as_secs()),
        rows: vec![Row::new(measure, Unit::Seconds, &times).with_goal(Goal::AtMost(0.05))],
        notes: Vec::new(),
        series,
    })
}

struct WatchedRun<'a> {
    setting: &'a Setting,
    count: usize,
    nap: Duration,
}

impl WatchedRun<'_> {
    fn run(&self, program: &Program) -> Result<Sample> {
        let folder = &self.setting.folder;
        let mut command = folder.command(&program.words)?;
        let input = std::fs::File::open(folder.file(VALUES)).context("no values")?;
        let start = Instant::now();
        let mut front = command.stdin(Stdio::from(input)).spawn().context("can't start procpool")?;
        let cost = self.watch(&front, start);
        if cost.is_err() {
            // Its jobs end with it. It may have ended already.
            let _ = front.kill();
        }
        let status = front.wait()?;
        let (processor_seconds, peak_megabytes) = cost.with_context(|| folder.last_words())?;
        ensure!(status.success(), "`{program}` failed: {status}\n{}", folder.last_words());
        Ok(Sample {
            seconds: start.elapsed().as_secs_f64(),
            processor_seconds,
            peak_megabytes,
        })
    }

    /// What procpool's three processes cost between the last start and the first end, and their memory
    /// together.
    fn watch(&self, front: &Child, start: Instant) -> Result<(f64, f64)> {
        let front = i32::try_from(front.id())?;
        let end = start + self.nap.saturating_sub(MARGIN);
        let own = loop {
            ensure!(Instant::now() < end, "not all ran at once");
            let keeper = process_info::children(front);
            let pool: Vec<i32> = keeper.iter().flat_map(|keeper| process_info::children(*keeper)).collect();
            match (&keeper[..], &pool[..]) {
                (&[keeper], &[pool]) if process_info::children(pool).len() == self.count => {
                    break [front, keeper, pool];
                }
                _ => thread::sleep(PULSE),
            }
        };
        let cost = || {
            let times = own.iter().map(|process| process_info::processor_time(*process));
            times.sum::<Result<Duration>>()
        };
        let before = cost()?;
        thread::sleep(end.saturating_duration_since(Instant::now()));
        let after = cost()?;
        ensure!(process_info::children(own[2]).len() == self.count, "a job has ended before its time");
        let memory = own.iter().map(|process| process_info::peak_megabytes(*process)).sum::<Result<f64>>()?;
        Ok((after.saturating_sub(before).as_secs_f64(), memory))
    }
}
