//! Decides what a resume does about each job of a list.
//! By what was recorded and by what was typed, before anything is run.

pub mod decision;
pub mod last_list;
pub mod resumption;
