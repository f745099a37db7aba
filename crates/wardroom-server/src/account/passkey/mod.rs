//! Passkeys, apart from HTTP and from the store: challenges, and what browsers and authenticators answer them with.

pub mod cbor;
pub mod ceremony;
pub mod challenge;
pub mod key;
#[cfg(test)]
mod vectors;
