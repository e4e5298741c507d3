//! Job files in JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| procpool_cli::testing::fuzzing::job_file_json(bytes));
