//! Files of a journal: records and lists.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| procpool_cli::testing::fuzzing::journal(bytes));
