//! Exit criteria: planning and command keep them, command waives them, and nothing is resolved over an open one.

use serde_json::json;
use wardroom_core::command::Command;
use wardroom_core::criterion::CriterionAct;
use wardroom_core::event::Event;
use wardroom_core::id::{Actor, Entry, PersonId};
use wardroom_core::incident::{Asking, Phase};
use wardroom_core::refusal::{Code, Remedy};

use crate::cast::{JOSEPHINE, MALCOLM, MARY, ROBIN, SABRINA};
use crate::given::{Given, by, given};
use crate::words::{ask_for, closed, cmd, held, investigating, joined, member, opened, text};

fn added(criterion: u32) -> Event {
    Event::CriterionAdded { criterion, text: text("errors below 0.1 %"), by: MARY }
}

fn met(criterion: u32) -> Event {
    Event::CriterionMet { criterion, by: MARY }
}

fn waived(criterion: u32) -> Event {
    Event::CriterionWaived { criterion, by: MARY, reason: text("it never was") }
}

fn on(name: &str, criterion: u32) -> Command {
    cmd(name, json!({ "criterion": criterion }))
}

fn waive(criterion: u32) -> Command {
    cmd("waive_criterion", json!({"criterion": criterion, "reason": "it never was"}))
}

fn phase(phase: &str) -> Command {
    cmd("set_phase", json!({ "phase": phase }))
}

/// Sabrina has planning, Robin works in it, and Josephine is here.
fn planned() -> Given {
    given([opened(), joined(JOSEPHINE)]).and(held("planning", SABRINA)).and([joined(ROBIN), member("planning", ROBIN)])
}

fn reword(words: &str, replaces: u64) -> Command {
    cmd("reword_criterion", json!({"criterion": 1, "text": words, "replaces": replaces}))
}

fn assign(person: Option<&str>, replaces: Option<u64>) -> Command {
    cmd("assign_criterion", json!({"criterion": 1, "person": person, "replaces": replaces}))
}

fn link(bug: Option<&str>, replaces: Option<u64>) -> Command {
    cmd("link_criterion", json!({"criterion": 1, "bug": bug, "replaces": replaces}))
}

fn may(given: &Given, who: PersonId) -> Vec<CriterionAct> {
    let ask = Asking {
        actor: Actor::Person(who),
        now: given.now,
        facts: &given.facts,
        cited: None,
        other: None,
        document: None,
    };
    given.state().may_with_criterion(&ask, 1)
}

#[test]
fn planning_and_command_keep_them() {
    let add = || cmd("add_criterion", json!({"text": "errors below 0.1 %"}));
    let new = |criterion, by| Event::CriterionAdded { criterion, text: text("errors below 0.1 %"), by };
    planned()
        .when(SABRINA, add())
        .then([new(1, SABRINA)])
        .when(ROBIN, add())
        .then([new(2, ROBIN)])
        .when(MARY, add())
        .then([new(3, MARY)])
        .when(JOSEPHINE, add())
        .refused(Code::NotYours, &[SABRINA, MARY], ask_for("planning"))
        .when(MALCOLM, add())
        .refused(Code::NotYours, &[SABRINA, MARY], ask_for("planning"))
        .when(JOSEPHINE, on("meet_criterion", 1))
        .refused(Code::NotYours, &[SABRINA, MARY], ask_for("planning"))
        .when(ROBIN, on("meet_criterion", 1))
        .then([Event::CriterionMet { criterion: 1, by: ROBIN }])
        .and((4..=50).map(added))
        .when(SABRINA, add())
        .refused(Code::TooMany, &[], None);
}

#[test]
fn only_command_waives_and_says_why() {
    assert!(serde_json::from_value::<Command>(json!({"command": "waive_criterion", "criterion": 1})).is_err());
    planned()
        .and([added(1)])
        .when(SABRINA, waive(1))
        .refused(Code::NotYours, &[MARY], ask_for("command"))
        .when(MARY, waive(1))
        .then([waived(1)])
        .when(MARY, waive(1))
        .refused(Code::AlreadySo, &[], None)
        // What was waived and then came true is met.
        .when(SABRINA, on("meet_criterion", 1))
        .then([Event::CriterionMet { criterion: 1, by: SABRINA }])
        .when(MARY, waive(1))
        .refused(Code::AlreadySo, &[], None);
}

#[test]
fn nothing_is_resolved_or_closed_over_an_open_one() {
    let settle = |criteria: &[u32]| Some(Remedy::Settle { criteria: criteria.to_vec() });
    let open = given([opened(), added(1), added(2)]);
    let resolved = open
        .when(MARY, phase("resolved"))
        .says("Not met yet: 1 “errors below 0.1 %”, 2 “errors below 0.1 %”. Meet what is true, or waive it with a reason.")
        .refused(Code::CriteriaOpen, &[], settle(&[1, 2]))
        .when(MARY, phase("mitigated"))
        .accepted()
        .and([met(1)])
        .when(MARY, phase("resolved"))
        .refused(Code::CriteriaOpen, &[], settle(&[2]))
        .and([waived(2)])
        .when(MARY, phase("resolved"))
        .accepted();
    resolved
        .and([Event::CriterionReopened { criterion: 1, reason: None }])
        .when(MARY, phase("closed"))
        .refused(Code::CriteriaOpen, &[], settle(&[1]))
        .and([met(1)])
        .when(MARY, phase("closed"))
        .then([closed(MARY)]);
    given([investigating(), added(1)]).when(MARY, phase("closed")).refused(Code::CriteriaOpen, &[], settle(&[1]));
}

#[test]
fn a_refusal_names_a_few_of_them_briefly() {
    let long = Event::CriterionAdded { criterion: 1, text: text(&"é".repeat(200)), by: MARY };
    given([opened(), long]).and((2..=50).map(added)).when(MARY, phase("resolved")).refused(
        Code::CriteriaOpen,
        &[],
        Some(Remedy::Settle { criteria: (1..=50).collect() }),
    );
}

#[test]
fn it_is_reworded_assigned_linked_met_and_reopened() {
    let reword = |words: &str| reword(words, 7);
    let assign = |person| assign(person, None);
    let link = |bug| link(bug, None);
    planned()
        .and([added(1)])
        .when(SABRINA, reword("errors below 0.1 %"))
        .refused(Code::AlreadySo, &[], None)
        .when(SABRINA, reword("errors gone"))
        .then([Event::CriterionReworded { criterion: 1, text: text("errors gone") }])
        .when(SABRINA, assign(None))
        .refused(Code::AlreadySo, &[], None)
        .when(SABRINA, assign(Some("malcolm")))
        .refused(Code::NotThere, &[], None)
        .when(SABRINA, assign(Some("josephine")))
        .then([Event::CriterionAssigned { criterion: 1, owner: Some(JOSEPHINE) }])
        .when(SABRINA, link(Some("http://bugs.example.org/7")))
        .refused(Code::Invalid, &[], None)
        .when(SABRINA, link(None))
        .refused(Code::AlreadySo, &[], None)
        .when(SABRINA, link(Some("https://bugs.example.org/7")))
        .then([Event::CriterionLinked { criterion: 1, bug: Some(text("https://bugs.example.org/7")) }])
        .when(SABRINA, on("meet_criterion", 2))
        .refused(Code::NotThere, &[], None)
        .when(SABRINA, on("reopen_criterion", 1))
        .refused(Code::AlreadySo, &[], None)
        .and([met(1)])
        .when(SABRINA, reword("errors"))
        .refused(Code::AlreadySo, &[], None)
        .when(SABRINA, on("reopen_criterion", 1))
        .then([Event::CriterionReopened { criterion: 1, reason: None }]);
}

#[test]
fn words_of_others_are_not_replaced_unread() {
    let said = |criterion, words: &str| Event::CriterionReworded { criterion, text: text(words) };
    let replace = |entry| Some(Remedy::Replace { entry: Entry(entry) });
    // Who rewords says what they replace.
    let without = json!({"command": "reword_criterion", "criterion": 1, "text": "errors gone"});
    assert!(serde_json::from_value::<Command>(without).is_err());
    planned()
        .and([added(1), added(2)])
        .when(SABRINA, reword("errors gone", 7))
        .then([said(1, "errors gone")])
        // Robin read what stood there before.
        .when(ROBIN, reword("errors below 1 %", 7))
        .says("Sabrina wrote “errors gone” as exit criterion 1 meanwhile. Nothing was replaced: say yours again if it is to stand instead.")
        .refused(Code::ChangedMeanwhile, &[], replace(9))
        // What he wants stands there already: nothing is lost.
        .when(ROBIN, reword("errors gone", 7))
        .refused(Code::AlreadySo, &[], None)
        // Another's change of something else is in nobody's way.
        .and([by(MARY, Event::CriterionAssigned { criterion: 1, owner: Some(MARY) }), by(MARY, said(2, "other"))])
        .when(ROBIN, reword("errors below 1 %", 9))
        .then([said(1, "errors below 1 %")])
        // One knows what one said oneself, whichever entry one names.
        .when(ROBIN, reword("errors below 2 %", 9))
        .then([said(1, "errors below 2 %")]);
}

#[test]
fn what_was_said_first_is_somebodys_too() {
    planned()
        .and([added(1)])
        .when(ROBIN, reword("errors gone", 1))
        .says("Mary wrote “errors below 0.1 %” as exit criterion 1 meanwhile. Nothing was replaced: say yours again if it is to stand instead.")
        .refused(Code::ChangedMeanwhile, &[], Some(Remedy::Replace { entry: Entry(7) }));
}

#[test]
fn nobody_is_replaced_as_its_owner_unread_nor_a_bug() {
    let replace = |entry| Some(Remedy::Replace { entry: Entry(entry) });
    let assigned = |owner| Event::CriterionAssigned { criterion: 1, owner };
    let linked = |bug: &str| Event::CriterionLinked { criterion: 1, bug: Some(text(bug)) };
    planned()
        .and([added(1)])
        .and([by(SABRINA, assigned(Some(JOSEPHINE))), by(SABRINA, linked("https://bugs.example.org/7"))])
        .when(ROBIN, assign(Some("robin"), None))
        .says("Sabrina gave exit criterion 1 to Josephine meanwhile. Nothing was replaced: say yours again if it is to stand instead.")
        .refused(Code::ChangedMeanwhile, &[], replace(8))
        .when(ROBIN, link(None, None))
        .says("Sabrina linked exit criterion 1 to https://bugs.example.org/7 meanwhile. Nothing was replaced: say yours again if it is to stand instead.")
        .refused(Code::ChangedMeanwhile, &[], replace(9))
        .when(ROBIN, reword("errors gone", 7))
        .accepted()
        .when(ROBIN, assign(Some("robin"), Some(8)))
        .then([assigned(Some(ROBIN))])
        .when(ROBIN, link(None, Some(9)))
        .then([Event::CriterionLinked { criterion: 1, bug: None }])
        // Where nothing stands any more, nothing is lost.
        .when(SABRINA, link(Some("https://bugs.example.org/8"), None))
        .then([linked("https://bugs.example.org/8")]);
}

#[test]
fn its_numbers_are_not_used_twice_and_its_words_can_be_taken_out() {
    let given = given([opened(), added(1), added(2)]);
    let given = given.when(MARY, cmd("redact", json!({"entry": 2}))).accepted();
    let state = given.state();
    assert_eq!((state.criteria[0].text.words(), state.criteria_added), (None, 2));
    given.when(MARY, cmd("add_criterion", json!({"text": "more"}))).accepted_with(|decision| {
        assert!(matches!(decision.here[..], [Event::CriterionAdded { criterion: 3, .. }]));
    });
}

#[test]
fn adding_reopening_and_waiving_one_matters_to_whoever_takes_command() {
    let reopened = Event::CriterionReopened { criterion: 1, reason: None };
    let given = given([opened(), added(1), met(1), reopened, waived(1)]);
    assert_eq!(given.state().matters, [1, 2, 4, 5].map(Entry));
}

#[test]
fn what_is_shown_is_what_may_be_done() {
    use CriterionAct::{Assign, Link, Meet, Reopen, Reword, Waive};
    let open = planned().and([added(1)]);
    assert_eq!(may(&open, MARY), [Reword, Assign, Meet, Waive, Link]);
    assert_eq!(may(&open, SABRINA), [Reword, Assign, Meet, Link]);
    assert_eq!(may(&open, JOSEPHINE), []);
    let met = open.and([met(1)]);
    assert_eq!(may(&met, MARY), [Reopen, Link]);
    let resolved = Event::PhaseSet { from: Phase::Active, to: Phase::Resolved, reason: None };
    assert_eq!(may(&met.and([resolved, closed(MARY)]), MARY), []);
}
