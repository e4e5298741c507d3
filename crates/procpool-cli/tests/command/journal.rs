//! Runs that are recorded and gone on with: nothing is lost, nothing is done or printed twice, and nothing is believed that
//! is not so. Does not know the code behind it: all it sees is statuses, outputs, files and processes.

mod crash;
