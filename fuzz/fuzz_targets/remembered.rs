//! What is remembered of a request.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::kept::remembered(bytes));
