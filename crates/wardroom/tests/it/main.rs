//! Stories: real `wardroom` processes, real HTTP, both databases. One story per file.

#![allow(clippy::unwrap_used)] // A test that cannot go on says where.

mod authenticator;
mod browser;
mod browsers;
mod bucket_service;
mod disk;
mod faster;
mod gate;
mod house;
mod outside;
mod push_service;
mod staffed;
mod typed;
mod unpacked;
mod uploads;
mod wait;

mod absence;
mod access;
mod accounts;
mod acknowledgement;
mod admin;
mod admission;
mod asked_often;
mod bad_input;
mod bucket;
mod changes;
mod command;
mod convergence;
mod counted;
mod damage;
mod deadlines;
mod demo;
mod denied;
mod description;
mod document;
mod document_ends;
mod document_store;
mod ended;
mod ended_by_nobody;
mod evidence;
mod expiry;
mod export;
mod fetching;
mod freelancing;
mod full_disk;
mod guests;
mod handoff;
mod kill;
mod late;
mod limits;
mod lists;
mod meant;
mod no_room;
mod nodes;
mod numbers;
mod once;
mod out_of_reach;
mod outage;
mod passing;
mod passkeys;
mod peer;
mod permissions;
mod places;
mod played;
mod preserving;
mod prompts;
mod push;
mod queue;
mod reach;
mod recorded;
mod redaction;
mod restriction;
mod revocation;
mod run;
mod run_merged;
mod run_offline;
mod run_signals;
mod run_untold;
mod set_right;
mod settings;
mod sheet;
mod sightings;
mod slow;
mod snippets;
mod step_up;
mod stream;
mod stuck;
mod tellers;
mod tls;
mod told;
mod unanswered;
mod undecided;
mod unfit_uploads;
mod unnamed;
mod verbs;

/// Runs a story once on each database.
macro_rules! on_both {
    ($($story:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $story() { super::$story(crate::house::House::on_sqlite()); })*
        }
        mod postgres {
            $(#[test] fn $story() { super::$story(crate::house::House::on_postgres()); })*
        }
    };
}
pub(crate) use on_both;
