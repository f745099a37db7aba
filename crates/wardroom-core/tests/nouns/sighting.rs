//! Changes of which another system tells: which are heard, which are uncoordinated, and how operations sort them.

use serde_json::json;
use uuid::Uuid;
use wardroom_core::call::About;
use wardroom_core::change::{Change, ChangeState, ChangeStep, NewChange, SeenAs};
use wardroom_core::command::Command;
use wardroom_core::event::Event;
use wardroom_core::id::{Entry, PersonId};
use wardroom_core::incident::{Kind, Phase};
use wardroom_core::merge::Absorbed;
use wardroom_core::next::Next;
use wardroom_core::refusal::{Code, Remedy};
use wardroom_core::sighting::{NewSighting, SIGHTINGS_MAX, Seen, Stage};

use crate::cast::{IVAN, JOSEPHINE, MALCOLM, MARY, ROBIN, SABRINA, at, service};
use crate::change::{ROLLBACK, announced, done, new, recorded, staffed, step, uncoordinated};
use crate::given::{Given, by, given};
use crate::permission::{broken, granted};
use crate::words::{ask_for, cmd, joined, number, opened_as, opened_restricted, text};

pub fn seen(person: Option<PersonId>, minutes: i64) -> Seen {
    Seen {
        key: Uuid::from_u128(7),
        service: service("search"),
        what: ROLLBACK.parse().expect("a line"),
        who: Some("robin@example.org".parse().expect("a line")),
        person,
        told_by: None,
        share_used: false,
        source: "https://ci.example.org".parse().expect("a line"),
        link: Some("https://ci.example.org/7".parse().expect("words")),
        environment: Some("production".parse().expect("a line")),
        stage: Stage::Done,
        at: at(minutes),
    }
}

pub fn sighted(seen: &Seen, uncoordinated: bool, change: Option<u32>) -> NewSighting {
    NewSighting {
        sighting: 1,
        key: seen.key,
        service: seen.service.clone(),
        what: text(seen.what.as_str()),
        who: Some(text("robin@example.org")),
        person: seen.person,
        told_by: seen.told_by,
        share_used: seen.share_used,
        source: text("https://ci.example.org"),
        link: Some(text("https://ci.example.org/7")),
        environment: Some(text("production")),
        stage: seen.stage,
        at: seen.at,
        uncoordinated,
        change,
    }
}

pub fn event(sighting: NewSighting) -> Event {
    Event::ChangeSeen(Box::new(sighting))
}

/// Somebody outside operations changed search five minutes after it was declared.
pub fn freelanced() -> Given {
    staffed().after(10).and([event(sighted(&seen(Some(ROBIN), 5), true, None))])
}

pub fn sort(name: &str) -> Command {
    cmd(name, json!({ "sighting": 1 }))
}

pub fn called(given: &Given) -> Vec<(PersonId, About)> {
    let calls = given.state().calls(&given.facts, given.now);
    calls.into_iter().map(|call| (call.person, call.about)).collect()
}

/// Whether what is told now is uncoordinated.
#[track_caller]
fn is_uncoordinated(given: Given, seen: Seen) -> bool {
    let told = given.told(seen).accepted().state();
    told.sightings.last().expect("it was seen").is_unsorted()
}

#[test]
fn a_change_from_outside_operations_is_told_to_commander_and_operations() {
    let told = seen(Some(ROBIN), 5);
    let after = staffed().after(10).told(told.clone()).then([event(sighted(&told, true, None))]);
    let about = About::Seen { since: 1, sighting: 1, service: service("search"), by: Some(ROBIN), more: 0 };
    assert_eq!(called(&after), [(MARY, about.clone()), (JOSEPHINE, about)]);
    let next = |who: PersonId| after.state().next(who, &after.facts, after.now);
    assert_eq!(next(JOSEPHINE), Some(Next::SortSighting { sighting: 1, service: service("search") }));
    let see = Next::SeeSorted { service: service("search"), operations: JOSEPHINE, waiting: 1 };
    assert_eq!(next(MARY), Some(see), "the commander knows of it, and who sorts it");
    let sorted = after.clone().when(JOSEPHINE, sort("dismiss_sighting")).accepted();
    assert_eq!(sorted.state().next(MARY, &sorted.facts, sorted.now), None);
    assert!(after.state().matters.contains(&after.state().last_entry), "it matters to whoever takes command");
}

#[test]
fn what_operations_or_somebody_with_their_permission_do_is_seen_and_nobody_is_called() {
    let ten = || staffed().after(10);
    assert!(!is_uncoordinated(ten(), seen(Some(JOSEPHINE), 5)));
    assert!(is_uncoordinated(ten(), seen(None, 5)), "nobody known is nobody of operations");
    assert!(!is_uncoordinated(ten().and([granted(ROBIN, 40)]).after(5), seen(Some(ROBIN), 12)));
    assert!(is_uncoordinated(ten().and([granted(ROBIN, 40)]).after(5), seen(Some(ROBIN), 5)), "before it was given");
    assert!(is_uncoordinated(ten(), seen(Some(IVAN), 5)), "whoever is not active is of nothing");
    assert_eq!(called(&ten().told(seen(Some(JOSEPHINE), 5)).accepted()), []);
}

#[test]
fn it_hears_from_an_hour_before_impact_began_and_of_what_its_services_need() {
    let ready = || staffed().after(10);
    ready().told(seen(Some(ROBIN), -61)).refused(Code::AlreadySo, &[], None);
    let before = ready().told(seen(Some(ROBIN), -59)).accepted();
    assert!(!before.state().sightings[0].seen.uncoordinated, "there was nothing to coordinate");
    let began = |minutes: i64| ready().when(MARY, cmd("set_began", json!({ "began": at(minutes) }))).accepted();
    began(-30).told(seen(Some(ROBIN), -89)).accepted();
    let of = |name: &str| Seen { service: service(name), ..seen(Some(ROBIN), 5) };
    ready().told(of("indexing")).accepted();
    ready().told(of("mail")).refused(Code::AlreadySo, &[], None);
    let planned = given([opened_as(1, Kind::Planned, Phase::Active)]).after(10);
    planned.clone().told(of("indexing")).refused(Code::AlreadySo, &[], None);
    planned.told(of("search")).accepted();
}

#[test]
fn one_that_is_told_for_the_future_happened_now() {
    let told = staffed().after(10).told(seen(Some(ROBIN), 500)).accepted();
    assert_eq!(told.state().sightings[0].seen.at, at(10));
}

#[test]
fn it_calls_only_for_what_was_made_while_it_held_the_gate_and_a_drill_hears_nothing() {
    let phase = |phase| given([opened_as(1, Kind::Incident, phase)]).after(10);
    assert!(!is_uncoordinated(phase(Phase::Investigating), seen(None, 5)), "nothing is declared");
    let to = |to| staffed().after(10).and([Event::PhaseSet { from: Phase::Active, to, reason: None }]);
    assert!(is_uncoordinated(to(Phase::Mitigated), seen(None, 5)));
    assert!(is_uncoordinated(to(Phase::Resolved), seen(None, 5)));
    to(Phase::Resolved).told(seen(None, 10)).refused(Code::AlreadySo, &[], None);
    given([opened_as(1, Kind::Drill, Phase::Active)]).told(seen(None, 0)).refused(Code::AlreadySo, &[], None);
}

/// A pipeline tells of a rollout when that has ended, and services may be restored by then.
#[test]
fn until_it_is_closed_it_hears_of_what_was_made_before_it_was_resolved() {
    let phase = |from, to| Event::PhaseSet { from, to, reason: None };
    let resolved = || staffed().after(10).and([phase(Phase::Active, Phase::Resolved)]).after(120);
    let nothing = |given: Given, minute| given.told(seen(Some(ROBIN), minute)).refused(Code::AlreadySo, &[], None);
    let told = resolved().told(seen(Some(ROBIN), 9)).accepted();
    assert_eq!(called(&told).iter().map(|(person, _)| *person).collect::<Vec<_>>(), [MARY, JOSEPHINE]);
    let close = || cmd("set_phase", json!({ "phase": "closed" }));
    let sorted = told.when(MARY, close()).refused(Code::Unfinished, &[JOSEPHINE], None);
    let closed = sorted.when(JOSEPHINE, sort("dismiss_sighting")).accepted().when(MARY, close()).accepted();
    nothing(resolved(), 10);
    nothing(resolved(), 60);
    let other = |minute| Seen { key: Uuid::from_u128(8), ..seen(Some(ROBIN), minute) };
    closed.clone().told(other(9)).refused(Code::AlreadySo, &[], None);
    // Sent back by a late record, it is as resolved as it was before.
    let back = closed.when(ROBIN, crate::change::record(ROLLBACK)).accepted().after(5);
    back.clone().told(other(60)).refused(Code::AlreadySo, &[], None);
    assert!(is_uncoordinated(back, other(9)));
    // What goes on again hears again, also of what was made while it did not (`restored.rs`).
    let on = || resolved().and([phase(Phase::Resolved, Phase::Active)]);
    assert!(is_uncoordinated(on().after(5), seen(Some(ROBIN), 131)));
    assert!(!is_uncoordinated(on(), seen(Some(ROBIN), 60)));
    // Whoever looked into something and found nothing had no gate; it hears, and calls nobody.
    let found = given([opened_as(1, Kind::Incident, Phase::Investigating)]).after(10);
    let found = found.and([Event::Closed { from: Phase::Investigating, last_commander: MARY, reason: None }]).after(60);
    let back = found.when(ROBIN, crate::change::record(ROLLBACK)).accepted();
    assert!(!is_uncoordinated(back.clone(), seen(Some(ROBIN), 9)));
    nothing(back, 10);
}

#[test]
fn what_is_told_again_is_recorded_when_it_went_on_and_only_then() {
    let stage = |stage| Seen { stage, ..seen(Some(ROBIN), 5) };
    let begun = staffed().after(10).told(stage(Stage::Begun)).accepted();
    begun.clone().told(stage(Stage::Begun)).refused(Code::AlreadySo, &[], None);
    let went = Event::SightingWent { sighting: 1, stage: Stage::Done, at: at(5) };
    let over = begun.told(stage(Stage::Done)).then([went]);
    for late in [Stage::Begun, Stage::Failed, Stage::Done] {
        over.clone().told(stage(late)).refused(Code::AlreadySo, &[], None);
    }
}

#[test]
fn what_stands_in_the_ledger_is_known_as_that() {
    let known = |given: Given, seen: Seen| given.told(seen).accepted().state().sightings[0].seen.change;
    let announcing = || staffed().after(4).and([by(JOSEPHINE, announced(1, JOSEPHINE))]).after(6);
    assert_eq!(known(announcing(), seen(Some(JOSEPHINE), 5)), Some(1));
    assert_eq!(known(announcing(), seen(None, 5)), Some(1), "a robot makes what operations announced");
    assert_eq!(known(announcing(), seen(Some(ROBIN), 5)), None, "somebody else does not");
    assert_eq!(known(announcing(), seen(None, -7)), None, "it was announced long after");
    let other = Seen { service: service("indexing"), ..seen(None, 5) };
    assert_eq!(known(announcing(), other), None);
    let made = || staffed().after(30).and([by(JOSEPHINE, done(1, JOSEPHINE))]).after(30);
    assert_eq!(known(made(), seen(None, 25)), Some(1));
    assert_eq!(known(made(), seen(None, 45)), None, "long after it was done");
    let again = Seen { key: Uuid::from_u128(8), ..seen(None, 6) };
    assert!(is_uncoordinated(announcing().told(seen(None, 5)).accepted(), again), "one change is seen once");
}

/// What came through the gate stood announced, and in the way of closing, though the pipeline had told that it was over.
#[test]
fn what_its_maker_is_named_to_have_done_is_confirmed_by_that() {
    let stage = |stage, person, minute| Seen { stage, ..seen(person, minute) };
    let announcing = || staffed().after(4).and([by(JOSEPHINE, announced(1, JOSEPHINE))]).after(6);
    let done = || Event::ChangeDone(ChangeStep { happened_at: Some(at(5)), seen: Some(1), ..step(JOSEPHINE) });
    let one = seen(Some(JOSEPHINE), 5);
    let over = announcing().told(one.clone()).then([event(sighted(&one, false, Some(1))), done()]);
    let change = over.state().changes.remove(0);
    assert_eq!((change.stands.state, change.done_at), (ChangeState::Done, Some(at(5))));

    let begun = announcing().told(stage(Stage::Begun, Some(JOSEPHINE), 5)).accepted();
    assert!(begun.state().changes[0].is_announced(), "it is under way");
    let went = Event::SightingWent { sighting: 1, stage: Stage::Done, at: at(5) };
    begun.told(stage(Stage::Done, Some(JOSEPHINE), 5)).then([went, done()]);
}

#[test]
fn what_is_only_guessed_confirms_nothing() {
    let stage = |stage, person, minute| Seen { stage, ..seen(person, minute) };
    let announcing = || staffed().after(4).and([by(JOSEPHINE, announced(1, JOSEPHINE))]).after(6);
    let waits = |given: Given, seen: Seen, why: &str| {
        let after = given.told(seen).accepted().state();
        assert!(after.sightings[0].seen.change.is_some() && after.changes.iter().all(Change::is_announced), "{why}");
    };
    waits(announcing(), seen(None, 5), "nobody is named");
    waits(announcing(), seen(Some(JOSEPHINE), 2), "it was over before this was announced");
    waits(announcing(), stage(Stage::Failed, Some(JOSEPHINE), 5), "nobody knows what a failure left behind");
    let two = announcing().and([by(JOSEPHINE, announced(2, JOSEPHINE))]);
    waits(two, seen(Some(JOSEPHINE), 6), "nobody knows which of two it was");
    let said = Event::ChangeFailed(step(JOSEPHINE));
    let failed = announcing().and([by(JOSEPHINE, said)]).told(seen(Some(JOSEPHINE), 5)).accepted().state();
    assert_eq!(failed.changes[0].stands.state, ChangeState::Failed, "a person has said how it went");
}

/// Nobody's change hid in what was itself to be sorted, and in what somebody else is known to have made.
#[test]
fn what_nobody_is_known_to_have_made_is_taken_for_a_change_of_operations_alone() {
    let known = |given: Given, seen: Seen| given.told(seen).accepted().state().sightings[0].seen.change;
    let freelance = || staffed().after(4).and([by(ROBIN, uncoordinated(1, ROBIN))]).after(6);
    assert_eq!(known(freelance(), seen(None, 5)), None);
    assert!(is_uncoordinated(freelance(), seen(None, 5)), "one beside it is looked at for itself");
    assert_eq!(known(freelance(), seen(Some(ROBIN), 5)), Some(1), "whose it is by name is that one");
    let sorted = freelance().and([by(JOSEPHINE, Event::ChangeTakenIn(step(JOSEPHINE)))]);
    assert_eq!(known(sorted, seen(None, 5)), None, "sorted by now, it was not made by operations");
    let over_glass = NewChange { uncoordinated: true, ..new(1, ROBIN, ChangeState::Announced) };
    let glass = staffed().after(4).and([by(ROBIN, broken(ROBIN)), by(ROBIN, recorded(over_glass))]).after(6);
    assert!(is_uncoordinated(glass, seen(None, 5)));
    let permitted =
        staffed().after(4).and([by(JOSEPHINE, granted(ROBIN, 40)), by(ROBIN, announced(1, ROBIN))]).after(6);
    assert_eq!(known(permitted, seen(None, 5)), Some(1), "within a permission it is one of operations");
}

/// In another incident it was seen and taken in by Josephine, and came along with that incident.
#[test]
fn what_was_taken_in_is_a_change_of_whoever_made_it() {
    let taken = freelanced().when(JOSEPHINE, sort("take_in_sighting")).accepted().state().changes.remove(0);
    let absorbed = Absorbed {
        from: number(7),
        began: None,
        responders: [JOSEPHINE].into(),
        members: [].into(),
        roadblocks: vec![],
        services: [].into(),
        unknown_services: [].into(),
        posts: vec![],
        criteria: vec![],
        todos: vec![],
        changes: vec![taken],
        sightings: vec![],
    };
    let here = || staffed().after(10).and([Event::Absorbed(absorbed.clone())]);
    let known = |seen: Seen| here().told(seen).accepted().state().sightings[0].seen.change;
    assert_eq!(known(seen(Some(JOSEPHINE), 5)), None, "whoever took it in did not make it");
    assert_eq!(known(seen(None, 5)), None);
    assert_eq!(known(seen(Some(ROBIN), 5)), Some(1));
}

#[test]
fn operations_take_it_into_the_ledger_or_dismiss_it() {
    let change = NewChange {
        what: text("what was seen as 1"),
        happened_at: Some(at(5)),
        seen: Some(SeenAs { sighting: 1, by: Some(ROBIN) }),
        ..new(1, JOSEPHINE, ChangeState::Done)
    };
    let taken = Event::SightingTakenIn { sighting: 1, change: 1, by: JOSEPHINE };
    let sorted = freelanced()
        .when(ROBIN, sort("take_in_sighting"))
        .refused(Code::NotYours, &[JOSEPHINE], ask_for("operations"))
        .when(JOSEPHINE, sort("take_in_sighting"))
        .then([recorded(change), taken]);
    assert_eq!(called(&sorted), []);
    assert_eq!(sorted.state().differing().len(), 1, "its service differs from normal by it");
    sorted.clone().when(JOSEPHINE, sort("take_in_sighting")).refused(Code::AlreadySo, &[], None);
    sorted.when(JOSEPHINE, sort("dismiss_sighting")).refused(Code::AlreadySo, &[], None);
    let dismissed = freelanced()
        .when(ROBIN, sort("dismiss_sighting"))
        .refused(Code::NotYours, &[JOSEPHINE], ask_for("operations"))
        .when(JOSEPHINE, cmd("dismiss_sighting", json!({ "sighting": 1, "reason": "a dry run" })))
        .then([Event::SightingDismissed { sighting: 1, by: JOSEPHINE, reason: Some(text("a dry run")) }]);
    assert_eq!(called(&dismissed), []);
    freelanced().when(JOSEPHINE, cmd("dismiss_sighting", json!({ "sighting": 2 }))).refused(Code::NotThere, &[], None);
}

#[test]
fn what_is_under_way_is_taken_in_as_announced() {
    let under_way = NewSighting { stage: Stage::Begun, ..sighted(&seen(Some(ROBIN), 5), true, None) };
    let taken = staffed().after(10).and([event(under_way)]).when(JOSEPHINE, sort("take_in_sighting")).accepted();
    assert_eq!(taken.state().changes[0].stands.state, ChangeState::Announced);
}

#[test]
fn nothing_is_closed_over_what_nobody_sorted() {
    let resolved = freelanced().and([Event::PhaseSet { from: Phase::Active, to: Phase::Resolved, reason: None }]);
    let close = cmd("set_phase", json!({ "phase": "closed" }));
    let refused = resolved.when(MARY, close.clone()).refused(Code::Unfinished, &[JOSEPHINE], None);
    refused.when(JOSEPHINE, sort("dismiss_sighting")).accepted().when(MARY, close).accepted();
}

#[test]
fn whoever_made_it_is_asked_in_and_told_until_they_come() {
    let outside = || staffed().after(10).and([event(sighted(&seen(Some(MALCOLM), 5), true, None))]);
    let asked = outside()
        .when(ROBIN, sort("ask_in"))
        .refused(Code::NotYours, &[JOSEPHINE, MARY], ask_for("operations"))
        .when(MARY, sort("ask_in"))
        .then([Event::AskedIn { sighting: 1, person: MALCOLM, by: MARY }]);
    let about = About::AskedIn { entry: asked.state().last_entry, by: MARY, service: service("search") };
    assert!(called(&asked).contains(&(MALCOLM, about)));
    asked.clone().when(JOSEPHINE, sort("ask_in")).refused(Code::AlreadySo, &[], None);
    asked.clone().after(61).when(JOSEPHINE, sort("ask_in")).accepted();
    let waits = |given: &Given| called(given).iter().any(|(person, _)| *person == MALCOLM);
    assert!(!waits(&asked.clone().after(61)), "not for ever");
    let here = asked.and([joined(MALCOLM)]);
    assert!(!waits(&here));
    here.when(MARY, sort("ask_in")).refused(Code::AlreadySo, &[], None);
    freelanced().when(MARY, sort("ask_in")).refused(Code::AlreadySo, &[], None);
    let robot = staffed().after(10).and([event(sighted(&seen(None, 5), true, None))]);
    robot.when(MARY, sort("ask_in")).refused(Code::UnknownPerson, &[], None);
}

#[test]
fn nobody_is_asked_into_what_they_may_not_know_of() {
    let seen = event(sighted(&seen(Some(MALCOLM), 0), true, None));
    let invite = Some(Remedy::Invite { person: MALCOLM });
    given([opened_restricted()]).and([seen]).when(MARY, sort("ask_in")).refused(Code::NotYours, &[], invite);
}

#[test]
fn what_is_not_sorted_goes_along_in_a_merge_and_is_known_there_once() {
    let second = || given([opened_as(2, Kind::Incident, Phase::Active)]);
    let key = Uuid::from_u128(8);
    let other = NewSighting { sighting: 1, key, ..sighted(&seen(None, 0), true, None) };
    let along = |there: &Given, expected: &[NewSighting]| {
        let merge = cmd("merge", json!({ "into": 2 }));
        let merged = freelanced().beside(there).when(MARY, merge).accepted_with(|decision| match &decision.there[..] {
            [Event::Absorbed(absorbed)] => assert_eq!(absorbed.sightings, expected),
            other => panic!("{other:?}"),
        });
        assert!(merged.state().sightings.iter().all(|known| !known.is_unsorted()), "it is for the other to sort");
    };
    let here = sighted(&seen(Some(ROBIN), 5), true, None);
    along(&second().and([event(other)]), &[NewSighting { sighting: 2, ..here.clone() }]);
    along(&second().and([event(here)]), &[]);
}

#[test]
fn it_is_bounded() {
    let mut full = staffed().after(10);
    for sighting in 1..=SIGHTINGS_MAX {
        let key = Uuid::from_u128(1_000 + u128::from(sighting));
        full = full.and([event(NewSighting { sighting, key, ..sighted(&seen(Some(SABRINA), 5), false, None) })]);
    }
    assert_eq!(full.state().last_entry, Entry(full.history.len() as u64));
    full.told(seen(Some(ROBIN), 5)).refused(Code::TooMany, &[], None);
}
