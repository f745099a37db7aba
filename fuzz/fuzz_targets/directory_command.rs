//! The body of a change to the directory, as the API reads it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::directory_command(bytes));
