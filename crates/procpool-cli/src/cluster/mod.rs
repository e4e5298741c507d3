//! A run on a cluster: the head, which submits slices and follows their records, and the files through which
//! the head and the slices communicate.

pub(crate) mod bad_nodes;
pub(crate) mod claims;
pub(crate) mod halt_file;
pub(crate) mod head;
pub(crate) mod head_config;
mod job_facts;
pub(crate) mod list_index;
mod logs;
pub(crate) mod order;
pub(crate) mod outcome_forwarder;
pub(crate) mod own_folder;
pub(crate) mod round_owner;
mod running_jobs;
pub(crate) mod slice_files;
pub(crate) mod slice_jobs;
mod takeover;
pub(crate) mod workload;

#[cfg(test)]
mod tests;
