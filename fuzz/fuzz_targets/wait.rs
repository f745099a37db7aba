//! For how long whoever was asked wants to be left alone.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::reached::wait(bytes));
