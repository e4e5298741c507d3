//! Which signals are new where each may come twice: pure.
//! Knows nothing of what they mean.

/// Where a signal came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignalSource {
    /// This process got it.
    Own,
    /// The front got it, which the shell knows, and has passed it on.
    Front,
    /// The keeper got it itself.
    Keeper,
}

/// What a signal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occurrence {
    New,
    /// Another source has told of it.
    Duplicate,
}

/// How often each signal has come.
///
/// A terminal sends its signals to the whole foreground group, to this process and to the front, and so does
/// `kill -INT -GROUP`; `kill -INT PID` goes to the front alone, and who signals all processes of a cgroup reaches the keeper
/// as well. So the number of times that a signal was meant is the largest of the three counts: one Ctrl-C must not count
/// as two, and two must.
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
