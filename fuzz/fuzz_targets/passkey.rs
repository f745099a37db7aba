//! What a browser and its authenticator say of a passkey.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::passkey(bytes));
