//! The world around the core.

pub mod clock;
pub mod execute;
pub mod log;
mod presence;
mod stored;
pub mod streams;
