//! Prints the outputs of jobs: whole or line by line, as they come or in the order of the input. For a resume
//! it is noted, to the byte, how far each has been printed.

pub(crate) mod catch_up;
pub(crate) mod discard;
pub(crate) mod failures;
pub(crate) mod in_order;
pub(crate) mod line_follower;
pub(crate) mod line_progress;
pub(crate) mod lines;
pub(crate) mod print;
pub(crate) mod print_progress;
pub(crate) mod reorder;
pub(crate) mod replay;
pub(crate) mod reshape;
pub(crate) mod shape;
pub(crate) mod stream;
pub(crate) mod tag;
