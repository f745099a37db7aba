//! The web: every route in one table, one write endpoint per stream, reads, the live stream. No module
//! outside this folder knows HTTP.

pub mod account;
mod admin;
mod admission;
mod answers;
mod arriving;
pub mod askers;
mod briefing;
mod callers;
mod changes;
pub mod connection;
mod directory;
mod document;
pub mod evidence;
mod example;
mod export;
pub mod followers;
mod gate;
pub mod health;
mod incidents;
pub(crate) mod json;
mod page;
pub mod parse;
mod problem;
mod prompt;
mod reach;
pub mod router;
pub mod serve;
mod sheet;
mod stream;
mod taken;
pub mod tls;
mod tokens;
mod told;
mod view;
pub mod who;
