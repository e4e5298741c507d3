//! The test process.
