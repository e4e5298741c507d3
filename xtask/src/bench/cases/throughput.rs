//! Large outputs, to a file and through a pipe: against `cat` of the same bytes and against GNU parallel.

use anyhow::{Context, Result, ensure};

use crate::bench::goal::Goal;
use crate::bench::peers::Peer;
use crate::bench::program::{Output, Program};
use crate::bench::record::{Record, Row, Sample, Series, Unit};
use crate::bench::setting::{Setting, Size};
use crate::bench::statistics::ratios;

/// Each job writes one of these letters, so that mixed output is seen.
const LETTERS: &str = "abcdefgh";
const OUT: &str = "out";
const MEGA: u64 = 1 << 20;

pub(crate) fn play(setting: &Setting) -> Result<Record> {
    let bytes = setting.size.pick(512 * MEGA, 16 * MEGA);
    let mut rows = Vec::new();
    let mut all = Vec::new();
    for (to, output) in [("a file", Output::File(OUT.to_owned())), ("cat", Output::Cat)] {
        let series = play_to(setting, bytes, &output)?;
        rows.extend(judge(&series, to));
        all.extend(series);
    }
    Ok(Record {
        case: String::new(),
        work: format!("8 jobs of {} MiB output each, 8 at a time, output grouped", bytes / MEGA),
        rows,
        notes: vec!["Before each run the disk finishes what was written before (sync(2)).".to_owned()],
        series: all,
    })
}

fn play_to(setting: &Setting, bytes: u64, output: &Output) -> Result<Vec<Series>> {
    let letters: Vec<String> = LETTERS.chars().map(String::from).collect();
    let letters = letters.join(" ");
    let through_cat = match output {
        // Its output goes to `cat` already.
        Output::Cat => "",
        Output::Nowhere | Output::File(_) => " | cat",
    };
    let loops = format!("for letter in {letters}; do ./writer {bytes} $letter; done{through_cat}");
    let run = format!("-j8 ./writer {bytes} {{}} ::: {letters}");
    let mut programs =
        vec![Program::new("procpool", &format!("procpool run {run}")), Program::of_shell("cat", &loops)];
    if setting.peers.has(Peer::Parallel) {
        programs.push(Program::new(Peer::Parallel.name(), &format!("parallel {run}")));
    }
    let programs: Vec<Program> = programs.into_iter().map(|program| program.writes(output.clone())).collect();
    for program in &programs {
        let stretches = setting.folder.stretches(program)?;
        stretches.judge(LETTERS, bytes).with_context(|| format!("`{program}` is wrong"))?;
    }
    setting.play(&programs, |program| run_settled(setting, program, bytes))
}

/// Runs it when the disk is idle, and checks that all output is there.
fn run_settled(setting: &Setting, program: &Program, bytes: u64) -> Result<Sample> {
    setting.folder.remove(OUT)?;
    if setting.size == Size::Full {
        rustix::fs::sync();
    }
    let sample = setting.folder.run(program)?;
    if program.writes_to(OUT) {
        let length = setting.folder.file(OUT).metadata()?.len();
        let expected = bytes * LETTERS.len() as u64;
        ensure!(length == expected, "`{program}` wrote {length} bytes instead of {expected}");
        setting.folder.remove(OUT)?;
    }
    Ok(sample)
}

fn judge(series: &[Series], to: &str) -> [Row; 2] {
    // Throughput is the inverse of time, so the ratio is turned around.
    let throughput = |other: &Series| ratios(&other.seconds(), &series[0].seconds());
    let measure = |other: &str| format!("throughput to {to}, against {other}");
    let cat =
        Row::new(&measure("`cat` of the same bytes through a pipe"), Unit::Ratio, &throughput(&series[1]));
    let measure = measure(Peer::Parallel.name());
    let parallel = match series.get(2) {
        Some(parallel) => Row::new(&measure, Unit::Ratio, &throughput(parallel)),
        None => Row::not_measured(&measure, Unit::Ratio, "it is not installed"),
    };
    [cat.with_goal(Goal::AtLeast(0.8)), parallel.with_goal(Goal::AtLeast(2.0))]
}
