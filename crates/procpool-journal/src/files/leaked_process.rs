//! A process that a job has left behind, as messages and records name it. It may end at any moment, so
//! everything known about it is copied at once.

use std::env;
use std::fmt;

use procpool_core::Shown;
use serde::{Deserialize, Serialize};

use crate::files::job_mark::MARK_VARIABLE;
use crate::os::proc;

/// A process that a job has left behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakedProcess {
    /// Its PID.
    pub pid: u32,
    /// Its name, as much as the kernel keeps.
    pub(crate) program: String,
    /// The position of its job in the list, if its environment still says so.
    pub(crate) seq: Option<u64>,
    /// The key of its job. Invalid UTF-8 is replaced.
    pub(crate) key: Option<String>,
}

impl LeakedProcess {
    /// Reads it from `/proc`; `None` if it has ended.
    #[must_use]
    pub fn look_at(pid: u32) -> Option<LeakedProcess> {
        if proc::stat(pid)?.has_ended {
            return None;
        }
        let environment = proc::environment(pid).unwrap_or_default();
        let within = env::var(MARK_VARIABLE).unwrap_or_default();
        let (seq, key) = job_in(&environment, within.split(' ').filter(|mark| !mark.is_empty()).count());
        Some(LeakedProcess { pid, program: proc::name(pid), seq, key })
    }
}

/// The job of ours in which a process runs, by its environment. `depth`: in how many nested jobs procpool
/// itself runs.
fn job_in(environment: &[u8], depth: usize) -> (Option<u64>, Option<String>) {
    let value = |name: &str| {
        let of_name = |variable| <[u8]>::strip_prefix(variable, name.as_bytes())?.strip_prefix(b"=");
        environment.split(|byte| *byte == 0).find_map(of_name)
    };
    let marks = value(MARK_VARIABLE).map(String::from_utf8_lossy).unwrap_or_default();
    let seq = marks.split(' ').nth(depth).and_then(|mark| mark.split(':').nth(1)?.parse().ok());
    // If the job runs another procpool, PROCPOOL_KEY is the inner one's.
    let is_ours = marks.split(' ').count() == depth + 1;
    let key = value("PROCPOOL_KEY").filter(|_| seq.is_some() && is_ours);
    (seq, key.map(|key| String::from_utf8_lossy(key).into_owned()))
}

impl fmt::Display for LeakedProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LeakedProcess { pid, program, seq, key } = self;
        write!(f, "{} (process {pid}", brief(program))?;
        match (key, seq) {
            (Some(key), _) => write!(f, " of job {})", brief(key)),
            (None, Some(seq)) => write!(f, " of job number {seq})"),
            (None, None) => f.write_str(")"),
        }
    }
}

/// A name that others have chosen, safe for a terminal.
fn brief(name: &str) -> String {
    let name: String = name.chars().take(MOST_OF_A_NAME).collect();
    Shown(name.as_bytes()).to_string()
}

/// In characters.
const MOST_OF_A_NAME: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_job_of_a_process_stands_in_its_environment() {
        let job = |environment: &str, depth| job_in(environment.as_bytes(), depth);
        assert_eq!(job("A=1\0PROCPOOL_WITHIN=r:7:1\0PROCPOOL_KEY=a b\0", 0), (Some(7), Some("a b".into())));
        let nested = "PROCPOOL_WITHIN=r:7:1 s:3:2\0PROCPOOL_KEY=inner\0";
        assert_eq!(job(nested, 0), (Some(7), None));
        assert_eq!(job(nested, 1), (Some(3), Some("inner".into())));
        assert_eq!(job("PROCPOOL_KEY=somebody's\0", 0), (None, None));
        assert_eq!(job("", 0), (None, None));
    }

    #[test]
    fn it_is_named_with_all_that_is_known() {
        let left = LeakedProcess {
            pid: 7,
            program: "tmux".into(),
            seq: Some(3),
            key: Some("a\x1b".into()),
        };
        assert_eq!(left.to_string(), "tmux (process 7 of job a\\u{1b})");
        assert_eq!(
            LeakedProcess { key: None, ..left.clone() }.to_string(),
            "tmux (process 7 of job number 3)"
        );
        assert_eq!(LeakedProcess { key: None, seq: None, ..left }.to_string(), "tmux (process 7)");
    }
}
