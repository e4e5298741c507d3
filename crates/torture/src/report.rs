//! What a round found, and the sum of all rounds.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A fork bomb that is left need not fill the screen.
const MOST_LISTED: usize = 12;

/// What came of a round.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct RoundReport {
    pub(crate) seed: u64,
    pub(crate) plan: String,
    /// The signals that were sent and their targets.
    pub(crate) attack: String,
    /// How long the last process outlived procpool, in milliseconds; None where one had to be killed.
    pub(crate) clean_up: Option<f64>,
    /// The processes that were left, each as ps(1) would show it.
    pub(crate) survivors: Vec<String>,
    /// How many processes started by jobs were left because none of procpool's processes lived to end them.
    pub(crate) left_by_jobs: usize,
    /// Processes that are not procpool's and got a signal.
    pub(crate) bystanders: Vec<String>,
    /// Temporary files that were left.
    pub(crate) files: Vec<String>,
    pub(crate) wrong_output: Option<String>,
    pub(crate) wrong_end: Option<String>,
    /// The last lines that procpool wrote to standard error.
    pub(crate) last_words: Vec<String>,
}

impl RoundReport {
    pub(crate) fn is_good(&self) -> bool {
        let RoundReport { survivors, bystanders, files, wrong_output, wrong_end, .. } = self;
        let nobody = survivors.is_empty() && bystanders.is_empty();
        nobody && files.is_empty() && wrong_output.is_none() && wrong_end.is_none()
    }
}

impl fmt::Display for RoundReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}: {}; sent: {}", self.seed, self.plan, self.attack)?;
        let lists =
            [("survivor", &self.survivors), ("bystander hurt", &self.bystanders), ("file left", &self.files)];
        for (what, list) in lists {
            for one in list.iter().take(MOST_LISTED) {
                write!(f, "\n  {what}: {one}")?;
            }
            if list.len() > MOST_LISTED {
                write!(f, "\n  and {} more", list.len() - MOST_LISTED)?;
            }
        }
        for (what, fault) in [("wrong output", &self.wrong_output), ("wrong end", &self.wrong_end)] {
            if let Some(fault) = fault {
                write!(f, "\n  {what}: {fault}")?;
            }
        }
        self.last_words.iter().try_for_each(|line| write!(f, "\n    | {line}"))
    }
}

/// What came of all rounds.
pub(crate) struct Total<'a>(pub(crate) &'a [RoundReport]);

impl Total<'_> {
    pub(crate) fn bad(&self) -> impl Iterator<Item = &RoundReport> {
        self.0.iter().filter(|report| !report.is_good())
    }

    fn attacks(&self) -> BTreeMap<&str, usize> {
        let mut attacks = BTreeMap::new();
        for report in self.0 {
            *attacks.entry(&*report.attack).or_default() += 1;
        }
        attacks
    }
}

impl fmt::Display for Total<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attacks: Vec<_> =
            self.attacks().iter().map(|(attack, count)| format!("{count} {attack}")).collect();
        writeln!(f, "{} rounds: {}", self.0.len(), attacks.join(", "))?;
        let mut times: Vec<(f64, u64)> =
            self.0.iter().filter_map(|report| Some((report.clean_up?, report.seed))).collect();
        times.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        if let [.., (slowest, seed)] = times[..] {
            let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)].0;
            write!(f, "clean-up: median {:.1} ms, p99 {:.1} ms, ", at(50), at(99))?;
            write!(f, "max {slowest:.1} ms (seed {seed}); ")?;
        }
        let sum = |count: fn(&RoundReport) -> usize| self.0.iter().map(count).sum::<usize>();
        write!(
            f,
            "{} survivors in {} rounds, {} bystanders hurt, {} left by jobs in {} rounds that left nobody to end them, {} temporary files left, {} wrong outputs, {} wrong ends",
            sum(|report| report.survivors.len()),
            sum(|report| usize::from(!report.survivors.is_empty())),
            sum(|report| report.bystanders.len()),
            sum(|report| report.left_by_jobs),
            sum(|report| usize::from(report.left_by_jobs > 0)),
            sum(|report| report.files.len()),
            sum(|report| usize::from(report.wrong_output.is_some())),
            sum(|report| usize::from(report.wrong_end.is_some())),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_faults_of_a_round_are_told_with_its_seed() {
        let report = RoundReport {
            seed: 7,
            plan: "9 jobs".into(),
            attack: "KILL to the pool".into(),
            survivors: vec!["12 S 1 sleeper 60".into()],
            left_by_jobs: 3,
            bystanders: vec!["sleep 13 died of 9".into()],
            files: vec!["spool".into()],
            wrong_output: Some("twice".into()),
            wrong_end: Some("hung".into()),
            last_words: vec!["no".into()],
            clean_up: None,
        };
        let expected = "seed 7: 9 jobs; sent: KILL to the pool\n  survivor: 12 S 1 sleeper 60\n  \
                        bystander hurt: sleep 13 died of 9\n  file left: spool\n  \
                        wrong output: twice\n  wrong end: hung\n    | no";
        assert_eq!(report.to_string(), expected);
    }

    #[test]
    fn each_fault_alone_makes_a_round_bad() {
        let bad = [
            RoundReport { survivors: vec!["a".into()], ..RoundReport::default() },
            RoundReport { bystanders: vec!["a".into()], ..RoundReport::default() },
            RoundReport { files: vec!["a".into()], ..RoundReport::default() },
            RoundReport { wrong_output: Some("a".into()), ..RoundReport::default() },
            RoundReport { wrong_end: Some("a".into()), ..RoundReport::default() },
        ];
        assert!(bad.iter().all(|report| !report.is_good()));
        assert_eq!(Total(&bad).bad().count(), 5);
        assert!(RoundReport::default().is_good());
    }

    #[test]
    fn the_total_counts_signals_and_times() {
        let attack = |attack: &str, clean_up| RoundReport {
            attack: attack.into(),
            clean_up,
            ..RoundReport::default()
        };
        let mut reports: Vec<RoundReport> = (0..99).map(|_| attack("nothing", Some(2.0))).collect();
        reports.push(RoundReport { seed: 7, ..attack("KILL to the pool", Some(9.0)) });
        reports.push(RoundReport {
            survivors: vec!["a".into(), "b".into()],
            ..attack("nothing", None)
        });
        let expected = "101 rounds: 1 KILL to the pool, 100 nothing\n\
                        clean-up: median 2.0 ms, p99 9.0 ms, max 9.0 ms (seed 7); 2 survivors in 1 rounds, \
                        0 bystanders hurt, 0 left by jobs in 0 rounds that left nobody to end them, 0 temporary files left, 0 wrong outputs, 0 wrong ends";
        assert_eq!(Total(&reports).to_string(), expected);
        assert!(Total(&[]).to_string().starts_with("0 rounds: \n0 survivors in 0 rounds, 0 bystanders hurt"));
    }
}
