//! What people write, on the sheet.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::sheet::sheet(bytes));
