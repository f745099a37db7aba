//! A CloudEvent as it is posted, in whichever mode.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::told::cloudevent(bytes));
