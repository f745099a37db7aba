//! An address that this server would ask.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::reached::endpoint(bytes));
