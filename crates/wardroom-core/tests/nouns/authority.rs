//! Who may do what: the design's table, each act tried by everybody.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wardroom_core::authority::{Act, RoleAct};
use wardroom_core::command::Command;
use wardroom_core::event::Event;
use wardroom_core::id::{Actor, PersonId};
use wardroom_core::refusal::Code;
use wardroom_core::role::Duty;

use crate::cast::{ADA, IVAN, JOSEPHINE, MALCOLM, MARY, ROBIN, SABRINA};
use crate::given::{Given, given};
use crate::words::{closed, cmd, held, investigating, joined, member, noted, opened, role, role_opened, text};

/// Mary commands, Sabrina has operations, Josephine operations/database, Robin is a member of operations.
/// Malcolm has joined and nothing else; Ada, the admin, and Ivan, who is not active, have not.
fn everybody() -> Given {
    given([opened()])
        .and(held("operations", SABRINA))
        .and([role_opened("operations/database"), role_opened("operations/network")])
        .and(held("operations/database", JOSEPHINE))
        .and([joined(ROBIN), member("operations", ROBIN), joined(MALCOLM), noted("entry 11")])
        .and([
            Event::RoadblockRaised { roadblock: 1, role: role("operations"), text: text("x"), by: ROBIN },
            Event::PostAdded { post: wardroom_core::incident::Post { id: 1, label: text("room"), link: None } },
            Event::ClockSet { label: text("x"), due_at: crate::cast::at(5), every_minutes: None },
        ])
}

const ALL: [PersonId; 7] = [MARY, SABRINA, JOSEPHINE, ROBIN, MALCOLM, ADA, IVAN];

/// Whoever is signed in, whoever has joined, and so on down to one holder.
const SIGNED_IN: &[PersonId] = &[MARY, SABRINA, JOSEPHINE, ROBIN, MALCOLM, ADA];
const HERE: &[PersonId] = &[MARY, SABRINA, JOSEPHINE, ROBIN, MALCOLM];
const COMMAND: &[PersonId] = &[MARY];
const OPERATIONS: &[PersonId] = &[MARY, SABRINA];
const DATABASE: &[PersonId] = &[MARY, SABRINA, JOSEPHINE];

#[track_caller]
fn may(given: &Given, name: &str, fields: &Value, who: &[PersonId]) {
    let said_no = [Code::NotYours, Code::NotAResponder, Code::NotActive];
    let mistaken = [Code::NotThere, Code::Invalid, Code::UnknownRole, Code::UnknownPerson];
    let mut could = BTreeSet::new();
    for person in ALL {
        let state = given.state();
        let command: Command = cmd(name, fields.clone());
        let cited = command.cites().and_then(|entry| given.history.iter().find(|known| known.entry == entry));
        let actor = Actor::Person(person);
        let ask = wardroom_core::incident::Asking {
            actor,
            now: given.now,
            facts: &given.facts,
            cited,
            other: None,
            document: None,
        };
        match state.decide(&ask, command) {
            Err(refusal) if said_no.contains(&refusal.code) => {
                assert!(refusal.remedy.is_some() || !refusal.who_could.is_empty(), "a dead end: {refusal}");
                let could = refusal.who_could.iter().all(|could| who.contains(could));
                assert!(could, "{name} names somebody who could not: {refusal}");
            }
            Err(refusal) if mistaken.contains(&refusal.code) && name != "uninvite" => {
                panic!("the test itself is wrong about {name}: {refusal}")
            }
            _ => drop(could.insert(person)),
        }
    }
    assert_eq!(could, who.iter().copied().collect(), "{name} {fields}");
}

#[test]
fn every_signed_in_person() {
    let given = everybody();
    may(&given, "join", &json!({}), SIGNED_IN);
    may(&given, "note", &json!({"text": "x"}), SIGNED_IN);
    may(&crate::given::given([investigating()]), "declare", &json!({}), SIGNED_IN);
    may(&crate::given::given([opened(), closed(MARY)]), "reopen", &json!({}), SIGNED_IN);
}

#[test]
fn every_responder() {
    let given = everybody();
    may(&given, "doing", &json!({"text": "x"}), HERE);
    may(&given, "raise_roadblock", &json!({"text": "x"}), HERE);
    may(&given, "ask_role", &json!({"role": "planning"}), HERE);
    may(&given, "pin_note", &json!({"entry": 11}), HERE);
    may(&given, "leave", &json!({}), HERE);
    may(&given, "assume_command", &json!({"grounds": "unseen", "reason": "x"}), HERE);
}

#[test]
fn the_effective_holder_of_the_role_or_of_one_above() {
    let given = everybody();
    let offer = |path: &str| json!({"role": path, "to": {"person": "ada"}});
    may(&given, "offer_role", &offer("command"), COMMAND);
    may(&given, "offer_role", &offer("planning"), COMMAND);
    may(&given, "offer_role", &offer("operations"), OPERATIONS);
    may(&given, "offer_role", &offer("operations/network"), OPERATIONS);
    may(&given, "offer_role", &offer("operations/database"), DATABASE);
    may(&given, "open_role", &json!({"role": "command/deputy"}), COMMAND);
    may(&given, "open_role", &json!({"role": "operations/dns"}), OPERATIONS);
    may(&given, "open_role", &json!({"role": "operations/database/primary"}), DATABASE);
    may(&given, "close_role", &json!({"role": "operations/network"}), OPERATIONS);
    may(&given, "add_member", &json!({"role": "operations/database", "person": "malcolm"}), DATABASE);
    may(&given, "add_member", &json!({"role": "communications", "person": "malcolm"}), COMMAND);
    may(&given, "take_back_role", &json!({"role": "operations"}), COMMAND);
    let asked = Event::RoleAsked { role: role("operations/network"), by: MALCOLM, note: None };
    let given = given.and([crate::words::offered("operations/network", ADA, MARY), asked]);
    may(&given, "withdraw_offer", &json!({"role": "operations/network"}), OPERATIONS);
    may(&given, "decline_ask", &json!({"role": "operations/network", "person": "malcolm"}), OPERATIONS);
    may(&given, "take_back_role", &json!({"role": "operations/database"}), OPERATIONS);
}

#[test]
fn members_also_release_themselves_and_holders_their_own_role() {
    let given = everybody();
    may(&given, "release_member", &json!({"role": "operations", "person": "robin"}), &[MARY, SABRINA, ROBIN]);
    may(&given, "release_role", &json!({"role": "operations/database"}), &[JOSEPHINE]);
}

#[test]
fn command() {
    let given = everybody();
    let table = [
        ("set_severity", json!({"severity": "sev1"})),
        ("set_phase", json!({"phase": "mitigated"})),
        ("set_kind", json!({"kind": "planned"})),
        ("set_title", json!({"title": "x"})),
        ("set_services", json!({"services": []})),
        ("set_began", json!({"began": "2026-01-05T02:00:00Z"})),
        ("add_post", json!({"label": "x"})),
        ("remove_post", json!({"post": 1})),
        ("restrict", json!({})),
        ("unrestrict", json!({})),
        ("invite", json!({"person": "ada"})),
        ("uninvite", json!({"person": "ada"})),
        ("merge", json!({"into": 2})),
        ("clear_roadblock", json!({"roadblock": 1})),
        ("set_clock", json!({"label": "x", "in_minutes": 5})),
        ("stop_clock", json!({"clock": 14})),
    ];
    for (name, fields) in table {
        may(&given, name, &fields, COMMAND);
    }
}

#[test]
fn their_own_words_and_command_and_admins() {
    let given = everybody().and([crate::given::by(ROBIN, noted("entry 15"))]);
    may(&given, "correct_note", &json!({"entry": 15, "text": "x"}), &[ROBIN]);
    may(&given, "redact", &json!({"entry": 15}), &[MARY, ROBIN, ADA]);
    may(&given, "redact", &json!({"entry": 11}), &[MARY, ADA]);
}

#[test]
fn an_offer_is_for_those_to_whom_it_was_made() {
    let given = everybody().and([crate::words::offered("planning", MALCOLM, MARY)]);
    for name in ["take_role", "decline_offer"] {
        for person in ALL.into_iter().filter(|person| *person != MALCOLM && *person != IVAN) {
            given.clone().when(person, cmd(name, json!({"role": "planning"}))).refused(
                Code::NotOfferedToYou,
                &[],
                crate::words::ask_for("planning"),
            );
        }
        given.clone().when(MALCOLM, cmd(name, json!({"role": "planning"}))).accepted();
    }
}

#[test]
fn the_work_of_a_duty_is_for_its_holders_and_members() {
    let state = everybody().state();
    let who = |duty| ALL.into_iter().filter(|person| state.may(*person, &Act::Duty(duty))).collect::<Vec<_>>();
    assert_eq!(who(Duty::Operations), [SABRINA, JOSEPHINE, ROBIN], "and not the commander (rule 7)");
    assert_eq!(who(Duty::Planning), [MARY], "what is not delegated is with the commander");
    assert_eq!(who(Duty::Communications), [MARY]);
    assert_eq!(who(Duty::Command), [MARY]);
    assert_eq!(state.who_may(&Act::Duty(Duty::Operations)), [SABRINA]);
    assert_eq!(state.who_may(&Act::Manage(role("operations/database"))), [JOSEPHINE, SABRINA, MARY]);
    assert_eq!(state.who_may(&Act::Respond), HERE);
}

#[track_caller]
fn shows(given: &Given, person: PersonId, path: &str, acts: &[RoleAct]) {
    let actor = Actor::Person(person);
    let ask = wardroom_core::incident::Asking {
        actor,
        now: given.now,
        facts: &given.facts,
        cited: None,
        other: None,
        document: None,
    };
    assert_eq!(given.state().may_with(&ask, &role(path)), acts, "{path}");
}

#[test]
fn what_one_may_do_with_a_role_is_told_with_it() {
    use RoleAct::{Ask, Close, Decline, Offer, OpenUnder, Release, Staff, Take, TakeBack, TakeBackAsk, Withdraw};
    let given = everybody();
    shows(&given, MARY, "command", &[Offer, OpenUnder, Staff]);
    shows(&given, MARY, "operations", &[Offer, TakeBack, OpenUnder, Staff]);
    shows(&given, SABRINA, "operations", &[Offer, Release, OpenUnder, Staff]);
    shows(&given, SABRINA, "operations/network", &[Offer, OpenUnder, Staff, Close]);
    shows(&given, JOSEPHINE, "operations", &[Ask]);
    shows(&given, ROBIN, "operations", &[Ask]);
    shows(&given, ADA, "planning", &[]);
    shows(&given, IVAN, "planning", &[]);
    let asked = Event::RoleAsked { role: role("planning"), by: ROBIN, note: None };
    let given = given.and([crate::words::offered("planning", MALCOLM, MARY), asked]);
    shows(&given, MARY, "planning", &[Withdraw, OpenUnder, Staff]);
    shows(&given, MALCOLM, "planning", &[Take, Decline]);
    shows(&given, ROBIN, "planning", &[TakeBackAsk]);
    // An offer from further down is superseded, and one that lapsed stands in nobody's way.
    let given = given.and([crate::words::offered("operations/network", ADA, SABRINA)]);
    shows(&given, MARY, "operations/network", &[Offer, Withdraw, OpenUnder, Staff]);
    shows(&given, SABRINA, "operations/network", &[Withdraw, OpenUnder, Staff]);
    shows(&given.clone().after(10), SABRINA, "operations/network", &[Offer, OpenUnder, Staff, Close]);
    shows(&given.and([closed(MARY)]), MARY, "command", &[]);
}

#[test]
fn neither_the_clock_nor_the_console_commands() {
    for actor in [Actor::Clock, Actor::Console] {
        for (name, fields) in [("join", json!({})), ("set_severity", json!({"severity": "sev1"}))] {
            everybody().ask(actor, cmd(name, fields)).refused(Code::NotYours, &[], None);
        }
    }
}

#[test]
fn a_refusal_names_the_person_the_role_and_the_way_there() {
    everybody()
        .when(MALCOLM, cmd("offer_role", json!({"role": "operations/database", "to": {"person": "ada"}})))
        .says(
            "This is for Josephine, Sabrina or Mary (operations/database) to do. \
             You can ask for the role, or ask them.",
        )
        .refused(Code::NotYours, &[JOSEPHINE, SABRINA, MARY], crate::words::ask_for("operations/database"))
        .when(SABRINA, cmd("set_severity", json!({"severity": "sev1"})))
        .says("This is for Mary (the commander) to do. You can ask for the role, or ask them.")
        .refused(Code::NotYours, &[MARY], crate::words::ask_for("command"));
}
