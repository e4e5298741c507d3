//! The test process.
fn main() {}
