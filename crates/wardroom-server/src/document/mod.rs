//! The state document: what people write together, beside the log.

pub mod judge;
pub mod limits;
pub mod paper;
pub mod part;
pub mod wire;
