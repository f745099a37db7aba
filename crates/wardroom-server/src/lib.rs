//! The world around the core.
