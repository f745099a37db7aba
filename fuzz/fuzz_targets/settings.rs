//! The settings file.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::kept::settings(bytes));
