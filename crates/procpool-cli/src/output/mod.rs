//! Prints what jobs write: each output whole or line by line, in which order.
//! How far each has been printed is noted for a resume, to the byte.

pub(crate) mod account;
pub(crate) mod catch_up;
pub(crate) mod failures;
pub(crate) mod forget;
pub(crate) mod in_order;
pub(crate) mod lines;
pub(crate) mod note;
pub(crate) mod passage;
pub(crate) mod print;
pub(crate) mod reorder;
pub(crate) mod replay;
pub(crate) mod shape;
pub(crate) mod stream;
pub(crate) mod tag;
pub(crate) mod translate;
