//! Runs one of Slurm's commands, in a session of its own and with a timeout, and collects its output.

use std::env;
use std::time::Duration;

use procpool_core::{Command, End, Job, Limit, LocalProcess, NotStarted, Outcome, Pool, Ran, Status};

use crate::engine::EngineError;
use crate::slurm::read;

/// If the controller is away, squeue says so after 8 s, the other commands after 4 s.
const TIMEOUT: Duration = Duration::from_secs(10);

/// For sbatch, whose submit plugins may take long.
const LONG_TIMEOUT: Duration = Duration::from_secs(60);

/// The time that a command has to end by TERM.
const GRACE: Duration = Duration::from_secs(1);

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It failed with this message.
    Said(String),
    /// It was missing, couldn't be run, or timed out.
    Silent(EngineError),
}

/// Returns the standard output of a command.
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

/// Removes the variables that change the output format or select jobs: jobs that are not selected would seem forgotten.
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
