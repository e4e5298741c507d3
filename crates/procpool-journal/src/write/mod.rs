//! Writes a journal: records and outputs, the list ahead of its run, and how far outputs have been printed.
//! Each write is done whole or not at all, so that after a kill at any moment the next run can continue.

pub(crate) mod group_commit;
pub mod journal_writer;
pub mod list_file;
pub mod output_shape;
pub(crate) mod partial_output;
pub(crate) mod print_history;
pub mod print_log;
pub mod row_file;
pub mod stored_jobs;
pub(crate) mod word_file;
