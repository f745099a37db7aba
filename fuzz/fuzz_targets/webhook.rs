//! A webhook of GitHub.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::told::webhook(bytes));
