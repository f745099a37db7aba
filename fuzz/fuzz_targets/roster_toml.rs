//! A roster in TOML, as it is imported.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::roster_toml(bytes));
