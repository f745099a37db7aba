//! A folded state, kept as a snapshot.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::kept::state(bytes));
