//! Peak memory with long lists, and with a tenth of each.

use anyhow::Result;

use crate::bench::goal::Goal;
use crate::bench::program::Program;
use crate::bench::proof::Proof;
use crate::bench::record::{Record, Row, Series, Unit};
use crate::bench::setting::Setting;
use crate::bench::statistics::ratios;
use crate::bench::thousands::thousands;

/// Few rounds: a hundred thousand jobs take a minute, and always the same memory.
const ROUNDS: usize = 3;

pub(crate) fn play(setting: &Setting) -> Result<Record> {
    let (lines, jobs) = setting.size.pick((1_000_000, 200_000), (200_000, 2_000));
    let mut record = Record {
        case: String::new(),
        work: format!("{} lines, 1,000 of them to a job, and {} jobs", thousands(lines), thousands(jobs)),
        rows: Vec::new(),
        notes: vec![
            "Peak memory is that of the largest of procpool's processes, as wait4(2) tells it; \
             flat means that ten times as many take no more."
                .to_owned(),
        ],
        series: Vec::new(),
    };
    for (count, options, what) in [(lines, " -n 1000", "lines with -n 1000"), (jobs, "", "jobs")] {
        let [all, tenth] = play_both(setting, count, options)?;
        let measure = format!("peak memory, {} {what}", thousands(count));
        let limit = Goal::AtMost(20.0);
        record.rows.push(Row::new(&measure, Unit::Megabytes, &all.peaks()).with_goal(limit));
        let measure = format!("{measure}, against {}", thousands(count / 10));
        let flat = Goal::AtMost(1.1);
        let row = Row::new(&measure, Unit::Ratio, &ratios(&all.peaks(), &tenth.peaks()));
        record.rows.push(row.with_goal(flat));
        record.series.extend([all, tenth]);
    }
    Ok(record)
}

/// Plays the whole list and a tenth of it.
fn play_both(setting: &Setting, count: usize, options: &str) -> Result<[Series; 2]> {
    let play = |count| {
        let file = format!("values-{count}");
        setting.folder.write_numbers(&file, count)?;
        let line = format!("procpool run -j8{options} -- ./noop");
        let name = format!("procpool, {}", thousands(count));
        let program = Program::new(&name, &line).reads(&file).in_rounds(ROUNDS);
        let series = setting.play_proven(&[program], &Proof::of_numbers(count))?;
        setting.folder.remove(&file)?;
        anyhow::Ok(series.into_iter().next())
    };
    let none = || anyhow::anyhow!("BUG: a program without a series");
    Ok([play(count)?.ok_or_else(none)?, play(count / 10)?.ok_or_else(none)?])
}
