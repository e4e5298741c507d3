//! The files of a journal's folder. They are opened by one descriptor of the folder, and trusted only if
//! nobody else can have written them. Also the lock of the folder, and processes that an earlier run has
//! left.

pub mod created_files;
pub mod file;
pub mod folder;
pub(crate) mod holder;
pub mod inputs;
pub mod job_mark;
pub mod leaked_process;
pub mod leftovers;
pub mod live;
pub(crate) mod lock;
pub mod outage;
pub mod run_lock;
pub(crate) mod started_attempts;
pub(crate) mod trusted_owner;
pub mod whereabouts;
pub(crate) mod written_file;
