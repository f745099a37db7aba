//! A row of the board.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wardroom_fuzz::kept::board_row(bytes));
