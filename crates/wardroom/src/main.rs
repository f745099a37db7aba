//! The wardroom command.
fn main() {}
