//! What must I do next: the order of the entries, and to whom each is said.

use wardroom_core::absence::Grounds;
use wardroom_core::event::Event;
use wardroom_core::id::{Entry, PersonId};
use wardroom_core::incident::Severity;
use wardroom_core::next::Next;

use crate::cast::{ADA, JOSEPHINE, MALCOLM, MARY, NOBODY, ROBIN, SABRINA, at, start};
use crate::given::{Given, given};
use crate::words::{
    absent, closed, held, investigating, joined, member, offered, offered_to_team, opened, opened_restricted, role,
    text,
};

fn take(path: &str, offer: u64) -> Next {
    Next::Take { role: role(path), offer: Entry(offer), by: MARY, lapses_at: at(10) }
}

fn raised() -> Event {
    Event::RoadblockRaised { roadblock: 1, role: role("operations"), text: text("x"), by: SABRINA }
}

fn clock() -> Event {
    Event::ClockSet { label: text("alternatives?"), due_at: at(15), every_minutes: None }
}

fn asked(by: PersonId) -> Event {
    Event::RoleAsked { role: role("planning"), by, note: None }
}

#[track_caller]
fn says(given: &Given, person: PersonId, next: Option<Next>) {
    assert_eq!(given.state().next(person, &given.facts, given.now), next);
}

#[test]
fn an_offer_to_you_comes_first_and_command_before_others() {
    let given = given([opened(), joined(SABRINA), offered("operations", SABRINA, MARY)]);
    says(&given, SABRINA, Some(take("operations", 3)));
    says(&given, ROBIN, None);
    let given = given.and([offered("command", SABRINA, MARY)]);
    says(&given, SABRINA, Some(take("command", 4)));
    says(&given.after(10), SABRINA, None);
}

#[test]
fn an_offer_to_a_team_is_said_to_all_of_it() {
    let given = given([opened(), offered_to_team("operations", MARY)]);
    says(&given, SABRINA, Some(take("operations", 2)));
    says(&given, ROBIN, Some(take("operations", 2)));
    says(&given, MALCOLM, None);
}

#[test]
fn the_commander_is_led_through_it_in_order() {
    let delegate = Next::OfferOperations { to: vec![SABRINA, JOSEPHINE] };
    let given = given([opened(), joined(SABRINA)]);
    says(&given, MARY, None);
    let given = given.and([clock()]);
    says(&given, MARY, Some(Next::Clock { clock: Entry(3), due_at: at(15) }));
    let given = given.and([joined(JOSEPHINE)]);
    says(&given, MARY, Some(delegate));
    let given = given.and([asked(SABRINA)]);
    says(&given, MARY, Some(Next::Answer { role: role("planning"), by: SABRINA }));
    let given = given.and([raised()]);
    says(&given, MARY, Some(Next::Clear { roadblock: 1, by: SABRINA }));
    says(&given, SABRINA, None);
    let given = given.and([absent(MARY, start())]);
    says(&given, MARY, Some(Next::StillWithUs { unseen_since: start() }));
}

#[test]
fn operations_are_offered_when_two_others_are_here() {
    let two = || given([opened(), joined(SABRINA), joined(JOSEPHINE)]);
    let to = |people: &[PersonId]| Some(Next::OfferOperations { to: people.to_vec() });
    says(&two(), MARY, to(&[SABRINA, JOSEPHINE]));
    says(&two().and([crate::words::taken("planning", 0, SABRINA, None)]), MARY, to(&[JOSEPHINE]));
    says(&two().deactivated(SABRINA), MARY, None);
    says(&two().and([offered("operations", SABRINA, MARY)]), MARY, None);
    says(&two().and([offered("operations", SABRINA, MARY)]).after(10), MARY, to(&[SABRINA, JOSEPHINE]));
    says(&two().and([crate::words::taken("operations", 0, SABRINA, None)]), MARY, None);
    says(&given([investigating(), joined(SABRINA), joined(JOSEPHINE)]), MARY, None);
}

#[test]
fn an_absent_commander_is_everybodys_business() {
    let given = given([opened(), joined(SABRINA), joined(ROBIN), absent(MARY, start())]).after(5);
    says(&given, SABRINA, Some(Next::Assume { commander: MARY, unseen_since: Some(start()) }));
    says(&given, MALCOLM, None);
    let proposed =
        Event::AssumptionProposed { by: SABRINA, grounds: Grounds::Unseen, reason: text("x"), lapses_at: at(10) };
    let given = given.and([proposed]);
    says(&given, ROBIN, Some(Next::Confirm { proposal: Entry(5), by: SABRINA }));
    says(&given, SABRINA, None);
}

#[test]
fn a_deactivated_commander_is_absent_at_once() {
    let given = given([opened(), joined(SABRINA)]).deactivated(MARY);
    says(&given, SABRINA, Some(Next::Assume { commander: MARY, unseen_since: None }));
}

/// Somebody was told to confirm, and then that it was not theirs to confirm.
#[test]
fn only_whose_word_counts_is_asked_to_confirm() {
    let unfit =
        Event::AssumptionProposed { by: SABRINA, grounds: Grounds::Unfit, reason: text("x"), lapses_at: at(10) };
    let confirm = |entry| Some(Next::Confirm { proposal: Entry(entry), by: SABRINA });
    let given = given([opened(), joined(JOSEPHINE)]).and(held("planning", SABRINA)).and([unfit]);
    says(&given, JOSEPHINE, None);
    // Nobody who is here can: an admin is called.
    says(&given, ADA, confirm(5));
    let given = given.and(held("communications", ROBIN));
    says(&given, ROBIN, confirm(5));
    says(&given, ADA, None);
    // Whoever proposed it is gone.
    says(&given.deactivated(SABRINA), ROBIN, None);
}

#[test]
fn a_wait_that_became_longer_is_not_over() {
    let lowered = Event::SeveritySet { from: Severity::Sev2, to: Severity::Sev3, reason: None };
    let given = given([opened(), joined(SABRINA), absent(MARY, start()), lowered]).after(6);
    says(&given, SABRINA, None);
    says(&given.after(9), SABRINA, Some(Next::Assume { commander: MARY, unseen_since: Some(start()) }));
}

#[test]
fn whoever_answers_for_the_role_answers_the_ask() {
    let given = given([opened(), joined(ROBIN), asked(ROBIN)]).and(held("planning", SABRINA));
    says(&given, SABRINA, Some(Next::Answer { role: role("planning"), by: ROBIN }));
    says(&given, ROBIN, None);
}

#[test]
fn too_many_reports_come_last() {
    let people = [SABRINA, JOSEPHINE, ROBIN, MALCOLM, NOBODY, crate::cast::ADA, crate::cast::IVAN];
    let given = given([opened()]).and(held("operations", SABRINA)).and(people.map(|p| member("operations", p)));
    says(&given, SABRINA, None);
    let given = given.and([member("operations", MARY)]);
    says(&given, SABRINA, Some(Next::Delegate { role: role("operations"), reports: 8 }));
}

#[test]
fn nothing_is_said_where_there_is_nothing_to_do() {
    says(&given([opened(), joined(SABRINA), raised(), closed(MARY)]), MARY, None);
    says(&given([opened_restricted(), offered_to_team("operations", MARY)]), SABRINA, None);
}
