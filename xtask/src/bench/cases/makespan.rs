//! Jobs of random lengths: how close the end is to the earliest possible one.

use anyhow::{Result, ensure};

use crate::bench::bound;
use crate::bench::goal::Goal;
use crate::bench::program::Program;
use crate::bench::proof::Proof;
use crate::bench::record::{Record, Row, Unit};
use crate::bench::setting::Setting;
use crate::bench::statistics::ratios;

const LIMIT: u32 = 8;
const LENGTHS: &str = "lengths";

pub(crate) fn play(setting: &Setting) -> Result<Record> {
    let (count, longest) = setting.size.pick((400, 500), (80, 100));
    let lengths = bound::lengths(count, longest);
    let words: Vec<String> = lengths.iter().map(u64::to_string).collect();
    setting.folder.write(LENGTHS, &(words.join("\n") + "\n"))?;
    let program = Program::new("procpool", &format!("procpool run -j{LIMIT} -- ./nap")).reads(LENGTHS);
    let series = setting.play_proven(&[program], &Proof::of_words(words))?;
    let bound = seconds(bound::makespan(&lengths, LIMIT as usize));
    let times = series[0].seconds();
    let least = seconds(lengths.iter().sum::<u64>()) / f64::from(LIMIT);
    let fastest = times.iter().copied().fold(f64::INFINITY, f64::min);
    ensure!(
        fastest >= least,
        "{fastest:.3} s are too few for jobs that take {least:.3} s in all places together"
    );
    let measure = format!("makespan, against the list-scheduling bound of {bound:.3} s");
    let bounds = vec![bound; times.len()];
    let row = Row::new(&measure, Unit::Ratio, &ratios(&times, &bounds)).with_goal(Goal::AtMost(1.02));
    Ok(Record {
        case: String::new(),
        work: format!("{count} jobs of 10 to {longest} ms, seeded, {LIMIT} at a time"),
        rows: vec![row],
        notes: Vec::new(),
        series,
    })
}

fn seconds(milliseconds: u64) -> f64 {
    std::time::Duration::from_millis(milliseconds).as_secs_f64()
}
