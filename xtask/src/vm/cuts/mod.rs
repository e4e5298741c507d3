//! Power cuts: runs with a journal on virtual machines that are killed at any moment, started again and
//! resumed. `judge` says what must be right afterwards.

mod job;
mod judge;
mod lane;
mod moment;

use std::fmt;
use std::time::Instant;

use anyhow::{Result, ensure};
use torture::lanes;

use crate::vm::builder::{LANES, MachineBuilder};
pub(crate) use crate::vm::cuts::lane::Durability;
use crate::vm::cuts::lane::LaneResult;

/// How many cuts, their seed, and whether runs are durable.
#[derive(Clone, Copy)]
pub(crate) struct CutOptions {
    pub(crate) cuts: u64,
    pub(crate) seed: u64,
    pub(crate) durability: Durability,
}

/// Cuts the power, and fails if something was lost.
pub(crate) fn run(builder: &MachineBuilder, orders: CutOptions) -> Result<()> {
    let CutOptions { cuts, seed, durability } = orders;
    println!("seed {seed}: {cuts} power cuts");
    let begun = Instant::now();
    let moments = moment::moments(seed, cuts);
    let shares: Vec<_> = moments.chunks(moments.len().div_ceil(LANES).max(1)).enumerate().collect();
    let played = lanes::each(LANES, shares, |(number, moments)| {
        lane::play(builder, &format!("lane-{number}"), moments, durability)
    })?;
    let mut total = LaneResult::default();
    for played in &played {
        total.add(played);
    }
    println!("{total}; {:.1} s", begun.elapsed().as_secs_f64());
    for fault in &total.faults {
        println!("  {fault}");
    }
    ensure!(
        total.faults.is_empty(),
        "{} faults after power cuts; again: `cargo xtask vm --cuts {cuts} --seed {seed}`",
        total.faults.len()
    );
    Ok(())
}

impl fmt::Display for LaneResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LaneResult { cuts, starts, lists, shown, recorded, again, faults } = self;
        write!(
            f,
            "{cuts} cuts in {starts} starts, {lists} lists done: {recorded} results recorded, {shown} seen, {} faults; \
             {} jobs run again, {} after one cut at most; {} outputs shown twice",
            faults.len(),
            again.run,
            again.most,
            again.shown
        )
    }
}
