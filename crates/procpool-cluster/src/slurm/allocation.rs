//! Interprets the environment variables that Slurm sets for what it runs. Pure.

use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::allocation::{Allocation, ElementOf};

/// The variables that Slurm doesn't set for every job.
pub(crate) const OF_A_JOB: [&str; 4] =
    ["SLURM_RESTART_COUNT", "SLURM_JOB_END_TIME", "SLURM_STEP_GPUS", "SLURM_JOB_GPUS"];

/// The allocation of the current job; `None` outside of a job.
pub(crate) fn of(variable: &dyn Fn(&str) -> Option<String>) -> Option<Allocation> {
    let number = |name: &str| variable(name)?.parse::<u32>().ok();
    let job = variable("SLURM_JOB_ID").or_else(|| variable("SLURM_ARRAY_JOB_ID"))?;
    let element = variable("SLURM_ARRAY_JOB_ID").zip(number("SLURM_ARRAY_TASK_ID"));
    Some(Allocation {
        job,
        element: element.map(|(array, index)| ElementOf { array, index }),
        processors: number("SLURM_CPUS_ON_NODE"),
        node: variable("SLURMD_NODENAME"),
        restarts: number("SLURM_RESTART_COUNT").unwrap_or(0),
        ends: variable("SLURM_JOB_END_TIME").and_then(|seconds| time(&seconds)),
        gpus: gpus(variable),
    })
}

/// Parses seconds since 1970. Slurm represents "no end" by a word or by a distant year.
pub(crate) fn time(seconds: &str) -> Option<SystemTime> {
    const FAR_AWAY: u64 = 32_503_680_000;
    let seconds = seconds.trim().parse::<u64>().ok().filter(|seconds| (1..FAR_AWAY).contains(seconds))?;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// If devices are confined, a job's devices are numbered from 0 within it, and only `CUDA_VISIBLE_DEVICES` has these numbers.
fn gpus(variable: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let list = |name: &str| -> Option<Vec<String>> {
        let words = variable(name)?;
        let words = words.split(',').map(str::trim).filter(|word| !word.is_empty());
        Some(words.flat_map(each).collect())
    };
    let Some(given) = list("SLURM_STEP_GPUS").or_else(|| list("SLURM_JOB_GPUS")) else { return Vec::new() };
    list("CUDA_VISIBLE_DEVICES").filter(|visible| visible.len() == given.len()).unwrap_or(given)
}

/// Expands ranges: `0-3` is four devices, `GPU-8f7…` is one.
fn each(word: &str) -> Vec<String> {
    let range = word.split_once('-').and_then(|(first, last)| Some(first.parse().ok()?..=last.parse().ok()?));
    match range.filter(|range: &RangeInclusive<u16>| !range.is_empty()) {
        Some(range) => range.map(|device| device.to_string()).collect(),
        None => vec![word.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_these(variables: &[(&str, &str)]) -> Option<Allocation> {
        of(&|wanted| {
            let mut values = variables.iter().filter(|(name, _)| *name == wanted);
            values.next().map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn an_element_finds_itself_in_its_environment() {
        let allocation = of_these(&[
            ("SLURM_JOB_ID", "19"),
            ("SLURM_ARRAY_JOB_ID", "17"),
            ("SLURM_ARRAY_TASK_ID", "2"),
            ("SLURM_CPUS_ON_NODE", "8"),
            ("SLURMD_NODENAME", "n3"),
            ("SLURM_RESTART_COUNT", "1"),
            ("SLURM_JOB_END_TIME", "1700000000"),
        ]);
        let expected = Allocation {
            job: "19".into(),
            element: Some(ElementOf { array: "17".into(), index: 2 }),
            processors: Some(8),
            node: Some("n3".into()),
            restarts: 1,
            ends: Some(UNIX_EPOCH + Duration::from_secs(1_700_000_000)),
            gpus: Vec::new(),
        };
        assert_eq!(allocation, Some(expected));
    }

    #[test]
    fn a_shell_in_a_job_is_no_element_and_what_is_in_none_has_no_allocation() {
        assert_eq!(of_these(&[("SLURM_JOB_ID", "19")]).unwrap().element, None);
        assert_eq!(of_these(&[("SLURM_CONF", "/etc/slurm.conf")]), None);
    }

    #[test]
    fn a_job_without_an_end_has_none() {
        for end in ["", "0", "NONE", "Unknown", "99999999999999"] {
            assert_eq!(time(end), None, "{end}");
        }
    }

    #[test]
    fn gpus_go_by_the_numbers_that_they_have_in_the_job() {
        let gpus = |given, visible| {
            let variables =
                [("SLURM_JOB_ID", "1"), ("SLURM_JOB_GPUS", given), ("CUDA_VISIBLE_DEVICES", visible)];
            of_these(&variables).unwrap().gpus
        };
        assert_eq!(gpus("2,3", "0,1"), ["0", "1"]);
        assert_eq!(gpus("2,3", ""), ["2", "3"]);
        assert_eq!(gpus("0-2,5", ""), ["0", "1", "2", "5"]);
        assert_eq!(gpus("4-5", "0,1"), ["0", "1"]);
        assert_eq!(gpus("0", "GPU-8f7e-11"), ["GPU-8f7e-11"]);
        assert_eq!(gpus("3-1", ""), ["3-1"]);
        // The caller's own variable, if Slurm has given no GPUs.
        assert_eq!(of_these(&[("SLURM_JOB_ID", "1"), ("CUDA_VISIBLE_DEVICES", "0")]).unwrap().gpus, [""; 0]);
    }
}
