//! What is known of the input: how much came, whether more may come, how much it is in all.
//! Knows nothing of where it comes from, nor of what becomes of it.

use crate::data::id::Seq;
use crate::schedule::policies::Positions;

/// The input of a run, seen from the schedule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input {
    next: Seq,
    /// How many jobs came: their positions may have gaps.
    jobs: u64,
    positions: Positions,
    state: InputState,
}

#[derive(Clone, Copy, Debug)]
enum InputState {
    /// More may come; how many in all, where the input said so.
    Open {
        expected: Option<u64>,
    },
    Ended,
}

impl Input {
    pub(crate) fn new(expected: Option<u64>, positions: Positions) -> Input {
        Input {
            next: Seq::FIRST,
            jobs: 0,
            positions,
            state: InputState::Open { expected },
        }
    }

    /// The position of a job that came, and may have said which it is.
    pub(crate) fn count(&mut self, position: Option<u64>) -> Seq {
        let seq = match self.positions {
            Positions::Rising => self.next.or_later(position),
            Positions::AsGiven => Seq::FIRST.or_later(position.or(Some(self.next.get()))),
        };
        self.next = self.next.max(seq.next());
        self.jobs += 1;
        seq
    }

    pub(crate) fn end(&mut self) {
        self.state = InputState::Ended;
    }

    pub(crate) fn is_open(self) -> bool {
        matches!(self.state, InputState::Open { .. })
    }

    /// How many jobs there are in all, where that is known.
    pub(crate) fn total(self) -> Option<u64> {
        match self.state {
            InputState::Open { expected } => expected,
            InputState::Ended => Some(self.jobs),
        }
    }
}
