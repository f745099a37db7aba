//! An incident's event, as the log gives it back.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::stored_event(bytes));
