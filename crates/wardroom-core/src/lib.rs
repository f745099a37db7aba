//! The rules of command: pure, and the only place that decides.
//!
//! Read in this order: [`id`] and [`text`] (names and words), [`command`] (what people ask for), [`event`]
//! (what happened), [`refusal`] (how Wardroom says no), [`facts`] (what the organisation knows), then
//! [`incident`] (the state and its dispatch) and the nouns, each with its types, its deciding and its folding:
//! life, [`link`], [`role`], [`offer`], [`briefing`], [`absence`], [`authority`], responders, restriction, [`guest`],
//! [`example`], timeline, [`roadblock`], [`criterion`], [`todo`], [`change`], [`permission`], [`operations`], [`gate`], [`sighting`], [`document`], [`evidence`], [`deadline`], [`merge`], and [`next`] with [`prompt`], which says how often it may draw somebody's
//! attention, and [`call`], which says whom there is to tell of what.
//! [`directory`] is the same mechanism for people, teams, services, tokens, the ways in through the page ([`account`]),
//! how people are [`reach`]ed, which objects of a cluster are a service's ([`matching`]), and what of it is worth keeping ([`preserve`]); it is told in [`audit`].
//!
//! No clock, no randomness, no database and no socket can be reached from here: time, ids and salts are
//! arguments (`clippy.toml` forbids the calls, with the reason).

pub mod absence;
pub mod account;
pub mod asking;
pub mod audit;
pub mod authority;
pub mod briefing;
pub mod call;
pub mod change;
pub mod command;
pub mod criterion;
pub mod deadline;
pub mod directory;
pub mod document;
pub mod event;
pub mod evidence;
pub mod example;
pub mod facts;
pub mod gate;
pub mod guest;
pub mod id;
pub mod incident;
mod life;
pub mod link;
pub mod matching;
pub mod merge;
pub mod next;
pub mod offer;
pub mod operations;
pub mod passkey;
pub mod permission;
pub mod person;
pub mod preserve;
pub mod prompt;
pub mod reach;
pub mod record;
pub mod refusal;
pub mod responder;
mod restriction;
pub mod roadblock;
pub mod role;
pub mod roster;
pub mod said;
#[cfg(feature = "schema")]
mod schema;
pub mod seal;
pub mod sighting;
mod team;
pub mod telling;
pub mod text;
mod timeline;
pub mod todo;
pub mod token;
