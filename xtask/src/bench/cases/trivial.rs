//! Very many jobs that do nothing: against bare spawning, against other programs, and against procpool with
//! more to do.

use std::iter;

use anyhow::Result;

use crate::bench::goal::Goal;
use crate::bench::peers::Peer;
use crate::bench::program::Program;
use crate::bench::proof::Proof;
use crate::bench::record::{Record, Row, Series, Unit};
use crate::bench::setting::Setting;
use crate::bench::statistics::ratios;
use crate::bench::thousands::thousands;

const LIMIT: usize = 8;
const VALUES: &str = "values";

/// Against threads that only spawn and wait.
pub(crate) fn against_the_limit(setting: &Setting) -> Result<Record> {
    let count = prepare(setting)?;
    let bare = |threads, name| Program::new(name, &format!("./limit {count} {threads} ./noop"));
    let many = bare(LIMIT, "bare spawning, 8 threads");
    let one = bare(1, "bare spawning, 1 thread");
    let series = setting.play_proven(&[procpool("procpool", ""), many, one], &Proof::of_numbers(count))?;
    let goal = Goal::AtMost(1.08);
    let processor = ratios(&series[0].processor_seconds(), &series[1].processor_seconds());
    let rows = vec![
        against(&series[0], &series[1]).with_goal(goal),
        against(&series[0], &series[2]),
        Row::new("processor time with its jobs', against bare spawning, 8 threads", Unit::Ratio, &processor),
    ];
    Ok(record(count, rows, series))
}

/// Against the fastest other program that is installed.
pub(crate) fn against_peers(setting: &Setting) -> Result<Record> {
    let count = prepare(setting)?;
    let slow = setting.size.pick(None, Some(Peer::Parallel));
    let peers = setting.peers.found().filter(|peer| slow != Some(*peer));
    let peers = peers.map(|peer| {
        let program = Program::new(peer.name(), &peer.line(LIMIT, "./noop")).reads(VALUES);
        Program { rounds: peer.rounds(), ..program }
    });
    let programs: Vec<Program> = iter::once(procpool("procpool", "")).chain(peers).collect();
    let series = setting.play_proven(&programs, &Proof::of_numbers(count))?;
    let (own, peers) = (&series[0], &series[1..]);
    let time = |peer: &&Series| peer.median_seconds().unwrap_or(f64::INFINITY);
    let fastest = peers.iter().min_by(|one, other| time(one).total_cmp(&time(other)));
    let goal = Goal::AtMost(0.9);
    let mut rows = Vec::new();
    match fastest {
        Some(fastest) => {
            let measure = format!("wall, against the fastest peer: {}", fastest.name);
            rows.push(Row::new(&measure, Unit::Ratio, &times(own, fastest)).with_goal(goal));
        }
        None => {
            let row = Row::not_measured("wall, against the fastest peer", Unit::Ratio, "none is installed");
            rows.push(row.with_goal(goal));
        }
    }
    let is_other = |peer: &&Series| fastest.is_some_and(|fastest| fastest.name != peer.name);
    rows.extend(peers.iter().filter(is_other).map(|peer| against(own, peer)));
    let mut record = record(count, rows, series);
    let note = "GNU parallel, which is slow and never the fastest, takes part in two rounds, and in none of --quick.";
    record.notes.push(note.to_owned());
    Ok(record)
}

/// With a journal against without one.
pub(crate) fn with_a_journal(setting: &Setting) -> Result<Record> {
    let recorded = procpool("with --journal", "--journal journal").makes("journal");
    let record = against_itself(setting, recorded)?;
    setting.folder.remove("journal")?;
    Ok(record)
}

/// With outputs in input order against outputs as jobs end.
pub(crate) fn in_order(setting: &Setting) -> Result<Record> {
    against_itself(setting, procpool("with --keep-order", "--keep-order").in_order())
}

/// With an event file against without one.
pub(crate) fn with_events(setting: &Setting) -> Result<Record> {
    against_itself(setting, procpool("with --events", "--events events").makes("events"))
}

fn against_itself(setting: &Setting, more: Program) -> Result<Record> {
    let count = prepare(setting)?;
    let measure = format!("wall {}, against itself without", more.name);
    let series = setting.play_proven(&[more, procpool("procpool", "")], &Proof::of_numbers(count))?;
    let row = Row::new(&measure, Unit::Ratio, &times(&series[0], &series[1])).with_goal(Goal::AtMost(1.05));
    Ok(record(count, vec![row], series))
}

fn prepare(setting: &Setting) -> Result<usize> {
    let count = setting.size.pick(4_000, 500);
    setting.folder.write_numbers(VALUES, count)?;
    Ok(count)
}

fn procpool(name: &str, options: &str) -> Program {
    Program::new(name, &format!("procpool run -j{LIMIT} {options} -- ./noop")).reads(VALUES)
}

fn times(own: &Series, other: &Series) -> Vec<f64> {
    ratios(&own.seconds(), &other.seconds())
}

fn against(own: &Series, other: &Series) -> Row {
    Row::new(&format!("wall, against {}", other.name), Unit::Ratio, &times(own, other))
}

fn record(count: usize, rows: Vec<Row>, series: Vec<Series>) -> Record {
    let work = format!("{} trivial jobs, {LIMIT} at a time, output grouped and captured", thousands(count));
    Record { case: String::new(), work, rows, notes: Vec::new(), series }
}
