//! An archive that somebody has written into.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::archive::archive(bytes));
