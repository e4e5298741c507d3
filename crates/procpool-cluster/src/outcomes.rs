//! What a head has to know about its jobs, which its caller reads from records.

/// The records of a run's jobs so far.
pub trait Outcomes {
    /// Whether the job at this position is finished.
    fn is_finished(&self, position: u64) -> bool;

    /// Which element has taken this piece of the current round.
    ///
    /// # Errors
    /// If that can't be read now: the head asks again later.
    fn holder(&self, piece: usize) -> Result<Holder, Unreadable>;

    /// Whether an element that has taken the job at this position may have begun it. False only if that is certain: the element
    /// has ended in order, and would have recorded it.
    fn was_begun(&self, position: u64, element: u32) -> bool;
}

/// Which element has taken a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// None so far.
    Nobody,
    /// The element with this index.
    Element(u32),
    /// An unknown element: its note is unreadable, because it was killed while it wrote it, for example.
    Somebody,
}

impl Holder {
    pub(crate) fn element(self) -> Option<u32> {
        match self {
            Holder::Element(element) => Some(element),
            Holder::Nobody | Holder::Somebody => None,
        }
    }
}

/// The record can't be read now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;
