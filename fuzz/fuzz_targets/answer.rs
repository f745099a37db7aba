//! An answer, as the command shows it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::terminal::answer(bytes));
