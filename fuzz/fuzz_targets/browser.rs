//! A browser as it describes itself.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::reached::browser(bytes));
