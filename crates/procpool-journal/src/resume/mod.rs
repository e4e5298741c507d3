//! Decides what a resume does about each job of a list, before anything is run: by what was recorded and by
//! the options.

pub mod decision;
pub mod last_list;
pub mod resumption;
