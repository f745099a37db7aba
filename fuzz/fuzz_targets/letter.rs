//! A letter, of whatever people wrote.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::reached::letter(bytes));
