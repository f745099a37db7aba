//! The body that opens an incident, as the API reads it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::opening(bytes));
