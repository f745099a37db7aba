//! Whom there is to tell of what: offers, command that nobody exercises, clocks that rang. And nothing else.

use wardroom_core::absence::Grounds;
use wardroom_core::call::{Call, Words};
use wardroom_core::event::Event;
use wardroom_core::id::{Entry, PersonId};
use wardroom_core::incident::{Kind, Phase, Severity};

use crate::cast::{ADA, JOSEPHINE, MALCOLM, MARY, ROBIN, SABRINA, at, start};
use crate::given::{Given, given};
use crate::words::{
    absent, closed, joined, offered, offered_to_team, opened, opened_as, opened_restricted, role, text,
};

fn calls(given: &Given) -> Vec<Call> {
    given.state().calls(&given.facts, given.now)
}

/// Whom it tells of what.
fn told(given: &Given) -> Vec<(PersonId, String)> {
    calls(given).into_iter().map(|call| (call.person, call.id())).collect()
}

fn is(person: PersonId, id: &str) -> (PersonId, String) {
    (person, id.to_owned())
}

#[test]
fn an_offer_is_told_until_it_is_answered_or_lapses() {
    let given = given([opened(), offered("operations", SABRINA, MARY)]);
    assert_eq!(told(&given), [is(SABRINA, "1.offer.2")]);
    assert_eq!(told(&given.clone().after(10)), []);
    assert_eq!(told(&given.clone().deactivated(SABRINA)), []);
    let lapsed = Event::OfferLapsed { role: role("operations"), offer: Entry(2), late: false };
    assert_eq!(told(&given.clone().and([lapsed])), []);
    assert_eq!(told(&given.and([closed(MARY)])), []);
}

#[test]
fn an_offer_to_a_team_is_told_to_all_who_could_take_it() {
    let given = given([opened(), offered_to_team("operations", MARY)]);
    assert_eq!(told(&given), [is(SABRINA, "1.offer.2"), is(ROBIN, "1.offer.2")]);
}

#[test]
fn only_what_is_about_having_command_goes_past_quiet_hours() {
    let command = given([opened(), offered("command", SABRINA, MARY)]);
    assert!(calls(&command)[0].is_of_command());
    let operations = given([opened(), offered("operations", SABRINA, MARY)]);
    assert!(!calls(&operations)[0].is_of_command());
    let gone = given([opened(), joined(ROBIN), absent(MARY, start())]).after(6);
    let urgent: Vec<_> = calls(&gone).iter().filter(|call| call.is_of_command()).map(|call| call.person).collect();
    assert_eq!(urgent, [MARY]);
}

#[test]
fn a_commander_who_is_gone_is_asked_and_those_who_are_here_are_told() {
    let given = given([opened(), joined(ROBIN), absent(MARY, start())]);
    let since = start().as_second();
    let all = [is(MARY, &format!("1.here.{since}")), is(ROBIN, &format!("1.absent.{since}"))];
    assert_eq!(told(&given.clone().after(6)), all);
    let back = given.and([Event::CommanderReturned { person: MARY }]).after(6);
    assert_eq!(told(&back), []);
}

#[test]
fn a_second_word_is_asked_of_those_whose_word_would_do() {
    let given = given([opened(), joined(ROBIN), joined(SABRINA), absent(MARY, start())]);
    let reason = text("nobody answers");
    let proposal = Event::AssumptionProposed { by: ROBIN, grounds: Grounds::Unseen, reason, lapses_at: at(16) };
    let given = given.and([proposal]).after(6);
    let here = is(MARY, &format!("1.here.{}", start().as_second()));
    assert_eq!(told(&given), [here, is(SABRINA, "1.confirm.5")]);
}

#[test]
fn nobody_of_the_house_is_told_of_an_absence_who_is_not_here() {
    let given = given([opened(), absent(MARY, start())]).after(20);
    assert_eq!(told(&given), [is(MARY, &format!("1.here.{}", start().as_second()))]);
}

#[test]
fn a_clock_is_told_when_it_rings_and_each_time_anew() {
    let set =
        Event::ClockSet { label: text("alternatives?"), due_at: at(15), every_minutes: std::num::NonZeroU32::new(15) };
    let given = given([opened(), set]);
    assert_eq!(told(&given), []);
    let rang = |minutes| is(MARY, &format!("1.clock.2.{}", at(minutes).as_second()));
    assert_eq!(told(&given.clone().after(15)), [rang(15)], "recorded or not");
    let first = Event::ClockRang { clock: Entry(2), due_at: at(15), next_due_at: Some(at(30)), late: false };
    let given = given.after(15).and([first]);
    assert_eq!(told(&given), [rang(15)]);
    assert_eq!(told(&given.clone().after(15)), [rang(30)]);
    assert_eq!(told(&given.and([Event::ClockStopped { clock: Entry(2) }])), []);
}

fn drill() -> Event {
    opened_as(1, Kind::Drill, Phase::Active)
}

/// Rule 11.
#[test]
fn a_drill_calls_nobody_who_did_not_join_it() {
    let given = given([drill(), offered_to_team("operations", MARY)]);
    assert_eq!(told(&given), []);
    assert_eq!(told(&given.and([joined(ROBIN)])), [is(ROBIN, "1.offer.2")]);
}

#[test]
fn nobody_is_told_of_a_restricted_incident_who_may_not_know_of_it() {
    let given = given([opened_restricted(), offered_to_team("operations", MARY)]);
    assert_eq!(told(&given), []);
    let given = given.and([Event::Invited { person: SABRINA }]);
    assert_eq!(told(&given), [is(SABRINA, "1.offer.2")]);
}

#[test]
fn what_waits_in_the_room_is_not_told_outside() {
    let block = Event::RoadblockRaised { roadblock: 1, role: role("operations"), text: text("x"), by: SABRINA };
    let asks = Event::RoleAsked { role: role("planning"), by: JOSEPHINE, note: None };
    let given = given([opened(), joined(SABRINA), joined(JOSEPHINE), joined(MALCOLM), block, asks]);
    assert_eq!(told(&given), []);
    assert!(given.state().next(MARY, &given.facts, given.now).is_some());
}

fn words(given: &Given) -> Words {
    calls(given)[0].words(&given.state(), &given.facts)
}

#[test]
fn it_says_what_it_is_and_what_to_do() {
    let given = given([opened(), offered("command", SABRINA, MARY)]);
    let Words { line, help } = words(&given);
    assert_eq!(line, "Mary offers you command in incident #1 “Search is slow” (sev2)");
    assert_eq!(
        help,
        "Take it or decline it by 03:10 UTC. Until you take it, nothing has moved; then the offer lapses."
    );
    assert_eq!(calls(&given)[0].path(), "/incidents/1");
    let done = Call::done("1.offer.2", &given.state(), &given.facts);
    assert_eq!(done.line, "Done: what was offered to you in incident #1 “Search is slow” (sev2) is no longer on offer");
    assert_eq!(done.help, "Nothing is left to do about it. Mary has command.");
    let done = Call::done("1.offer.2", &given.and([closed(MARY)]).state(), &crate::cast::facts());
    assert_eq!(done.line, "Done: incident #1 “Search is slow” (sev2) is closed");
}

#[test]
fn what_a_restricted_incident_is_about_does_not_leave_the_house() {
    let clock = Event::ClockSet { label: text("call the lawyers"), due_at: at(1), every_minutes: None };
    let given = given([opened_restricted(), clock]).after(2);
    let Words { line, help } = words(&given);
    assert_eq!(line, "A clock of yours rang in incident #1 (sev2, restricted)");
    assert!(!help.contains("lawyers"));
}

#[test]
fn ids_do_not_change_with_what_is_said_around_them() {
    let given = given([opened(), joined(ADA), offered("command", SABRINA, MARY)]);
    let before = told(&given);
    let given = given.and([
        Event::SeveritySet { from: Severity::Sev2, to: Severity::Sev1, reason: None },
        Event::TitleSet { title: text("Search and mail are failing") },
    ]);
    assert_eq!(told(&given.after(5)), before);
}
