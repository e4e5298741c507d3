//! One job that does nothing: the cost of starting and ending the program itself.

use anyhow::Result;

use crate::bench::goal::Goal;
use crate::bench::peers::Peer;
use crate::bench::program::Program;
use crate::bench::proof::Proof;
use crate::bench::record::{Record, Row, Unit};
use crate::bench::setting::Setting;
use crate::bench::statistics::ratios;

const VALUE: &str = "value";

pub(crate) fn play(setting: &Setting) -> Result<Record> {
    setting.folder.write_numbers(VALUE, 1)?;
    let runs = setting.size.pick(50, 5);
    let wanted =
        [(Peer::Xargs, "xargs -P1", Goal::AtMost(1.5)), (Peer::Parallel, "parallel -j1", Goal::AtMost(0.05))];
    let program = |name, line: &str| Program::new(name, line).reads(VALUE).in_a_row(runs);
    let mut programs = vec![program("procpool", "procpool run -- ./noop")];
    for (peer, ..) in wanted.into_iter().filter(|(peer, ..)| setting.peers.has(*peer)) {
        programs.push(program(peer.name(), &peer.line(1, "./noop")));
    }
    let series = setting.play_proven(&programs, &Proof::of_numbers(1))?;
    let row = |(peer, called, goal): (Peer, &str, Goal)| {
        let measure = format!("wall, against `{called}`");
        let row = match series.iter().find(|series| series.name == peer.name()) {
            Some(other) => Row::new(&measure, Unit::Ratio, &ratios(&series[0].seconds(), &other.seconds())),
            None => Row::not_measured(&measure, Unit::Ratio, "it is not installed"),
        };
        row.with_goal(goal)
    };
    Ok(Record {
        case: String::new(),
        work: format!("one trivial job; {runs} runs in a row are a sample"),
        rows: wanted.map(row).into(),
        notes: Vec::new(),
        series,
    })
}
