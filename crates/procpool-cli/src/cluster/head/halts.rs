//! How the head halts the slices: during the run, and at its end.

use std::time::Instant;

use anyhow::Context;
use procpool_core::{Driver, Halt};

use super::{HeadLoop, LAST_WORDS, SHORTEST};
use crate::cluster::halt_file;
use crate::job::work::Work;

impl HeadLoop {
    /// Forwards a halt of the run to the slices.
    pub(super) fn halt(&mut self, driver: &Driver<Work>) -> anyhow::Result<()> {
        let halted = driver.halted();
        self.keeper_gate.pass();
        if halted == self.told || self.leave.is_asked() {
            return Ok(());
        }
        if matches!(halted, Halt::Stop(_) | Halt::Kill) && self.leave.note_lost_terminal() {
            return Ok(());
        }
        let told = self.tell_slices(halted);
        // If the folder can't be used, the next turn tries again, and the engine is still asked to cancel.
        if self.unless_away(told)?.is_some() {
            self.told = halted;
        }
        if halted != self.obeyed {
            self.obeyed = halted;
            match halted {
                Halt::GoOn => {}
                Halt::Drain => self.head.drain(Instant::now()),
                Halt::Stop(_) | Halt::Kill => self.head.cancel(Instant::now()),
            }
        }
        Ok(())
    }

    fn tell_slices(&self, halted: Halt) -> anyhow::Result<()> {
        let mut files = self.tags.iter().map(|tag| self.session.folder.halt(tag));
        files.try_for_each(|file| halt_file::tell(&file, halted)).context("can't halt the slices")
    }

    /// Kills slices that still run although the run is over, such as those on a node that was cut off. Then
    /// follows their records for a while, to count the jobs that ended twice.
    pub(super) fn dismiss(&mut self, driver: &mut Driver<Work>) -> anyhow::Result<()> {
        for tag in &self.tags {
            // An error is ignored: a slice that can't read the file ends by itself.
            let _ = halt_file::tell(&self.session.folder.halt(tag), Halt::Kill);
        }
        let begun = Instant::now();
        while !self.slice_files.are_over() && begun.elapsed() < LAST_WORDS {
            self.follow(driver)?;
            driver.wait(SHORTEST);
        }
        Ok(())
    }
}
