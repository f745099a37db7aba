//! From where evidence may be fetched, and a URL that somebody gave.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::reached::fetched(bytes));
