//! Restricted incidents: who may know, and inviting.

use std::collections::BTreeSet;

use serde_json::json;
use wardroom_core::command::Command;
use wardroom_core::event::Event;
use wardroom_core::id::{Number, PersonId};
use wardroom_core::refusal::{Code, Refusal, Remedy};

use crate::cast::{ADA, IVAN, JOSEPHINE, MALCOLM, MARY, ROBIN, SABRINA};
use crate::given::{Given, given};
use crate::words::{ask_for, closed, cmd, joined, offer, offer_to_team, offered, opened, opened_restricted, plain};

fn restricted(invited: &[PersonId]) -> Event {
    Event::Restricted { invited: invited.iter().copied().collect::<BTreeSet<_>>() }
}

fn about(name: &str, person: &str) -> Command {
    cmd(name, json!({"person": person}))
}

fn secret() -> Given {
    given([opened_restricted()])
}

#[test]
fn to_everybody_else_it_is_not_there() {
    let refusal = Refusal::no_such_incident(Number::FIRST);
    for person in [ROBIN, ADA, IVAN] {
        for command in [plain("join"), about("invite", "robin"), cmd("redact", json!({"entry": 1})), plain("reopen")] {
            secret().when(person, command).says(&refusal.sentence).refused(Code::NoSuchIncident, &[], None);
        }
    }
    given([opened_restricted(), closed(MARY)]).when(ROBIN, plain("reopen")).refused(Code::NoSuchIncident, &[], None);
}

#[test]
fn the_invited_know_and_take_part() {
    secret()
        .when(MARY, about("invite", "robin"))
        .then([Event::Invited { person: ROBIN }])
        .when(MARY, about("invite", "robin"))
        .refused(Code::AlreadySo, &[], None)
        .when(MARY, about("invite", "ivan"))
        .refused(Code::Inactive, &[], None)
        .when(ROBIN, plain("join"))
        .then([joined(ROBIN)])
        .when(ROBIN, about("invite", "malcolm"))
        .refused(Code::NotYours, &[MARY], ask_for("command"));
}

#[test]
fn roles_are_offered_to_the_invited_only() {
    secret()
        .when(MARY, offer("operations", ROBIN))
        .says("Robin is not invited into this restricted incident. Invite them first.")
        .refused(Code::NotThere, &[MARY], Some(Remedy::Invite { person: ROBIN }))
        .when(MARY, offer_to_team("operations"))
        .refused(Code::Inactive, &[], None)
        .and([Event::Invited { person: ROBIN }])
        .when(MARY, offer_to_team("operations"))
        .accepted();
}

#[test]
fn who_is_part_of_it_stays_part_of_it() {
    given([opened(), joined(SABRINA), offered("operations", ROBIN, MARY)])
        .when(MARY, plain("restrict"))
        .then([restricted(&[MARY, SABRINA, ROBIN])])
        .when(MARY, plain("restrict"))
        .refused(Code::AlreadySo, &[], None)
        .when(JOSEPHINE, plain("join"))
        .refused(Code::NoSuchIncident, &[], None)
        .when(MARY, plain("unrestrict"))
        .then([Event::Unrestricted {}])
        .when(MARY, plain("unrestrict"))
        .refused(Code::AlreadySo, &[], None)
        .when(JOSEPHINE, plain("join"))
        .then([joined(JOSEPHINE)]);
}

#[test]
fn an_offer_that_lapsed_is_no_invitation() {
    let offered = || given([opened(), offered("operations", ROBIN, MARY)]);
    offered().after(10).when(MARY, plain("restrict")).then([restricted(&[MARY])]);
    let uninvited = Event::Uninvited { person: ROBIN };
    offered().and([restricted(&[MARY, ROBIN])]).after(10).when(MARY, about("uninvite", "robin")).then([uninvited]);
}

#[test]
fn an_invitation_is_taken_back_from_those_who_take_no_part() {
    given([opened_restricted(), Event::Invited { person: ROBIN }, Event::Invited { person: SABRINA }])
        .and([joined(SABRINA), Event::Invited { person: JOSEPHINE }, offered("planning", JOSEPHINE, MARY)])
        .when(MARY, about("uninvite", "robin"))
        .then([Event::Uninvited { person: ROBIN }])
        .when(MARY, about("uninvite", "malcolm"))
        .refused(Code::NotThere, &[], None)
        .when(MARY, about("uninvite", "sabrina"))
        .refused(Code::Unfinished, &[], None)
        .when(MARY, about("uninvite", "josephine"))
        .refused(Code::Unfinished, &[], None)
        .when(ROBIN, plain("join"))
        .refused(Code::NoSuchIncident, &[], None);
}

#[test]
fn after_closing_the_last_commander_says_who_may_look() {
    given([opened(), joined(SABRINA), closed(MARY)])
        .when(SABRINA, plain("restrict"))
        .says("The incident is closed. Mary, who commanded last, says who may look.")
        .refused(Code::NotYours, &[MARY], Some(Remedy::Reopen))
        .when(MARY, plain("restrict"))
        .then([restricted(&[MARY, SABRINA])])
        .when(MARY, about("invite", "malcolm"))
        .then([Event::Invited { person: MALCOLM }]);
}
