//! The server's integration tests, in one binary: what they share compiles and links once.
// Clippy's setting for tests does not reach what tests share with each other.
#![allow(clippy::unwrap_used)]

mod store;
