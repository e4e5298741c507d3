//! Names and texts on their way into a message or to a terminal.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| procpool_cli::testing::fuzzing::shown(bytes));
