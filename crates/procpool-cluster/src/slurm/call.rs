//! One call of one of Slurm's commands: in a session of its own, with a time limit, read whole.
//! Knows nothing of what is asked and answered.

use std::env;
use std::time::Duration;

use procpool_core::{Command, End, Job, Limit, LocalProcess, NotStarted, Outcome, Pool, Ran, Status};

use crate::engine::EngineError;
use crate::slurm::read;

/// A controller that is away is told of by squeue after 8 s, by the others after 4 s.
const TIMEOUT: Duration = Duration::from_secs(10);

/// For sbatch, which may have to go through what an administrator has put before it.
const LONG_TIMEOUT: Duration = Duration::from_secs(60);

/// Time for one that takes no notice of TERM.
const GRACE: Duration = Duration::from_secs(1);

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It has failed with these words.
    Said(String),
    /// It was not there, could not be run, or took too long.
    Silent(EngineError),
}

/// What it has written to standard output.
pub(crate) fn call(command: Command) -> Result<Vec<u8>, Failure> {
    let program = command.program().to_string_lossy().into_owned();
    let timeout = if program == "sbatch" { LONG_TIMEOUT } else { TIMEOUT };
    let job = Job::new(program.as_str(), without_formats(command)).timeout(timeout);
    let unreachable = |words: String| Failure::Silent(EngineError::Unreachable(words));
    let limit = Limit::new(1).map_err(|error| unreachable(error.to_string()))?;
    let pool = Pool::with_runner(limit, LocalProcess::new().grace(GRACE));
    let mut run = pool.run([job]).map_err(|error| unreachable(format!("{program}: {error}")))?;
    let Some(done) = run.next() else { return Err(unreachable(format!("{program} was not run"))) };
    match &done.outcome {
        Outcome::Ran(ran) => match ran.end {
            End::Itself(Status::Exited(0)) if ran.lost.is_none() => {
                ran.stdout.to_vec().map_err(|error| unreachable(format!("{program}: {error}")))
            }
            End::TimedOut(_) => {
                let words = words(ran);
                let colon = if words.is_empty() { "" } else { ": " };
                let seconds = timeout.as_secs();
                Err(unreachable(format!("{program} took longer than {seconds} s{colon}{words}")))
            }
            _ => {
                let words = words(ran);
                Err(Failure::Said(if words.is_empty() {
                    format!("{program}: {}", done.outcome)
                } else {
                    words
                }))
            }
        },
        Outcome::NotStarted(NotStarted::Spawn(error)) if done.outcome.status() == Some(127) => {
            Err(Failure::Silent(EngineError::Missing(error.to_string())))
        }
        Outcome::NotStarted(_) | Outcome::Lost(_) => Err(unreachable(format!("{program}: {}", done.outcome))),
    }
}

/// Without variables that choose what is printed, and of which jobs: those that aren't would look forgotten.
fn without_formats(command: Command) -> Command {
    let names = env::vars_os().map(|(name, _)| name);
    let ours = names.filter(|name| {
        let name = name.to_string_lossy();
        ["SQUEUE_", "SINFO_", "SCANCEL_", "SCONTROL_"].iter().any(|prefix| name.starts_with(prefix))
    });
    ours.fold(command, Command::env_remove)
}

fn words(ran: &Ran) -> String {
    read::words(&ran.stderr.to_string_lossy().unwrap_or_default())
}

impl From<Failure> for EngineError {
    fn from(failure: Failure) -> EngineError {
        match failure {
            Failure::Said(words) if read::is_unconfigured(&words) => EngineError::Missing(format!(
                "Slurm has no configuration on this machine: run this on a login node of the cluster, or set SLURM_CONF ({words})"
            )),
            Failure::Said(words) => EngineError::Unreachable(words),
            Failure::Silent(error) => error,
        }
    }
}
