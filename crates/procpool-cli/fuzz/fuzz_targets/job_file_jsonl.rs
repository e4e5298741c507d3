//! Job files in JSONL.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| procpool_cli::testing::fuzzing::job_file_jsonl(bytes));
