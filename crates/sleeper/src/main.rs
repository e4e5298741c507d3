//! The test process: sleeps, prints, fails and misbehaves as its options say.

mod args;
mod behind;
mod ending;
mod output;
mod quantity;
mod signals;

use anyhow::Result;
use args::Args;
use ending::Exit;
use sleeper::stamp;
use std::process::ExitCode;
use std::thread;

fn main() -> ExitCode {
    let args = Args::typed();
    run(&args).unwrap_or_else(|error| Exit::of_error(&error)).into()
}

fn run(args: &Args) -> Result<Exit> {
    let key = args.key();
    let stamped = args.stamp.as_deref().map(|file| stamp::start(file, &key)).transpose()?;
    let worked = work(args);
    // Before the `?`, because a failed sleeper has ended too.
    if let Some(started) = stamped {
        started.end()?;
    }
    worked?;
    args.ending.end(&key, args.stamp.as_deref())
}

/// Everything between the two stamps. What a test may wait for is in effect before `ready` is printed.
fn work(args: &Args) -> Result<()> {
    args.behind.leave(&args.signals)?;
    args.signals.arm()?;
    args.output.print(&args.signals, &args.key())?;
    args.signals.stop()?;
    thread::sleep(args.seconds.duration);
    args.output.print_slept(&args.seconds)
}
