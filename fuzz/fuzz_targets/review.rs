//! What a Kubernetes cluster asks before it changes something.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::cluster::review(bytes));
