//! Which signals are new and which are duplicates: a pure rule, because each signal may reach procpool on up
//! to three ways.

/// Which of the three processes received a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignalSource {
    /// This one.
    Own,
    /// The front, which the shell knows.
    Front,
    /// The keeper, which is alone in its session.
    Keeper,
}

/// Whether a signal has been counted before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occurrence {
    New,
    /// It has been counted when another process received it.
    Duplicate,
}

/// How often each signal has come.
///
/// A terminal signals the whole foreground group, so this process and the front, and so does `kill -INT
/// -GROUP`. `kill -INT PID` reaches only the front, and a signal to all processes of a cgroup the keeper as
/// well. So a signal was sent as often as the largest of the three counts: one Ctrl-C must not count as two,
/// and two must.
pub(super) struct SignalCounts([SourceCounts; 65]);

#[derive(Clone, Copy, Default)]
struct SourceCounts {
    own: u64,
    of_front: u64,
    of_keeper: u64,
}

impl SourceCounts {
    fn meant(self) -> u64 {
        self.own.max(self.of_front).max(self.of_keeper)
    }
}

impl Default for SignalCounts {
    fn default() -> SignalCounts {
        SignalCounts([SourceCounts::default(); 65])
    }
}

impl SignalCounts {
    pub(super) fn note(&mut self, source: SignalSource, signal: i32) -> Occurrence {
        let Some(count) = usize::try_from(signal).ok().and_then(|signal| self.0.get_mut(signal)) else {
            return Occurrence::New;
        };
        let before = count.meant();
        match source {
            SignalSource::Own => count.own += 1,
            SignalSource::Front => count.of_front += 1,
            SignalSource::Keeper => count.of_keeper += 1,
        }
        if count.meant() > before { Occurrence::New } else { Occurrence::Duplicate }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new_ones(heard: &[(SignalSource, i32)]) -> usize {
        let mut counts = SignalCounts::default();
        heard.iter().filter(|(source, signal)| counts.note(*source, *signal) == Occurrence::New).count()
    }

    #[test]
    fn one_that_comes_both_ways_is_one() {
        assert_eq!(new_ones(&[(SignalSource::Own, 2), (SignalSource::Front, 2)]), 1);
        assert_eq!(new_ones(&[(SignalSource::Front, 2), (SignalSource::Own, 2)]), 1);
        let twice = [
            (SignalSource::Own, 2),
            (SignalSource::Own, 2),
            (SignalSource::Front, 2),
            (SignalSource::Front, 2),
        ];
        assert_eq!(new_ones(&twice), 2);
        assert_eq!(
            new_ones(&[(SignalSource::Keeper, 2), (SignalSource::Front, 2), (SignalSource::Own, 2)]),
            1
        );
    }

    #[test]
    fn those_that_come_one_way_are_all_counted() {
        assert_eq!(new_ones(&[(SignalSource::Own, 2), (SignalSource::Own, 2)]), 2);
        assert_eq!(new_ones(&[(SignalSource::Front, 2), (SignalSource::Front, 2)]), 2);
        assert_eq!(new_ones(&[(SignalSource::Front, 2), (SignalSource::Own, 15)]), 2);
    }
}
