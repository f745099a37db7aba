//! The live stream, as the command reads it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::terminal::live_stream(bytes));
