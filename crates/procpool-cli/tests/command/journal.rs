//! Runs with a journal, and their resumes: nothing is lost, no job is done or printed twice, and no false
//! record is believed. The tests look only at exit statuses, outputs, files and processes.

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
    fn record(&self, words: &str) -> Trial {
        self.run("--journal J").args(words.split_whitespace())
    }

    fn resume(&self, words: &str) -> Trial {
        self.command(PROCPOOL).args(["resume", "J"]).args(words.split_whitespace())
    }
}

/// Kills the pool, and waits until its jobs are gone as well.
#[track_caller]
fn killed(running: Running) -> Ended {
    let pool = running.pool();
    kill(&pool, Signal::KILL);
    let ended = running.end().died_of(Signal::KILL);
    wait_for("the pool is gone", || is_gone(&pool));
    ended
}
