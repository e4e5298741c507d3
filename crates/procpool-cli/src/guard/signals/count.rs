//! Which signals are new where each may come twice: pure.
//! Knows nothing of what they mean.

/// Where a signal came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// This process got it.
    Own,
    /// The front got it, which the shell knows, and has passed it on.
    Front,
    /// The keeper got it itself.
    Keeper,
}

/// What a signal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    New,
    /// Another source has told of it.
    Already,
}

/// How often each signal has come.
///
/// A terminal sends its signals to the whole foreground group, to this process and to the front, and so does
/// `kill -INT -GROUP`; `kill -INT PID` goes to the front alone, and who signals all processes of a cgroup reaches the keeper
/// as well. So the number of times that a signal was meant is the largest of the three counts: one Ctrl-C must not count
/// as two, and two must.
pub(super) struct Counts([Count; 65]);

#[derive(Clone, Copy, Default)]
struct Count {
    own: u64,
    of_front: u64,
    of_keeper: u64,
}

impl Count {
    fn meant(self) -> u64 {
        self.own.max(self.of_front).max(self.of_keeper)
    }
}

impl Default for Counts {
    fn default() -> Counts {
        Counts([Count::default(); 65])
    }
}

impl Counts {
    pub(super) fn hear(&mut self, source: Source, signal: i32) -> Heard {
        let Some(count) = usize::try_from(signal).ok().and_then(|signal| self.0.get_mut(signal)) else {
            return Heard::New;
        };
        let before = count.meant();
        match source {
            Source::Own => count.own += 1,
            Source::Front => count.of_front += 1,
            Source::Keeper => count.of_keeper += 1,
        }
        if count.meant() > before { Heard::New } else { Heard::Already }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new_ones(heard: &[(Source, i32)]) -> usize {
        let mut counts = Counts::default();
        heard.iter().filter(|(source, signal)| counts.hear(*source, *signal) == Heard::New).count()
    }

    #[test]
    fn one_that_comes_both_ways_is_one() {
        assert_eq!(new_ones(&[(Source::Own, 2), (Source::Front, 2)]), 1);
        assert_eq!(new_ones(&[(Source::Front, 2), (Source::Own, 2)]), 1);
        let twice = [(Source::Own, 2), (Source::Own, 2), (Source::Front, 2), (Source::Front, 2)];
        assert_eq!(new_ones(&twice), 2);
        assert_eq!(new_ones(&[(Source::Keeper, 2), (Source::Front, 2), (Source::Own, 2)]), 1);
    }

    #[test]
    fn those_that_come_one_way_are_all_counted() {
        assert_eq!(new_ones(&[(Source::Own, 2), (Source::Own, 2)]), 2);
        assert_eq!(new_ones(&[(Source::Front, 2), (Source::Front, 2)]), 2);
        assert_eq!(new_ones(&[(Source::Front, 2), (Source::Own, 15)]), 2);
    }
}
