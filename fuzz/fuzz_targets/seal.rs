//! The sealing of texts, on any JSON tree.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::seal(bytes));
