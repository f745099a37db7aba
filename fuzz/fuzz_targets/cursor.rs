//! A cursor that a client brings back.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::cursor(bytes));
