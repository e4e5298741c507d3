//! What became of a step that no error stopped.
//! It does not know why a step can't run here: that is the step's to say.

/// A step either looked at what it is for, or says that it could not.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Checked,
    /// What it needs is not on this machine.
    NotChecked,
}
