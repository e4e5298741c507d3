//! A run on a cluster: its head, which follows what slices record, and what a slice is told.
//! Knows no engine's commands; `procpool-cluster` does.

pub(crate) mod bad_nodes;
pub(crate) mod claims;
pub(crate) mod courier;
mod facts;
pub(crate) mod halting;
pub(crate) mod hand;
pub(crate) mod head;
pub(crate) mod index;
mod logs;
pub(crate) mod order;
pub(crate) mod own_folder;
pub(crate) mod post;
mod roster;
pub(crate) mod share;
pub(crate) mod tails;
mod take_up;
pub(crate) mod taking;

#[cfg(test)]
mod tests;
