//! Names and short texts, as they stand in paths, commands and arguments.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::names(bytes));
