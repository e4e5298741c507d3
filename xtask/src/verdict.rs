//! The result of a step of CI that did not fail.

/// Whether a step could check what it is for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Checked,
    /// This machine lacks what the step needs.
    NotChecked,
}
