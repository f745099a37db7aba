//! Evidence: what it is called, and what its bytes are.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::requests::evidence(bytes));
