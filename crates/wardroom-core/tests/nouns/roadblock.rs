//! Roadblocks: raised by every responder, cleared by command.

use serde_json::json;
use wardroom_core::event::Event;
use wardroom_core::refusal::{Code, Remedy};

use crate::cast::{JOSEPHINE, MARY, ROBIN, SABRINA};
use crate::given::given;
use crate::words::{ask_for, cmd, held, joined, member, opened, role, role_opened, text};

fn raise() -> wardroom_core::command::Command {
    cmd("raise_roadblock", json!({"text": "no access to the vault"}))
}

fn raised(roadblock: u32, path: &str, by: wardroom_core::id::PersonId) -> Event {
    Event::RoadblockRaised { roadblock, role: role(path), text: text("no access to the vault"), by }
}

#[test]
fn it_is_raised_for_the_role_one_works_in() {
    given([opened(), joined(JOSEPHINE), joined(ROBIN), member("planning", ROBIN)])
        .and(held("operations", SABRINA))
        .when(SABRINA, raise())
        .then([raised(1, "operations", SABRINA)])
        .when(ROBIN, raise())
        .then([raised(2, "planning", ROBIN)])
        .when(JOSEPHINE, raise())
        .then([raised(3, "command", JOSEPHINE)])
        .when(JOSEPHINE, cmd("raise_roadblock", json!({"text": "no access to the vault", "role": "planning"})))
        .then([raised(4, "planning", JOSEPHINE)]);
}

#[test]
fn the_role_nearest_to_the_root_counts() {
    given([opened(), role_opened("operations/database")])
        .and(held("operations/database", SABRINA))
        .and(held("planning", SABRINA))
        .when(SABRINA, raise())
        .then([raised(1, "planning", SABRINA)]);
}

#[test]
fn it_is_raised_by_those_who_are_here_about_roles_that_exist() {
    given([opened()])
        .when(SABRINA, raise())
        .refused(Code::NotAResponder, &[], Some(Remedy::Join))
        .when(MARY, cmd("raise_roadblock", json!({"text": "x", "role": "operations/x"})))
        .refused(Code::UnknownRole, &[], None)
        .and((1..=100).map(|n| raised(n, "command", MARY)))
        .when(MARY, raise())
        .refused(Code::TooMany, &[], None);
}

#[test]
fn command_clears_it_and_numbers_are_not_used_twice() {
    let clear = |n: u32| cmd("clear_roadblock", json!({"roadblock": n, "how": "key in the safe"}));
    given([opened()])
        .and(held("operations", SABRINA))
        .and([raised(1, "operations", SABRINA)])
        .when(SABRINA, clear(1))
        .refused(Code::NotYours, &[MARY], ask_for("command"))
        .when(MARY, clear(2))
        .refused(Code::NotThere, &[], None)
        .when(MARY, clear(1))
        .then([Event::RoadblockCleared { roadblock: 1, how: Some(text("key in the safe")) }])
        .when(MARY, clear(1))
        .refused(Code::NotThere, &[], None)
        .when(SABRINA, raise())
        .then([raised(2, "operations", SABRINA)]);
}
