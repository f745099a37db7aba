//! The rules noun by noun: given these events, when somebody asks for this, then this happens.
//!
//! One file per noun. [`given`] is the harness, [`cast`] the people and [`words`] the vocabulary.

mod absence;
mod account;
mod audit;
mod authority;
mod briefing;
mod call;
mod cast;
mod change;
mod criterion;
mod deadline;
mod differing;
mod directory;
mod document;
mod ended;
mod evidence;
mod example;
mod gate;
mod given;
mod guest;
mod life;
mod matching;
mod merge;
mod next;
mod offer;
mod passed;
mod passkey;
mod permission;
mod person;
mod preserve;
mod prompt;
mod reach;
mod responder;
mod restriction;
mod roadblock;
mod role;
mod roster;
mod sighting;
mod sorting;
mod team;
mod telling;
mod timeline;
mod todo;
mod token;
mod words;
