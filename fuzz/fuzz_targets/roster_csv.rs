//! A roster in CSV, as it is imported.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::roster_csv(bytes));
