//! What a head has to know of its jobs, which only its caller can tell.
//! Knows nothing of how it comes to know that.

/// What has come of a run's jobs so far.
pub trait Outcomes {
    /// Whether the job at this position needs nothing more.
    fn is_finished(&self, position: u64) -> bool;

    /// Who has taken this piece of the round that is in hand.
    ///
    /// # Errors
    /// Where that can't be told just now: it is asked again later.
    fn holder(&self, piece: usize) -> Result<Holder, Unreadable>;

    /// Whether an element that had taken it may have begun the job at this position. It has not only where that is known: it
    /// has ended in order, and would have written so down.
    fn was_begun(&self, position: u64, element: u32) -> bool;
}

/// Who has taken a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// No element, so far.
    Nobody,
    /// The element with this index.
    Element(u32),
    /// Somebody whose note can't be made out: he was killed while he wrote it, say.
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

/// What is asked for can't be read now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;
