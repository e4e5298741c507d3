//! Decides whether another start is allowed: by the time since the last one, and by a reading of the machine's load and
//! memory. Pure: the reading is taken by `pool/gauge.rs`.

use std::time::{Duration, Instant};

use crate::outcome::snapshot::HeldUp;

/// Enforces the least time between two starts.
#[derive(Debug)]
pub(crate) struct Pace {
    delay: Duration,
    /// Nothing starts before this moment; `None` if nothing was started yet, or if there is no delay.
    next: Option<Instant>,
}

impl Pace {
    pub(crate) fn new(delay: Duration) -> Pace {
        Pace { delay, next: None }
    }

    /// When the next start is allowed; `None` if it is allowed now.
    pub(crate) fn holds_until(&self, now: Instant) -> Option<Instant> {
        self.next.filter(|next| now < *next)
    }

    pub(crate) fn note_start(&mut self, now: Instant) {
        if !self.delay.is_zero() {
            self.next = Some(later(now, self.delay));
        }
    }
}

/// The limits that a reading must satisfy before each start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AdmissionRules {
    /// Start nothing unless fewer tasks than this are runnable.
    pub(crate) load_limit: Option<u64>,
    /// Start nothing while fewer bytes of memory than this are available.
    pub(crate) memory_reserve: Option<u64>,
}

/// A reading of the machine. `None` is a value that no rule needs, or that could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Runnable tasks, this one excluded.
    pub(crate) running_tasks: Option<u64>,
    /// In bytes.
    pub(crate) available_memory: Option<u64>,
}

/// The rules, and whether the last reading satisfied them.
#[derive(Debug)]
pub(crate) struct Admission {
    rules: AdmissionRules,
    state: AdmissionState,
}

#[derive(Clone, Copy, Debug)]
enum AdmissionState {
    /// There are no rules.
    Open,
    /// The next start is allowed. Each start needs a reading of its own, because it changes the load.
    Admitted,
    /// Nothing starts before the next reading, which is due at `until`.
    Closed { until: Option<Instant>, by: Option<HeldUp> },
}

/// The time from a reading that prevented a start to the next one.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// The time from a start to the next reading. A job that was just started doesn't show in the load yet; without
/// this time a hundred of them would be admitted one by one.
const SETTLE: Duration = Duration::from_millis(10);

impl AdmissionRules {
    pub(crate) fn is_empty(self) -> bool {
        self == AdmissionRules::default()
    }

    fn held_up_by(self, reading: Reading) -> Option<HeldUp> {
        // A value that can't be read prevents the start, until a later reading has it.
        let is_loaded = |most| reading.running_tasks.is_none_or(|running| running >= most);
        let is_short = |least| reading.available_memory.is_none_or(|available| available < least);
        if self.load_limit.is_some_and(is_loaded) {
            Some(HeldUp::Load)
        } else if self.memory_reserve.is_some_and(is_short) {
            Some(HeldUp::Memory)
        } else {
            None
        }
    }
}

impl Admission {
    pub(crate) fn new(rules: AdmissionRules) -> Admission {
        let state = if rules.is_empty() {
            AdmissionState::Open
        } else {
            AdmissionState::Closed { until: None, by: None }
        };
        Admission { rules, state }
    }

    /// Whether the next start needs a reading now.
    pub(crate) fn wants_reading(&self, now: Instant) -> bool {
        match self.state {
            AdmissionState::Open | AdmissionState::Admitted => false,
            AdmissionState::Closed { until, .. } => until.is_none_or(|until| until <= now),
        }
    }

    pub(crate) fn note_reading(&mut self, reading: Reading, now: Instant) {
        self.state = match self.rules.held_up_by(reading) {
            None => AdmissionState::Admitted,
            by => AdmissionState::Closed { until: Some(now + LOOK_AGAIN), by },
        };
    }

    pub(crate) fn note_start(&mut self, now: Instant) {
        if let AdmissionState::Admitted = self.state {
            self.state = AdmissionState::Closed { until: Some(now + SETTLE), by: None };
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.state, AdmissionState::Closed { .. })
    }

    /// When the next reading is due; `None` if at once, or if nothing prevents the next start.
    pub(crate) fn next_reading(&self) -> Option<Instant> {
        match self.state {
            AdmissionState::Closed { until, .. } => until,
            AdmissionState::Open | AdmissionState::Admitted => None,
        }
    }

    /// Which rule the last reading failed.
    pub(crate) fn held_up_by(&self) -> Option<HeldUp> {
        match self.state {
            AdmissionState::Closed { by, .. } => by,
            AdmissionState::Open | AdmissionState::Admitted => None,
        }
    }
}

/// Practically forever; adding it doesn't overflow any clock.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// `now + duration`, without overflow.
pub(crate) fn later(now: Instant, duration: Duration) -> Instant {
    now + duration.min(FOR_EVER)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: AdmissionRules = AdmissionRules { load_limit: Some(2), memory_reserve: Some(100) };

    fn reading(running_tasks: u64, available_memory: u64) -> Reading {
        Reading {
            running_tasks: Some(running_tasks),
            available_memory: Some(available_memory),
        }
    }

    #[test]
    fn load_and_memory_are_held_against_their_bounds() {
        assert_eq!(BOTH.held_up_by(reading(1, 100)), None);
        assert_eq!(BOTH.held_up_by(reading(2, 100)), Some(HeldUp::Load));
        assert_eq!(BOTH.held_up_by(reading(1, 99)), Some(HeldUp::Memory));
        assert_eq!(BOTH.held_up_by(Reading::default()), Some(HeldUp::Load));
        let unread = Reading { available_memory: None, ..reading(0, 0) };
        assert_eq!(BOTH.held_up_by(unread), Some(HeldUp::Memory));
        assert_eq!(AdmissionRules::default().held_up_by(Reading::default()), None);
    }

    #[test]
    fn without_a_rule_nobody_looks() {
        let mut admission = Admission::new(AdmissionRules::default());
        let now = Instant::now();
        for _ in 0..3 {
            assert!(!admission.wants_reading(now) && !admission.is_closed());
            admission.note_start(now);
        }
    }

    #[test]
    fn each_start_takes_a_look_of_its_own_once_the_one_before_can_be_seen() {
        let mut admission = Admission::new(BOTH);
        let now = Instant::now();
        assert!(admission.is_closed() && admission.wants_reading(now));
        admission.note_reading(reading(0, 1000), now);
        assert!(!admission.is_closed() && !admission.wants_reading(now));
        admission.note_start(now);
        assert!(admission.is_closed() && !admission.wants_reading(now));
        assert_eq!((admission.next_reading(), admission.held_up_by()), (Some(now + SETTLE), None));
        assert!(admission.wants_reading(now + SETTLE));
    }

    #[test]
    fn while_it_holds_up_it_is_looked_again_now_and_then() {
        let mut admission = Admission::new(BOTH);
        let now = Instant::now();
        admission.note_reading(reading(9, 1000), now);
        assert_eq!(admission.held_up_by(), Some(HeldUp::Load));
        assert_eq!(admission.next_reading(), Some(now + LOOK_AGAIN));
        assert!(admission.is_closed() && !admission.wants_reading(now));
        assert!(admission.wants_reading(now + LOOK_AGAIN));
        admission.note_reading(reading(0, 1000), now + LOOK_AGAIN);
        assert!(!admission.is_closed());
    }
}
