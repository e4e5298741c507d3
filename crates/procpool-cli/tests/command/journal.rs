//! Runs that are recorded and gone on with: nothing is lost, nothing is done or printed twice, and nothing is believed that
//! is not so. Does not know the code behind it: all it sees is statuses, outputs, files and processes.

mod all_signalled;
mod crash;
mod cut;
mod damage;
mod leftovers;
mod library;
mod list;
mod options;
mod pages;
mod printed;
mod resume;
pub(crate) mod touched;
mod trust;
mod writers;

use rustix::process::Signal;

use crate::processes::{is_gone, kill};
use crate::{Ended, Folder, PROCPOOL, Running, Trial, wait_for};

impl Folder {
    /// `procpool run --journal J` with these words.
    fn record(&self, words: &str) -> Trial {
        self.run("--journal J").args(words.split_whitespace())
    }

    /// `procpool resume J` with these words.
    fn resume(&self, words: &str) -> Trial {
        self.command(PROCPOOL).args(["resume", "J"]).args(words.split_whitespace())
    }
}

/// Kills the process that does the work, and waits until its jobs are gone with it.
#[track_caller]
fn killed(running: Running) -> Ended {
    let pool = running.pool();
    kill(&pool, Signal::KILL);
    let ended = running.end().died_of(Signal::KILL);
    wait_for("the pool is gone", || is_gone(&pool));
    ended
}
