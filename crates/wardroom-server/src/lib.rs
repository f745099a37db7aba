//! The world around the core: the log, the one place that appends, watching, and the web.
//!
//! Data flows one way: parse (`web/`) → decide ([`execute`], which asks the core) → append ([`log`]) → wake
//! ([`watch`]) → read (`web/`, [`views`]). Only [`execute`] appends; SQL stands in [`log`] only and holds no
//! rules; nothing is sent before it is committed.

pub mod account;
pub mod admission;
pub mod archive;
pub mod clock;
pub mod config;
pub mod document;
mod due;
pub mod evidence;
pub mod example;
pub mod execute;
pub mod fetch;
pub mod file;
pub mod gate;
pub mod intake;
pub mod log;
pub mod mask;
mod metrics;
mod presence;
pub mod preserving;
mod prompts;
pub mod public_url;
pub mod reach;
pub mod server;
pub mod sheet;
pub mod sightings;
mod stored;
pub mod streams;
pub mod views;
pub mod watch;
pub mod web;
