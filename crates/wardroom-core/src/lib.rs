//! The rules of command.
