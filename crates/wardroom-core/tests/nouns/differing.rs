//! What differs from normal: nothing is closed over it, it is undone in order, and somebody is asked about it.

use serde_json::json;
use wardroom_core::call::About;
use wardroom_core::change::{ChangeState, NewChange, SentBack, WayBack};
use wardroom_core::event::Event;
use wardroom_core::id::PersonId;
use wardroom_core::incident::{Kind, Phase};
use wardroom_core::next::Next;
use wardroom_core::prompt::{Bring, Prompts};
use wardroom_core::refusal::{Code, Remedy};

use crate::cast::{JOSEPHINE, MALCOLM, MARY, ROBIN, at, service};
use crate::change::{
    ROLLBACK, announce, announced, confirm, done, new, on, record, recorded, staffed, step, uncoordinated, with,
};
use crate::given::{Given, by, given};
use crate::words::{closed, cmd, held, investigating, joined, opened, opened_as, opened_restricted, text};

/// Rule 10.
#[test]
fn nothing_is_closed_while_a_service_differs() {
    let resolved = || Event::PhaseSet { from: Phase::Active, to: Phase::Resolved, reason: None };
    let close = || cmd("set_phase", json!({"phase": "closed"}));
    let settle = |changes: &[u32]| Some(Remedy::SettleChanges { changes: changes.to_vec() });
    let given = staffed().and([done(1, JOSEPHINE), announced(2, JOSEPHINE)]);
    let given = given.when(MARY, cmd("set_phase", json!({"phase": "resolved"}))).accepted();
    given
        .when(MARY, close())
        .says(
            "Not back to normal: search: 1 “rolled back to v11”, search: 2 “rolled back to v11” (only announced). \
             Revert each, adopt it, or hand it to a bug.",
        )
        .refused(Code::DiffersFromNormal, &[], settle(&[1, 2]))
        .when(JOSEPHINE, on("revert_change"))
        .accepted()
        .when(MARY, close())
        .refused(Code::DiffersFromNormal, &[], settle(&[2]))
        .when(JOSEPHINE, cmd("confirm_change", json!({"change": 2, "outcome": "dropped"})))
        .accepted()
        .when(MARY, close())
        .accepted();
    // As long as a refusal gets.
    let many =
        (1..=5).map(|n| recorded(NewChange { what: text(&"long ".repeat(40)), ..new(n, MARY, ChangeState::Done) }));
    crate::given::given([opened(), resolved()]).and(many).when(MARY, close()).refused(
        Code::DiffersFromNormal,
        &[],
        settle(&[1, 2, 3, 4, 5]),
    );
}

/// Rule 10: back to resolved, under its last commander.
#[test]
fn a_late_record_sends_a_closed_incident_back() {
    let over =
        staffed().and([Event::PhaseSet { from: Phase::Active, to: Phase::Resolved, reason: None }, closed(MARY)]);
    let sent_back = |commander| Event::SentBack(SentBack { commander, change: 1 });
    over.clone().when(JOSEPHINE, announce(ROLLBACK)).refused(Code::WrongPhase, &[], Some(Remedy::Reopen));
    let back = over.clone().after(60).when(MALCOLM, record(ROLLBACK)).then([
        joined(MALCOLM),
        uncoordinated(1, MALCOLM),
        sent_back(MARY),
    ]);
    let state = back.state();
    assert_eq!((state.phase, state.phase_since, state.commander()), (Phase::Resolved, at(60), MARY));
    // She is told, wherever she is.
    let about = About::Uncoordinated { change: 1, service: service("search"), by: MALCOLM };
    let told: Vec<_> = state.calls(&back.facts, back.now).into_iter().map(|call| (call.person, call.about)).collect();
    let in_command = About::InCommand { entry: state.last_entry, since: at(60) };
    assert_eq!(told, [(MARY, about), (MARY, in_command)]);
    // Operations fell to her with command, so that it is hers to sort; then it can be closed again.
    back.when(MARY, on("take_in_change"))
        .accepted()
        .when(MARY, with("adopt_change", json!({"reason": "it was the cure"})))
        .accepted()
        .when(MARY, cmd("set_phase", json!({"phase": "closed"})))
        .accepted();
    // After a merge the other incident is the place.
    let merged = staffed().and([Event::MergedInto { into: crate::words::number(2), commander: MARY }]);
    merged.when(MALCOLM, record(ROLLBACK)).refused(
        Code::WrongPhase,
        &[],
        Some(Remedy::See { incident: crate::words::number(2) }),
    );
}

#[test]
fn everything_is_undone_newest_first_service_by_service() {
    let of = |n: u32, name: &str, minutes: i64| {
        let what = NewChange {
            service: service(name),
            happened_at: Some(at(minutes)),
            ..new(n, JOSEPHINE, ChangeState::Done)
        };
        recorded(what)
    };
    let given = staffed().and([
        of(1, "search", -30),
        of(2, "indexing", -20),
        of(3, "search", -10),
        // Told last, and made first.
        of(4, "indexing", -40),
        announced(5, JOSEPHINE),
    ]);
    let state = given.state();
    let plan: Vec<(&str, Vec<u32>)> = state
        .differing()
        .iter()
        .map(|one| (one.service.as_str(), one.changes.iter().map(|change| change.id).collect()))
        .collect();
    assert_eq!(plan, [("search", vec![3, 1]), ("indexing", vec![2, 4])]);
}

#[test]
fn next_asks_first_how_it_went_then_for_the_way_back() {
    let next = |given: &Given, who: PersonId| given.state().next(who, &given.facts, given.now);
    let ready = staffed().and([by(JOSEPHINE, announced(1, JOSEPHINE))]);
    let confirm_it = Some(Next::ConfirmChange { change: 1, announced_at: at(0) });
    assert_eq!(next(&ready, JOSEPHINE), confirm_it);
    assert_eq!(next(&ready, MARY), None);
    // Whoever has just announced it is not nagged.
    let brought = |given: &Given| {
        given.state().brought(JOSEPHINE, &given.facts, given.now, &Prompts::default()).map(|brought| brought.prompt)
    };
    assert!(matches!(brought(&ready), Some(Bring::Quietly { put_off: false, .. })));
    let ready = ready.after(5);
    assert!(matches!(brought(&ready), Some(Bring::WhenFree { .. })));
    let made = ready.when(JOSEPHINE, confirm("done")).accepted();
    assert_eq!(next(&made, JOSEPHINE), None, "the hands come first");
    let made = made.after(10);
    assert_eq!(next(&made, JOSEPHINE), Some(Next::SayWayBack { change: 1, due_at: at(15) }));
    let said = made.clone().and([Event::WayBackSaid(WayBack { change: 1, back: Some(text("deploy v12")) })]);
    assert_eq!(next(&said, JOSEPHINE), None);
    // Whoever announced it has gone: it is for whoever has operations.
    let gone = staffed().and([joined(MALCOLM), announced(1, MALCOLM), Event::Left { person: MALCOLM }]);
    assert_eq!(next(&gone, JOSEPHINE), confirm_it);
}

#[test]
fn operations_are_asked_to_sort_and_command_is_told() {
    let told = staffed().and([uncoordinated(1, ROBIN)]);
    let next = told.state().next(JOSEPHINE, &told.facts, told.now);
    assert_eq!(next, Some(Next::SortChange { change: 1, by: ROBIN }));
    let people = |given: &Given| {
        given.state().calls(&given.facts, given.now).iter().map(|call| call.person).collect::<Vec<PersonId>>()
    };
    assert_eq!(people(&told), [MARY, JOSEPHINE]);
    let call = &told.state().calls(&told.facts, told.now)[0];
    let words = call.words(&told.state(), &told.facts);
    assert_eq!(
        words.line,
        "Robin tells of a change of search that was not coordinated, in incident #1 “Search is slow” (sev2)"
    );
    assert_eq!(call.id(), "1.change.1");
    let secret =
        crate::given::given([opened_restricted()]).and(held("operations", JOSEPHINE)).and([uncoordinated(1, ROBIN)]);
    let call = &secret.state().calls(&secret.facts, secret.now)[0];
    assert!(!call.words(&secret.state(), &secret.facts).line.contains("search"));
    let sorted = told.when(JOSEPHINE, on("take_in_change")).accepted();
    assert_eq!(people(&sorted), []);
}

#[test]
fn what_is_open_goes_along_into_the_other_incident() {
    let other = given([opened_as(2, Kind::Incident, Phase::Active)]).and([done(1, MARY)]);
    let here = staffed().and([
        done(1, JOSEPHINE),
        Event::ChangeReverted(step(JOSEPHINE)),
        announced(2, JOSEPHINE),
        uncoordinated(3, ROBIN),
    ]);
    let merged = here.beside(&other).when(MARY, cmd("merge", json!({"into": 2}))).accepted_with(|decision| {
        let after = other.clone().and(decision.there.clone()).state();
        let told: Vec<_> = after.changes.iter().map(|change| (change.id, change.by, change.stands.state)).collect();
        let expected =
            [(1, MARY, ChangeState::Done), (2, JOSEPHINE, ChangeState::Announced), (3, ROBIN, ChangeState::Done)];
        assert_eq!(told, expected);
        assert!(after.changes[2].is_unsorted());
        assert_eq!(after.changes_recorded, 3);
    });
    let left: Vec<u32> = merged.state().changes.iter().map(|change| change.id).collect();
    assert_eq!(left, [1], "what is over stays where it happened");
}

#[test]
fn who_cannot_have_command_again_does_not_get_it() {
    let over =
        || staffed().and([Event::PhaseSet { from: Phase::Active, to: Phase::Resolved, reason: None }, closed(MARY)]);
    let back = over().deactivated(MARY).when(ROBIN, record(ROLLBACK)).accepted();
    assert_eq!(back.state().commander(), ROBIN);
}

#[test]
fn the_commander_is_told_who_sorts_what_was_not_coordinated() {
    let next = |given: &Given, who| given.state().next(who, &given.facts, given.now);
    let told = staffed().and([by(ROBIN, uncoordinated(1, ROBIN)), by(ROBIN, uncoordinated(2, ROBIN))]);
    let see = Next::SeeSorted { service: service("search"), operations: JOSEPHINE, waiting: 2 };
    assert_eq!(next(&told, MARY), Some(see));
    assert_eq!(next(&told, JOSEPHINE), Some(Next::SortChange { change: 1, by: ROBIN }));
    // Who commands and has operations, too, sorts it themselves.
    let both = given([opened()]).and([by(ROBIN, uncoordinated(1, ROBIN))]);
    assert_eq!(next(&both, MARY), Some(Next::SortChange { change: 1, by: ROBIN }));
    let own = staffed().and([by(MARY, uncoordinated(1, MARY))]);
    assert_eq!(next(&own, MARY), None, "whoever made it knows");
}

/// The commander read of two changes and “6 more”, and looked for the service that was meant.
#[test]
fn whoever_would_close_is_told_every_service_that_differs_and_by_how_much() {
    let of =
        |name: &str, change: u32, state| recorded(NewChange { service: service(name), ..new(change, MARY, state) });
    let [done, announced] = [ChangeState::Done, ChangeState::Announced];
    let changes = [
        of("search", 1, done),
        of("indexing", 2, done),
        of("search", 3, done),
        of("mail", 4, announced),
        of("web", 5, done),
        of("search", 6, announced),
    ];
    let given =
        staffed().and(changes).and([Event::PhaseSet { from: Phase::Active, to: Phase::Resolved, reason: None }]);
    given
        .when(MARY, cmd("set_phase", json!({"phase": "closed"})))
        .says(
            "Not back to normal: search (3 changes, 1 of them only announced), indexing (1 change), \
             mail (1 change, only announced), web (1 change). Revert each, adopt it, or hand it to a bug.",
        )
        .refused(Code::DiffersFromNormal, &[], Some(Remedy::SettleChanges { changes: (1..=6).collect() }));
}

/// Whoever looked into it found nothing, and closed it: a late record makes it an incident.
#[test]
fn an_investigation_that_is_sent_back_is_declared() {
    let looked =
        given([investigating(), Event::Closed { from: Phase::Investigating, last_commander: MARY, reason: None }]);
    let state = looked.after(5).when(MALCOLM, record(ROLLBACK)).accepted().state();
    assert_eq!((state.phase, state.declared_at), (Phase::Resolved, Some(at(5))));
}

#[test]
fn what_somebody_announced_whose_account_is_gone_is_for_operations_to_tell() {
    let given = staffed().and([announced(1, ROBIN)]).deactivated(ROBIN);
    let next = given.state().next(JOSEPHINE, &given.facts, given.now);
    assert_eq!(next, Some(Next::ConfirmChange { change: 1, announced_at: at(0) }));
}
